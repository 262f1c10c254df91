#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "client/bench/figures.h"
#include "client/bench/report.h"
#include "client/bench/svg_chart.h"

namespace ringcast::bench {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>ringcast-bench</title>
<style>
:root { --ground: #fcfcfb; --ink: #1b1d22; --faint: #666b75; --rule: #e2e3e6; --line: #2563c9; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #17191d; --ink: #e8e9ec; --faint: #9aa0ab; --rule: #32363e; --line: #79a8f5; }
}
body { margin: 2rem auto; max-width: 84rem; padding: 0 1.5rem; background: var(--ground);
       color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.3rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .3rem; }
p { color: var(--faint); margin: .2rem 0 1.5rem; }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 2rem; }
section { min-width: 0; }
svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--rule); fill: none; }
.axis { fill: var(--faint); font-size: 12px; font-variant-numeric: tabular-nums; }
.line { stroke: var(--line); stroke-width: 2; stroke-linejoin: round; fill: none; }
.point { fill: var(--line); opacity: 0; }
.point:hover { opacity: 1; }
pre { overflow-x: auto; padding: 1rem 0; margin: 2rem 0 0; border-top: 1px solid var(--rule);
      font: 13px/1.5 ui-monospace, monospace; }
</style>
)";

std::string seconds_text(double s) { return fmt::format("{:g} s", std::round(s * 100) / 100); }
std::string us_text(double value) { return duration_text(value * 1e3); }
std::string percent_text(double value) { return fmt::format("{:.6g} %", value); }
std::string cores_text(double cores) { return fmt::format("{:.0f} %", cores * 100); }

Chart latency_chart(const Histogram& latency) {
  Chart chart;
  chart.title = "Latency by percentile";
  chart.x = {Axis::Scale::percentile, "percentile", percent_text};
  chart.y = {Axis::Scale::log, "latency", us_text};
  // The last value lies where one of all values lies above: at 100 % the scale has no end.
  const double last = 100 - 100 / static_cast<double>(std::max<std::uint64_t>(2, latency.count()));
  for (const Histogram::Row& row : latency.rows()) {
    chart.points.push_back({std::min(row.percent, last), std::max(1e-3, us(row.value))});
  }
  return chart;
}

Chart time_chart(std::string title, std::string (*text)(double)) {
  Chart chart;
  chart.title = std::move(title);
  chart.x = {Axis::Scale::linear, "time measured", seconds_text};
  chart.y = {Axis::Scale::linear, "", text};
  return chart;
}

Chart throughput_chart(const RunResult& result) {
  const bool ingest = result.mode == Mode::ingest;
  const bool connect = result.mode == Mode::connect;
  Chart chart = time_chart(connect  ? "Connects per second"
                           : ingest ? "Publications per second"
                                    : "Deliveries per second",
                           amount_text);
  for (const TimelinePoint& point : result.timeline) {
    chart.points.push_back({point.t_s, connect  ? point.connects_per_s
                                       : ingest ? point.publications_per_s
                                                : point.deliveries_per_s});
  }
  return chart;
}

Chart server_cpu_chart(const RunResult& result) {
  Chart chart = time_chart("Server CPU, per cent of a core", cores_text);
  for (const TimelinePoint& point : result.timeline) {
    if (point.server_cores) chart.points.push_back({point.t_s, *point.server_cores});
  }
  return chart;
}

Chart p99_chart(const RunResult& result) {
  Chart chart = time_chart("p99 latency over time", us_text);
  for (const TimelinePoint& point : result.timeline) {
    if (point.p99_us) chart.points.push_back({point.t_s, *point.p99_us});
  }
  return chart;
}

}  // namespace

std::string as_plot(const FanoutOptions& options, const RunResult& result) {
  std::string page(kHead);
  page +=
      fmt::format("<h1>ringcast-bench {}, {}</h1>\n<p>{} · {}</p>\n<main>\n", name_of(result.mode),
                  protocol_name(options.protocol), html_escaped(load_text(options, result)),
                  html_escaped(options.url.authority()));
  std::vector<Chart> charts;
  if (result.mode != Mode::idle) {
    charts = {latency_chart(result.latency), throughput_chart(result), p99_chart(result)};
  }
  charts.push_back(server_cpu_chart(result));
  for (const Chart& chart : charts) {
    const std::string svg = as_svg(chart);
    if (svg.empty()) continue;
    page += fmt::format("<section><h2>{}</h2>\n{}</section>\n", html_escaped(chart.title), svg);
  }
  page += fmt::format("</main>\n<pre>{}</pre>\n</html>\n", html_escaped(as_table(options, result)));
  return page;
}

}  // namespace ringcast::bench
