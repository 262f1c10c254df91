// What a run found, whatever its mode: filled by the run, shown by report.h. What a mode does not
// measure is absent. Plain data; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/delivery_check.h"
#include "client/bench/histogram.h"

namespace ringcast::bench {

enum class Mode : std::uint8_t { fanout, ingest, idle, connect, rpc };

// Memory of the server's processes: their proportional share of what they map (PSS).
struct ServerMemory {
  std::uint64_t before_bytes = 0;     // before the first connection
  std::uint64_t connected_bytes = 0;  // with all connections made
  std::uint64_t peak_bytes = 0;       // the most that was seen
  std::uint64_t end_bytes = 0;        // at the end of the load, the connections still there

  double per_connection_bytes(std::size_t connections) const {
    return connections == 0
               ? 0
               : (static_cast<double>(connected_bytes) - static_cast<double>(before_bytes)) /
                     static_cast<double>(connections);
  }
};

// Mode connect: over the measured interval.
struct Connects {
  std::uint64_t count = 0;
};

// Mode rpc: over the measured interval, but for the errors, which are of the whole run.
struct Calls {
  std::uint64_t count = 0;   // answered with a result
  std::uint64_t errors = 0;  // answered with an ERROR
  std::string first_error;   // its URI
};

// --stalled: what became of the subscribers that stopped reading.
struct StalledReaders {
  std::uint64_t count = 0;
  std::uint64_t connected = 0;  // at the end
  std::uint64_t closed = 0;     // by the server, with a close frame
  std::string first_reason;     // code and reason of the first close frame
};

// One interval of the measured time.
struct TimelinePoint {
  double t_s = 0;  // its end, from the start of the measurement
  double deliveries_per_s = 0;
  double publications_per_s = 0;
  double connects_per_s = 0;
  std::optional<double> server_cores;  // CPU time per time
  std::optional<double> p99_us;        // absent where nothing arrived
};

struct RunResult {
  Mode mode = Mode::fanout;
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
  std::vector<TimelinePoint> timeline;
  std::optional<ServerMemory> server_memory;  // absent without --pid
  std::optional<Connects> connects;
  std::optional<Calls> calls;
  std::optional<StalledReaders> stalled_readers;
  // Over the whole run:
  CheckCounts counts;
  std::uint64_t checked = 0;  // deliveries, or answers
  std::uint64_t disconnects = 0;
  std::string first_disconnect;
  bool stalled = false;      // the run ended because nothing arrived any more
  bool interrupted = false;  // by a signal
};

}  // namespace ringcast::bench
