// What the counting library (steady_state_counter.cpp) has counted in one process of the broker: a
// file that both have mapped. Written by the process, read by the check; `armed` the other way
// round.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace ringcast::stress {

// The directory for these files, in the environment of the broker; a file is named by its process.
inline constexpr const char* kCountsDirectory = "RINGCAST_STEADY_STATE_COUNTS";

struct SteadyStateCounts {
  std::atomic<std::uint64_t> allocations;  // malloc and its kin, and so operator new
  std::atomic<std::uint64_t> locks;        // mutexes, read-write locks, conditions, semaphores
  std::atomic<std::uint32_t> armed;        // while set, the first calls are written down with
  std::atomic<std::uint32_t> traced;       // who made them
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

inline std::string counts_file(const std::string& directory, std::int64_t pid) {
  return directory + "/" + std::to_string(pid);
}
inline std::string trace_file(const std::string& directory, std::int64_t pid) {
  return counts_file(directory, pid) + ".calls";
}

}  // namespace ringcast::stress
