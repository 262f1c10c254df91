// The time of day, for what clients are shown only. What is measured goes by worker/clock.h. Any
// thread.
#pragma once

#include <cstdint>
#include <ctime>

namespace ringcast::worker {

// Seconds since 1970. Ends in 2106.
inline std::uint32_t wall_clock_s() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint32_t>(now.tv_sec);
}

// Milliseconds since 1970.
inline std::int64_t wall_clock_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace ringcast::worker
