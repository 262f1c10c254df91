#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "client/bench/figures.h"
#include "client/bench/report.h"

namespace ringcast::bench {
namespace {

class Table {
 public:
  explicit Table(std::string title) : text_(std::move(title) + "\n") {}

  void line(std::string_view name, std::string_view text) {
    fmt::format_to(std::back_inserter(text_), "{:<15} {}\n", name, text);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// The CPU of one side, for each of what the mode counts.
std::string cpu_text(const RunResult& result, std::uint64_t ns) {
  std::string each;
  const auto per = [&](std::uint64_t count, std::string_view what) {
    if (count > 0)
      each = fmt::format("{:.3f} µs per {}, ", us(ns) / static_cast<double>(count), what);
  };
  if (result.mode == Mode::fanout) per(result.deliveries, "delivery");
  if (result.mode == Mode::rpc) per(result.deliveries, "call");
  if (result.mode == Mode::ingest) per(result.publications, "publication");
  if (result.mode == Mode::connect && result.connects) per(result.connects->count, "connect");
  return fmt::format("{}{:.0f} % of a core", each,
                     100 * ratio(static_cast<double>(ns) / 1e9, result.interval_s));
}

void add_throughput(Table& table, const FanoutOptions& options, const RunResult& result) {
  const double s = result.interval_s;
  const auto rate = [s](std::uint64_t count) { return ratio(static_cast<double>(count), s); };
  if (result.connects) {
    table.line("connects",
               fmt::format("{}/s ({} in {:.2f} s)", amount_text(rate(result.connects->count)),
                           result.connects->count, s));
  }
  if (result.calls) {
    table.line("calls", fmt::format("{}/s ({} in {:.2f} s)", amount_text(rate(result.calls->count)),
                                    result.calls->count, s));
  }
  if (result.mode == Mode::idle || result.mode == Mode::connect || result.mode == Mode::rpc) return;
  if (result.mode == Mode::fanout) {
    table.line("deliveries",
               fmt::format("{}/s ({} in {:.2f} s)", amount_text(rate(result.deliveries)),
                           result.deliveries, s));
  }
  table.line("publications", fmt::format("{}/s", amount_text(rate(result.publications))));
  const std::uint64_t moved = result.mode == Mode::fanout ? result.deliveries : result.publications;
  table.line("payload",
             bytes_text(rate(moved) * static_cast<double>(options.payload_bytes)) + "/s");
}

void add_latency(Table& table, const Histogram& h) {
  if (h.count() == 0) return;
  std::string text;
  for (const auto& [percent, name] : {std::pair{50.0, "p50"},
                                      {90.0, "p90"},
                                      {99.0, "p99"},
                                      {99.9, "p99.9"},
                                      {99.99, "p99.99"},
                                      {99.999, "p99.999"}}) {
    // A percentile that leaves less than one value above it is the maximum under another name.
    if ((100 - percent) / 100 * static_cast<double>(h.count()) < 1 - 1e-6) break;
    text += fmt::format("{} {}  ", name, duration_text(static_cast<double>(h.percentile(percent))));
  }
  table.line("latency", fmt::format("{}max {}", text, duration_text(static_cast<double>(h.max()))));
}

void add_memory(Table& table, const RunResult& result) {
  if (!result.server_memory) return;
  const ServerMemory& m = *result.server_memory;
  const auto text = [](std::uint64_t bytes) { return bytes_text(static_cast<double>(bytes)); };
  table.line("server memory",
             fmt::format("{} before, {} connected ({} per connection), {} at most, {} at the end",
                         text(m.before_bytes), text(m.connected_bytes),
                         bytes_text(m.per_connection_bytes(result.connections)), text(m.peak_bytes),
                         text(m.end_bytes)));
}

void add_checks(Table& table, const RunResult& result) {
  const bool due = result.mode == Mode::fanout || result.mode == Mode::rpc;
  if (!due && result.counts.all_zero()) return;
  const CheckCounts& c = result.counts;
  table.line("checks",
             fmt::format("{} {}: lost {}, duplicate {}, out of order {}, "
                         "misdelivered {}, corrupt {}, foreign {}: {}",
                         result.checked, result.mode == Mode::rpc ? "answers" : "deliveries",
                         c.lost, c.duplicate, c.out_of_order, c.misdelivered, c.corrupt, c.foreign,
                         c.all_zero() ? "passed" : "FAILED"));
}

}  // namespace

std::string as_table(const FanoutOptions& options, const RunResult& result) {
  Table table(fmt::format("{}, {}: {}", name_of(result.mode), protocol_name(options.protocol),
                          load_text(options, result)));
  if (result.mode != Mode::connect) {
    table.line("connections",
               fmt::format("{} in {:.2f} s, {:.0f}/s, TCP {}", result.connections, result.setup_s,
                           ratio(static_cast<double>(result.connections), result.setup_s),
                           result.congestion));
  }
  add_throughput(table, options, result);
  add_latency(table, result.latency);
  if (result.server_cpu_ns) {
    table.line("server CPU",
               fmt::format("{}, {} processes", cpu_text(result, *result.server_cpu_ns),
                           result.server_processes));
  }
  table.line("generator CPU", cpu_text(result, result.own_cpu_ns));
  add_memory(table, result);
  if (result.stalled_readers) {
    const StalledReaders& s = *result.stalled_readers;
    table.line("stalled readers",
               fmt::format("{}: {} still connected, {} closed by the server, {} lost{}{}", s.count,
                           s.connected, s.closed, s.count - s.connected - s.closed,
                           s.first_reason.empty() ? "" : "; first reason: ", s.first_reason));
  }
  add_checks(table, result);
  for (const std::string& note : notes(result)) table.line("note", note);
  return table.take();
}

}  // namespace ringcast::bench
