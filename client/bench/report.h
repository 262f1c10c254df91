// What a run found, and how it is shown: a table for people, one JSON object for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/bench/delivery_check.h"
#include "client/bench/fanout_options.h"
#include "client/bench/histogram.h"

namespace ringcast::bench {

struct FanoutResult {
  std::size_t connections = 0;
  double setup_s = 0;
  std::string congestion;  // TCP_CONGESTION that our sockets had
  // Over the measured interval:
  double interval_s = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t publications = 0;
  std::optional<std::uint64_t> server_cpu_ns;  // absent without --pid
  std::size_t server_processes = 0;
  std::uint64_t own_cpu_ns = 0;
  Histogram latency;
  // Over the whole run:
  CheckCounts counts;
  std::uint64_t checked = 0;  // deliveries
  std::uint64_t disconnects = 0;
  std::string first_disconnect;
  bool stalled = false;      // the run ended because nothing arrived any more
  bool interrupted = false;  // by a signal
};

std::string as_table(const FanoutOptions& options, const FanoutResult& result);
std::string as_json(const FanoutOptions& options, const FanoutResult& result);

}  // namespace ringcast::bench
