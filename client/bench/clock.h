// The one clock of the load generator: CLOCK_MONOTONIC in nanoseconds, the same for all processes.
#pragma once

#include <time.h>

#include <cstdint>

namespace ringcast::bench {

inline std::int64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

inline std::int64_t ns_of(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

}  // namespace ringcast::bench
