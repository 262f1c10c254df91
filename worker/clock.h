// The one clock: milliseconds of CLOCK_MONOTONIC. A worker reads it once per turn.
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

}  // namespace ringcast::worker
