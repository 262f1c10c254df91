#include <nlohmann/json.hpp>

#include "client/bench/figures.h"
#include "client/bench/report.h"

namespace ringcast::bench {
namespace {

using Json = nlohmann::ordered_json;

Json config_json(const FanoutOptions& options, const RunResult& result) {
  if (result.mode == Mode::rpc) {
    return {{"protocol", protocol_name(options.protocol)},
            {"callers", options.callers},
            {"callees", options.callees},
            {"callees_apart", options.callees_apart},
            {"payload_bytes", options.payload_bytes},
            {"window", options.rate_per_s > 0 ? 0 : options.window},
            {"rate_per_s", options.rate_per_s},
            {"duration_s", options.duration_s},
            {"warmup_s", options.warmup_s},
            {"spin", options.spin},
            {"tcp_congestion", result.congestion}};
  }
  return {{"protocol", protocol_name(options.protocol)},
          {"subscribers", options.subscribers},
          {"publishers", options.publishers},
          {"topics", options.topics},
          {"payload_bytes", options.payload_bytes},
          {"window", options.rate_per_s > 0 ? 0 : options.window},
          {"rate_per_s", options.rate_per_s},
          {"duration_s", options.duration_s},
          {"warmup_s", options.warmup_s},
          {"spin", options.spin},
          {"tcp_congestion", result.congestion}};
}

Json latency_json(const Histogram& h) {
  return {{"count", h.count()},
          {"mean", h.mean() / 1e3},
          {"p50", us(h.percentile(50))},
          {"p90", us(h.percentile(90))},
          {"p99", us(h.percentile(99))},
          {"p99.9", us(h.percentile(99.9))},
          {"p99.99", us(h.percentile(99.99))},
          {"p99.999", us(h.percentile(99.999))},
          {"max", us(h.max())}};
}

Json percentiles_json(const Histogram& h) {
  Json rows = Json::array();
  for (const Histogram::Row& row : h.rows()) {
    const double above = 1 - row.percent / 100;
    rows.push_back({{"value_us", us(row.value)},
                    {"percentile", row.percent / 100},
                    {"count", row.count},
                    {"inverse", above > 0 ? Json(1 / above) : Json(nullptr)}});
  }
  return rows;
}

Json cpu_json(const RunResult& result, std::uint64_t ns) {
  return {{"us_per_delivery", ratio(us(ns), static_cast<double>(result.deliveries))},
          {"us_per_publication", ratio(us(ns), static_cast<double>(result.publications))},
          {"cores", ratio(static_cast<double>(ns) / 1e9, result.interval_s)}};
}

Json server_cpu_json(const RunResult& result) {
  if (!result.server_cpu_ns) return nullptr;
  Json cpu = cpu_json(result, *result.server_cpu_ns);
  cpu["processes"] = result.server_processes;
  return cpu;
}

Json memory_json(const RunResult& result) {
  const ServerMemory& m = *result.server_memory;
  return {{"before_bytes", m.before_bytes},
          {"connected_bytes", m.connected_bytes},
          {"peak_bytes", m.peak_bytes},
          {"end_bytes", m.end_bytes},
          {"per_connection_bytes", m.per_connection_bytes(result.connections)}};
}

Json connects_json(const RunResult& result) {
  const auto count = static_cast<double>(result.connects->count);
  Json connects = {{"count", result.connects->count},
                   {"per_s", ratio(count, result.interval_s)},
                   {"server_us_per_connect", nullptr}};
  if (result.server_cpu_ns) {
    connects["server_us_per_connect"] = ratio(us(*result.server_cpu_ns), count);
  }
  return connects;
}

Json calls_json(const RunResult& result) {
  const auto count = static_cast<double>(result.calls->count);
  Json calls = {{"count", result.calls->count},
                {"per_s", ratio(count, result.interval_s)},
                {"server_us_per_call", nullptr},
                {"errors", result.calls->errors},
                {"first_error", result.calls->first_error}};
  if (result.server_cpu_ns) calls["server_us_per_call"] = ratio(us(*result.server_cpu_ns), count);
  return calls;
}

Json checks_json(const RunResult& result) {
  const CheckCounts& c = result.counts;
  return {{"passed", c.all_zero()},
          {"deliveries", result.checked},
          {"lost", c.lost},
          {"duplicate", c.duplicate},
          {"out_of_order", c.out_of_order},
          {"misdelivered", c.misdelivered},
          {"corrupt", c.corrupt},
          {"foreign", c.foreign}};
}

Json timeline_json(const RunResult& result) {
  const auto or_null = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  Json timeline = Json::array();
  for (const TimelinePoint& point : result.timeline) {
    Json entry = {{"t_s", point.t_s},
                  {"deliveries_per_s", point.deliveries_per_s},
                  {"publications_per_s", point.publications_per_s},
                  {"server_cpu", or_null(point.server_cores)},
                  {"p99_us", or_null(point.p99_us)}};
    if (result.connects) entry["connects_per_s"] = point.connects_per_s;
    timeline.push_back(std::move(entry));
  }
  return timeline;
}

}  // namespace

std::string as_json(const FanoutOptions& options, const RunResult& result, bool all_percentiles) {
  Json json;
  json["program"] = "ringcast-bench";
  json["version"] = RINGCAST_VERSION;
  json["mode"] = name_of(result.mode);
  json["config"] = config_json(options, result);
  json["setup"] = {{"connections", result.connections}, {"seconds", result.setup_s}};
  json["interval_s"] = result.interval_s;
  json["deliveries"] = result.deliveries;
  json["deliveries_per_s"] = ratio(static_cast<double>(result.deliveries), result.interval_s);
  json["publications"] = result.publications;
  json["publications_per_s"] = ratio(static_cast<double>(result.publications), result.interval_s);
  if (result.connects) json["connects"] = connects_json(result);
  if (result.calls) json["calls"] = calls_json(result);
  json["latency_us"] = latency_json(result.latency);
  if (all_percentiles) json["percentiles"] = percentiles_json(result.latency);
  json["server_cpu"] = server_cpu_json(result);
  json["generator_cpu"] = cpu_json(result, result.own_cpu_ns);
  if (result.server_memory) json["server_memory"] = memory_json(result);
  if (result.stalled_readers) {
    const StalledReaders& s = *result.stalled_readers;
    json["stalled_readers"] = {{"count", s.count},
                               {"connected", s.connected},
                               {"closed", s.closed},
                               {"first_reason", s.first_reason}};
  }
  json["timeline"] = timeline_json(result);
  json["checks"] = checks_json(result);
  json["disconnects"] = result.disconnects;
  json["stalled"] = result.stalled;
  json["interrupted"] = result.interrupted;
  return json.dump(2) + "\n";
}

}  // namespace ringcast::bench
