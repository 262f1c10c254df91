#include "client/bench/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace ringcast::bench {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 280;
constexpr double kLeft = 68;
constexpr double kRight = 18;
constexpr double kTop = 14;
constexpr double kBottom = 46;
constexpr double kTicks = 5;  // about

// Where a value lies on a scale, before it is stretched to pixels.
double position(Axis::Scale scale, double value) {
  switch (scale) {
    case Axis::Scale::log:
      return std::log10(value);
    case Axis::Scale::percentile:
      return -std::log10(1 - value / 100);
    case Axis::Scale::linear:
      break;
  }
  return value;
}

// 1, 2 or 5 times a power of ten, so that about kTicks of them make `span`.
double round_step(double span) {
  const double rough = span / kTicks;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double digit = rough / power;
  return power * (digit < 1.5 ? 1 : digit < 3 ? 2 : digit < 7 ? 5 : 10);
}

struct Range {
  double from = 0;
  double to = 1;
  std::vector<double> ticks;
};

Range linear_range(double most) {
  Range range;
  if (most <= 0) most = 1;
  const double step = round_step(most);
  range.to = step * std::ceil(most / step - 1e-9);
  for (int i = 0; step * i <= range.to * (1 + 1e-9); ++i) range.ticks.push_back(step * i);
  return range;
}

// Whole decades, or 1, 2, 5 steps where there are few of them: the last tick at or below the least
// value, and what follows until the most is reached.
Range log_range(double least, double most) {
  const bool few = std::log10(most / least) < 2.5;
  std::vector<double> ticks;
  const auto enough = [&] { return ticks.size() >= 2 && ticks.back() >= most; };
  for (int decade = static_cast<int>(std::floor(std::log10(least))); !enough(); ++decade) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      if ((digit > 1 && !few) || enough()) continue;
      const double tick = digit * std::pow(10, decade);
      if (ticks.size() == 1 && tick <= least) ticks.clear();
      ticks.push_back(tick);
    }
  }
  return {ticks.front(), ticks.back(), ticks};
}

Range percentile_range(double most) {
  Range range{0, most, {50, 90}};
  for (double above = 1; 100 - above < most; above /= 10) range.ticks.push_back(100 - above);
  return range;
}

Range range_of(Axis::Scale scale, double least, double most) {
  if (scale == Axis::Scale::log) return log_range(least, most);
  if (scale == Axis::Scale::percentile) return percentile_range(most);
  return linear_range(most);
}

class Drawing {
 public:
  explicit Drawing(const Chart& chart) : chart_(chart) {
    const auto& points = chart.points;
    const auto [low, high] =
        std::minmax_element(points.begin(), points.end(),
                            [](const ChartPoint& a, const ChartPoint& b) { return a.y < b.y; });
    x_ = range_of(chart.x.scale, points.front().x, points.back().x);
    y_ = range_of(chart.y.scale, low->y, high->y);
    if (chart.x.scale == Axis::Scale::linear) x_.to = points.back().x;
  }

  std::string draw() {
    add("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", kWidth, kHeight,
        html_escaped(chart_.title));
    draw_axes();
    draw_line();
    out_ += "</svg>\n";
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  static double stretched(Axis::Scale scale, const Range& range, double value) {
    const double from = position(scale, range.from);
    return (position(scale, value) - from) / (position(scale, range.to) - from);
  }
  double x_of(double value) const {
    return kLeft + stretched(chart_.x.scale, x_, value) * (kWidth - kLeft - kRight);
  }
  double y_of(double value) const {
    return kHeight - kBottom - stretched(chart_.y.scale, y_, value) * (kHeight - kTop - kBottom);
  }

  void draw_axes() {
    const double bottom = kHeight - kBottom;
    for (const double tick : y_.ticks) {
      const double y = y_of(tick);
      add("<path class=\"grid\" d=\"M{} {:.1f}H{}\"/>"
          "<text class=\"axis\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
          kLeft, y, kWidth - kRight, kLeft - 8, y + 4, html_escaped(chart_.y.text(tick)));
    }
    for (const double tick : x_.ticks) {
      if (tick > x_.to) continue;
      const double x = x_of(tick);
      add("<path class=\"grid\" d=\"M{0:.1f} {1}v5\"/>"
          "<text class=\"axis\" x=\"{0:.1f}\" y=\"{2}\" text-anchor=\"middle\">{3}</text>\n",
          x, bottom, bottom + 19, html_escaped(chart_.x.text(tick)));
    }
    add("<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kWidth - kRight,
        kHeight - 8, html_escaped(chart_.x.name));
  }

  // The points are there for the pointer: each tells its values.
  void draw_line() {
    std::string path;
    std::string marks;
    for (const ChartPoint& point : chart_.points) {
      fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", path.empty() ? "M" : "L",
                     x_of(point.x), y_of(point.y));
      fmt::format_to(std::back_inserter(marks),
                     "<circle class=\"point\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6\"><title>{}: {}"
                     "</title></circle>\n",
                     x_of(point.x), y_of(point.y), html_escaped(chart_.x.text(point.x)),
                     html_escaped(chart_.y.text(point.y)));
    }
    add("<path class=\"line\" d=\"{}\"/>\n{}", path, marks);
  }

  const Chart& chart_;
  Range x_;
  Range y_;
  std::string out_;
};

}  // namespace

std::string as_svg(const Chart& chart) {
  return chart.points.size() < 2 ? "" : Drawing(chart).draw();
}

std::string html_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace ringcast::bench
