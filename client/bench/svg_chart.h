// One line chart as inline SVG. Colours and fonts come from CSS classes of the page around it:
// grid, axis, line, point. Stateless; any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace ringcast::bench {

struct Axis {
  enum class Scale {
    linear,      // from 0
    log,         // values above 0
    percentile,  // 0 to below 100, as far apart as their distance from 100 is small
  };
  Scale scale = Scale::linear;
  std::string name;
  std::function<std::string(double)> text;  // of a value
};

struct ChartPoint {
  double x = 0;
  double y = 0;
};

struct Chart {
  std::string title;
  Axis x;
  Axis y;
  std::vector<ChartPoint> points;  // ascending in x
};

// Empty where there are no two points to draw a line between.
std::string as_svg(const Chart& chart);

std::string html_escaped(const std::string& text);

}  // namespace ringcast::bench
