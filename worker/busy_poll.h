// Whether a worker that has run out of work looks for more for a moment before it sleeps
// (--busy-poll). Owned by one worker thread.
//
// To be woken costs some ten microseconds, and more where the core has gone into a deeper state; to
// look costs the core. Looking pays if work comes within the moment, so the latest idle times
// decide: they are known whether the worker slept through them or not.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ringcast::worker {

// Tells the core that it is in a loop that waits for memory to change.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class BusyPoll {
 public:
  // How long to look at most; 0: never.
  explicit BusyPoll(std::int64_t budget_ns) : budget_ns_(budget_ns) {}

  bool enabled() const { return budget_ns_ > 0; }
  std::int64_t budget_ns() const { return budget_ns_; }

  // Whether looking has paid lately, or would have.
  bool worthwhile() const { return credit_ > 0; }

  // There is work again, after so long.
  void idle_ended(std::int64_t idle_ns) {
    if (idle_ns <= budget_ns_) {
      credit_ = std::min(credit_ + kGain, kCreditMax);
    } else {
      credit_ = std::max(credit_ - 1, 0);
    }
  }

 private:
  // One time in three within the budget keeps it up; a worker without work gives up after sixteen.
  static constexpr int kGain = 2;
  static constexpr int kCreditMax = 16;

  std::int64_t budget_ns_;
  int credit_ = 0;
};

}  // namespace ringcast::worker
