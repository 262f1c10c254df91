// CPU time of processes: of the server under test with all its descendants, and of this program.
// Reads /proc; any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringcast::bench {

struct CpuSample {
  std::uint64_t ns = 0;
  std::size_t processes = 0;  // 0: there is no such process, or /proc does not tell
};

// User and system time so far of every thread of these processes and all their descendants.
CpuSample cpu_of_process_tree(const std::vector<pid_t>& roots);

std::uint64_t own_cpu_ns();

}  // namespace ringcast::bench
