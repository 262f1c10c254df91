// A worker process: the same binary, started by the supervisor with the shared segment, the
// eventfds and its control sockets inherited. It runs its worker threads and ends when they do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/config.h"

namespace ringcast::broker {

// What a worker process inherits, told by one environment variable.
struct WorkerProcessChannels {
  std::uint32_t process = 0;
  int segment_fd = -1;
  int config_fd = -1;                // see broker/config_source.h; -1: no configuration file
  std::vector<int> wake_fds;         // of every worker of the node
  std::vector<int> control_sockets;  // of this process's threads

  static constexpr const char* kVariable = "RINGCAST_WORKER_PROCESS";
  std::string to_text() const;
  // Nothing if the variable is absent: then this is the supervisor.
  static std::optional<WorkerProcessChannels> from_environment();
};

// Returns the exit code.
int run_worker_process(const Config& config, const WorkerProcessChannels& channels);

}  // namespace ringcast::broker
