// The one clock: CLOCK_MONOTONIC. A worker reads its milliseconds once per turn, its nanoseconds
// only to time how long it is idle.
#pragma once

#include <cstdint>
#include <ctime>

namespace ringcast::worker {

using TimeMs = std::uint64_t;

inline TimeMs now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<TimeMs>(now.tv_sec) * 1000 + static_cast<TimeMs>(now.tv_nsec) / 1'000'000;
}

inline std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace ringcast::worker
