#include "client/bench/report.h"

#include <fmt/format.h>

#include "client/bench/figures.h"

namespace ringcast::bench {
namespace {

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string pace_text(const FanoutOptions& options) {
  return options.rate_per_s > 0
             ? fmt::format("{:g} publications/s", options.rate_per_s)
             : fmt::format("{} in flight per publisher", counted(options.window, "publication"));
}

}  // namespace

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::ingest:
      return "ingest";
    case Mode::idle:
      return "idle";
    case Mode::connect:
      return "connect";
    case Mode::rpc:
      return "rpc";
    case Mode::fanout:
      break;
  }
  return "fanout";
}

std::string load_text(const FanoutOptions& options, const RunResult& result) {
  if (result.mode == Mode::idle || result.mode == Mode::connect) {
    return counted(result.connections, "connection");
  }
  if (result.mode == Mode::rpc) {
    return fmt::format("{}, {}{}, {} bytes, {}", counted(options.callers, "caller"),
                       counted(options.callees, "callee"),
                       options.callees_apart ? " in a process apart" : "", options.payload_bytes,
                       options.rate_per_s > 0
                           ? fmt::format("{:g} calls/s", options.rate_per_s)
                           : counted(options.window, "call") + " in flight per caller");
  }
  std::string text = counted(options.publishers, "publisher");
  text += ", " + counted(options.topics, "topic");
  if (result.mode == Mode::fanout) text += ", " + counted(options.subscribers, "subscriber");
  return fmt::format("{}, {} bytes, {}", text, options.payload_bytes, pace_text(options));
}

std::vector<std::string> notes(const RunResult& result) {
  std::vector<std::string> notes;
  const double own_share = ratio(static_cast<double>(result.own_cpu_ns) / 1e9, result.interval_s);
  if (result.interrupted) notes.emplace_back("interrupted; the figures cover what ran");
  if (result.stalled) {
    notes.emplace_back("stalled: deliveries were due and none came; they count as lost");
  }
  if (result.calls && result.calls->errors > 0) {
    notes.push_back(fmt::format("{} answered with an ERROR; the first: {}",
                                counted(result.calls->errors, "call"), result.calls->first_error));
  }
  if (result.counts.foreign > 0) {
    notes.emplace_back(
        "something else publishes to the same topics; run one ringcast-bench per realm at a time");
  }
  if (result.disconnects > 0) {
    notes.push_back(fmt::format("{} lost; {}", counted(result.disconnects, "connection"),
                                result.first_disconnect));
  }
  if (own_share > 0.95) {
    notes.emplace_back(
        "the generator used a whole core: the server may be faster than this; compare its CPU "
        "time");
  }
  return notes;
}

}  // namespace ringcast::bench
