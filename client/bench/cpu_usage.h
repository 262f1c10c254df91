// CPU time of processes: of the server under test with all its descendants, and of this program.
// Reads /proc; any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringcast::bench {

// These processes and all their descendants. Walks all of /proc: a millisecond or so.
std::vector<pid_t> process_tree(const std::vector<pid_t>& roots);

struct CpuSample {
  std::uint64_t ns = 0;
  std::size_t processes = 0;  // that live
};

// User and system time so far of these processes, all their threads included, also those that have
// ended. Less than a microsecond each.
CpuSample cpu_of(const std::vector<pid_t>& processes);

std::uint64_t own_cpu_ns();

}  // namespace ringcast::bench
