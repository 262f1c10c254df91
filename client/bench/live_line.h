// The line on a terminal that says how a run is doing: once a second, what the last one brought.
// Stateless; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "client/bench/result.h"

namespace ringcast::bench {

// What has been counted since the run began.
struct Totals {
  std::uint64_t deliveries = 0;
  std::uint64_t publications = 0;
  std::uint64_t connects = 0;
  std::uint64_t in_flight = 0;  // publications that are not with all their subscribers; at present
  std::uint64_t errors = 0;     // checks that failed, connections that were lost
};

struct LiveLine {
  Mode mode = Mode::fanout;
  double t_s = 0;  // since the load began
  bool measuring = false;
  // In the last second:
  double deliveries_per_s = 0;
  double publications_per_s = 0;
  double connects_per_s = 0;
  std::optional<double> server_cores;
  std::optional<double> p99_us;
  Totals totals;
};

// Without an end of line; no wider than `columns`.
std::string as_text(const LiveLine& line, std::size_t columns);

}  // namespace ringcast::bench
