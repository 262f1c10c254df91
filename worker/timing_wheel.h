// One deadline per connection slot: a hashed timing wheel with intrusive lists, so that moving a
// deadline costs a few stores. Owned by one worker thread.
//
// A deadline further away than one round of the wheel stays in its bucket and is passed over until
// its round has come. Deadlines fire at the first expire() after their tick has passed, never
// early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "worker/clock.h"

namespace ringcast::worker {

class TimingWheel {
 public:
  static constexpr TimeMs kTickMs = 64;
  static constexpr std::size_t kBuckets = 1024;  // a round is 65 s

  TimingWheel(std::uint32_t items, TimeMs now);

  // Sets or moves the item's only deadline.
  void schedule(std::uint32_t item, TimeMs deadline);
  void cancel(std::uint32_t item);
  bool scheduled(std::uint32_t item) const { return nodes_[item].bucket != kNone; }

  // Takes out every item that is due at `now` and appends it to `due`.
  void expire(TimeMs now, std::vector<std::uint32_t>& due);

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Node {
    TimeMs deadline = 0;
    std::uint32_t next = kNone;
    std::uint32_t previous = kNone;
    std::uint32_t bucket = kNone;
  };

  void take_due(std::uint32_t bucket, TimeMs now, std::vector<std::uint32_t>& due);

  std::vector<Node> nodes_;
  std::vector<std::uint32_t> heads_;
  TimeMs ticks_done_;  // every tick up to and including this one has been expired
};

}  // namespace ringcast::worker
