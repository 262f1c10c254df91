#include "client/bench/svg_chart.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

namespace ringcast::bench {
namespace {

std::string plain(double value) { return fmt::format("{:.6g}", value); }

Chart chart(Axis::Scale x, Axis::Scale y, std::vector<ChartPoint> points) {
  return {"a & b", {x, "x <name>", plain}, {y, "y", plain}, std::move(points)};
}

// What is written on the axes: all text between <text …> and </text>.
std::vector<std::string> labels(const std::string& svg) {
  const std::regex text("<text[^>]*>([^<]*)</text>");
  std::vector<std::string> found;
  for (auto at = std::sregex_iterator(svg.begin(), svg.end(), text); at != std::sregex_iterator();
       ++at) {
    found.push_back((*at)[1]);
  }
  return found;
}

// Where the points lie, in pixels.
std::vector<ChartPoint> drawn(const std::string& svg) {
  const std::regex circle("cx=\"([^\"]*)\" cy=\"([^\"]*)\"");
  std::vector<ChartPoint> found;
  for (auto at = std::sregex_iterator(svg.begin(), svg.end(), circle); at != std::sregex_iterator();
       ++at) {
    found.push_back({std::stod((*at)[1]), std::stod((*at)[2])});
  }
  return found;
}

using Scale = Axis::Scale;

TEST(SvgChart, DrawsNoLineThroughOnePoint) {
  EXPECT_EQ(as_svg(chart(Scale::linear, Scale::linear, {})), "");
  EXPECT_EQ(as_svg(chart(Scale::linear, Scale::linear, {{1, 1}})), "");
}

TEST(SvgChart, EscapesWhatIsNotItsOwn) {
  const std::string svg = as_svg(chart(Scale::linear, Scale::linear, {{0, 1}, {1, 2}}));
  EXPECT_NE(svg.find("aria-label=\"a &amp; b\""), std::string::npos);
  EXPECT_NE(svg.find("x &lt;name&gt;"), std::string::npos);
  EXPECT_EQ(html_escaped("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
}

TEST(SvgChart, LinearAxesBeginAtZeroAndHaveRoundTicks) {
  EXPECT_EQ(labels(as_svg(chart(Scale::linear, Scale::linear, {{1, 930}, {10, 1700}}))),
            (std::vector<std::string>{"0", "500", "1000", "1500", "2000", "0", "2", "4", "6", "8",
                                      "10", "x &lt;name&gt;"}));
}

TEST(SvgChart, AnIdleServersZerosAreALineToo) {
  const std::string svg = as_svg(chart(Scale::linear, Scale::linear, {{1, 0}, {2, 0}, {3, 0}}));
  ASSERT_EQ(drawn(svg).size(), 3u);
  EXPECT_EQ(drawn(svg)[0].y, drawn(svg)[2].y);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(SvgChart, LogAxesHoldAllValuesBetweenTheirTicks) {
  for (const auto& [least, most] : std::vector<std::pair<double, double>>{
           {58, 61}, {10, 10}, {1, 1e6}, {20, 5000}, {0.5, 5}, {99.9, 100}, {1000, 1001}}) {
    const std::string svg = as_svg(chart(Scale::linear, Scale::log, {{1, least}, {2, most}}));
    for (const ChartPoint& point : drawn(svg)) {
      EXPECT_GE(point.y, 0) << least << " to " << most;
      EXPECT_LE(point.y, 280) << least << " to " << most;
    }
    const std::vector<std::string> ticks = labels(svg);
    EXPECT_LE(std::stod(ticks.front()), least);
    EXPECT_GE(labels(svg).size(), 5u);  // two on each axis and a name
    EXPECT_EQ(svg.find("nan"), std::string::npos);
  }
}

TEST(SvgChart, EachNineOfAPercentileIsAsWideAsTheOneBefore) {
  const std::string svg = as_svg(
      chart(Scale::percentile, Scale::linear, {{0, 1}, {90, 2}, {99, 3}, {99.9, 4}, {99.99, 5}}));
  const std::vector<ChartPoint> points = drawn(svg);
  ASSERT_EQ(points.size(), 5u);
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    EXPECT_NEAR(points[i + 1].x - points[i].x, points[1].x - points[0].x, 0.2);
  }
  for (const char* tick : {"50", "90", "99", "99.9"}) {
    const std::vector<std::string> all = labels(svg);
    EXPECT_NE(std::find(all.begin(), all.end(), tick), all.end()) << tick;
  }
}

}  // namespace
}  // namespace ringcast::bench
