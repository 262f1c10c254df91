// The one clock of the checks: milliseconds that never go back.
#pragma once

#include <chrono>
#include <cstdint>

namespace ringcast::stress {

inline std::int64_t now_ms() {
  using std::chrono::steady_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace ringcast::stress
