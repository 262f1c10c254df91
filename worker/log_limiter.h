// Lines of a log that a client could cause without end: one in ten seconds, which says how many
// there would have been. One owner, one thread.
#pragma once

#include <cstdint>
#include <optional>

#include "worker/clock.h"

namespace ringcast::worker {

class LogLimiter {
 public:
  static constexpr TimeMs kIntervalMs = 10'000;

  // How many lines were left out before this one; nothing if this one is to be left out too.
  std::optional<std::uint64_t> admit(TimeMs now) {
    if (now < next_) {
      ++left_out_;
      return std::nullopt;
    }
    next_ = now + kIntervalMs;
    const std::uint64_t left_out = left_out_;
    left_out_ = 0;
    return left_out;
  }

 private:
  TimeMs next_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace ringcast::worker
