#include "client/bench/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

namespace ringcast::bench {
namespace {

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::msgpack:
      return "msgpack";
    case Protocol::json:
      return "json";
    case Protocol::raw:
      break;
  }
  return "raw";
}

double us(std::uint64_t ns) { return static_cast<double>(ns) / 1e3; }

double ratio(double value, double by) { return by > 0 ? value / by : 0; }

// 950 µs, 1.25 ms, 2.1 s: three digits and the unit that suits.
std::string duration(std::uint64_t ns) {
  const double value = static_cast<double>(ns);
  if (value < 1e6) return fmt::format("{:.3g} µs", value / 1e3);
  if (value < 1e9) return fmt::format("{:.3g} ms", value / 1e6);
  return fmt::format("{:.3g} s", value / 1e9);
}

// 1.25 M, 310 k, 42.
std::string amount(double value) {
  if (value >= 1e9) return fmt::format("{:.2f} G", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.2f} M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.1f} k", value / 1e3);
  return fmt::format("{:.0f} ", value);
}

std::string pace(const FanoutOptions& options) {
  return options.rate_per_s > 0 ? fmt::format("{:g} publications/s", options.rate_per_s)
                                : fmt::format("window {}", options.window);
}

// The CPU of one side, per delivery or, where there are none, per publication.
std::string cpu(const RunResult& result, std::uint64_t ns) {
  const bool by_delivery = result.deliveries > 0;
  const auto units = static_cast<double>(by_delivery ? result.deliveries : result.publications);
  return fmt::format("{:.3f} µs per {}, {:.0f} % of a core", ratio(us(ns), units),
                     by_delivery ? "delivery" : "publication",
                     100 * ratio(static_cast<double>(ns) / 1e9, result.interval_s));
}

nlohmann::ordered_json cpu_json(const RunResult& result, std::uint64_t ns) {
  return {{"us_per_delivery", ratio(us(ns), static_cast<double>(result.deliveries))},
          {"us_per_publication", ratio(us(ns), static_cast<double>(result.publications))},
          {"cores", ratio(static_cast<double>(ns) / 1e9, result.interval_s)}};
}

void append_notes(std::string& out, const RunResult& result) {
  const double own_share = ratio(static_cast<double>(result.own_cpu_ns) / 1e9, result.interval_s);
  if (result.interrupted) out += "note: interrupted; the figures cover what ran\n";
  if (result.stalled)
    out += "note: stalled: deliveries were due and none came; they count as lost\n";
  if (result.counts.foreign > 0) {
    out +=
        "note: something else publishes to the same topics; run one ringcast-bench per realm at a "
        "time\n";
  }
  if (result.disconnects > 0) {
    fmt::format_to(std::back_inserter(out), "note: {} connections were lost; {}\n",
                   result.disconnects, result.first_disconnect);
  }
  if (own_share > 0.95) {
    out +=
        "note: the generator used a whole core: the server may be faster than this; compare its "
        "CPU per "
        "delivery\n";
  }
}

}  // namespace

std::string as_table(const FanoutOptions& options, const RunResult& result) {
  std::string out;
  const auto line = [&out](std::string_view name, std::string_view text) {
    fmt::format_to(std::back_inserter(out), "{:<15} {}\n", name, text);
  };
  const double s = result.interval_s;
  fmt::format_to(std::back_inserter(out),
                 "fan-out, {}: {} publishers, {} topics, {} subscribers, {} bytes, {}\n",
                 name_of(options.protocol), options.publishers, options.topics, options.subscribers,
                 options.payload_bytes, pace(options));
  line("connections",
       fmt::format("{} in {:.2f} s, {:.0f}/s, TCP {}", result.connections, result.setup_s,
                   ratio(static_cast<double>(result.connections), result.setup_s),
                   result.congestion));
  const auto deliveries = static_cast<double>(result.deliveries);
  const auto publications = static_cast<double>(result.publications);
  line("deliveries",
       fmt::format("{}/s ({} in {:.2f} s)", amount(ratio(deliveries, s)), result.deliveries, s));
  line("publications", fmt::format("{}/s", amount(ratio(publications, s))));
  line("payload", fmt::format("{}B/s", amount(ratio(deliveries, s) *
                                              static_cast<double>(options.payload_bytes))));
  if (result.latency.count() > 0) {
    const Histogram& h = result.latency;
    line("latency",
         fmt::format("p50 {}  p90 {}  p99 {}  p99.9 {}  max {}", duration(h.percentile(50)),
                     duration(h.percentile(90)), duration(h.percentile(99)),
                     duration(h.percentile(99.9)), duration(h.max())));
  }
  if (result.server_cpu_ns) {
    line("server CPU", fmt::format("{}, {} processes", cpu(result, *result.server_cpu_ns),
                                   result.server_processes));
  }
  line("generator CPU", cpu(result, result.own_cpu_ns));
  const CheckCounts& c = result.counts;
  line("checks",
       fmt::format(
           "{} deliveries: lost {}, duplicate {}, out of order {}, misdelivered {}, corrupt {}, "
           "foreign {}: {}",
           result.checked, c.lost, c.duplicate, c.out_of_order, c.misdelivered, c.corrupt,
           c.foreign, c.all_zero() ? "passed" : "FAILED"));
  append_notes(out, result);
  return out;
}

std::string as_json(const FanoutOptions& options, const RunResult& result) {
  nlohmann::ordered_json json;
  json["program"] = "ringcast-bench";
  json["version"] = RINGCAST_VERSION;
  json["mode"] = "fanout";
  json["config"] = {{"protocol", name_of(options.protocol)},
                    {"subscribers", options.subscribers},
                    {"publishers", options.publishers},
                    {"topics", options.topics},
                    {"payload_bytes", options.payload_bytes},
                    {"window", options.rate_per_s > 0 ? 0 : options.window},
                    {"rate_per_s", options.rate_per_s},
                    {"duration_s", options.duration_s},
                    {"warmup_s", options.warmup_s},
                    {"tcp_congestion", result.congestion}};
  json["setup"] = {{"connections", result.connections}, {"seconds", result.setup_s}};
  json["interval_s"] = result.interval_s;
  json["deliveries"] = result.deliveries;
  json["deliveries_per_s"] = ratio(static_cast<double>(result.deliveries), result.interval_s);
  json["publications"] = result.publications;
  json["publications_per_s"] = ratio(static_cast<double>(result.publications), result.interval_s);
  const Histogram& h = result.latency;
  json["latency_us"] = {{"count", h.count()},          {"mean", h.mean() / 1e3},
                        {"p50", us(h.percentile(50))}, {"p90", us(h.percentile(90))},
                        {"p99", us(h.percentile(99))}, {"p99.9", us(h.percentile(99.9))},
                        {"max", us(h.max())}};
  if (result.server_cpu_ns) {
    json["server_cpu"] = cpu_json(result, *result.server_cpu_ns);
    json["server_cpu"]["processes"] = result.server_processes;
  } else {
    json["server_cpu"] = nullptr;
  }
  json["generator_cpu"] = cpu_json(result, result.own_cpu_ns);
  const CheckCounts& c = result.counts;
  json["checks"] = {{"passed", c.all_zero()},
                    {"deliveries", result.checked},
                    {"lost", c.lost},
                    {"duplicate", c.duplicate},
                    {"out_of_order", c.out_of_order},
                    {"misdelivered", c.misdelivered},
                    {"corrupt", c.corrupt},
                    {"foreign", c.foreign}};
  json["disconnects"] = result.disconnects;
  json["stalled"] = result.stalled;
  json["interrupted"] = result.interrupted;
  return json.dump(2) + "\n";
}

}  // namespace ringcast::bench
