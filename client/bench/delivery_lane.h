// How far the subscribers of one lane are. A lane is what one publisher sends to one topic,
// numbered from 0. In window mode a broadcast is done when the slowest subscriber has it; counting
// how many stand at each number finds that without a count for each broadcast. One thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace ringcast::bench {

// Nobody is waited for.
inline constexpr std::uint64_t kNobodyWaits = std::numeric_limits<std::uint64_t>::max();

class DeliveryLane {
 public:
  // No two of `readers` are ever more than `spread_max` apart.
  DeliveryLane(std::uint32_t readers, std::uint64_t spread_max)
      : standing_(std::bit_ceil(spread_max + 1), 0),
        mask_(standing_.size() - 1),
        readers_(readers),
        slowest_(readers == 0 ? kNobodyWaits : 0) {
    standing_[0] = readers;
  }

  // One reader has everything below `to` now. True if slowest() has changed.
  bool advance(std::uint64_t from, std::uint64_t to) {
    ++standing_[to & mask_];
    return --standing_[from & mask_] == 0 && from == slowest_ && catch_up();
  }
  // The same for one that is gone.
  bool leave(std::uint64_t from) {
    --standing_[from & mask_];
    if (--readers_ == 0) {
      slowest_ = kNobodyWaits;
      return true;
    }
    return standing_[from & mask_] == 0 && from == slowest_ && catch_up();
  }

  // All readers have what is below.
  std::uint64_t slowest() const { return slowest_; }

 private:
  bool catch_up() {
    while (standing_[slowest_ & mask_] == 0) ++slowest_;
    return true;
  }

  std::vector<std::uint32_t> standing_;  // readers, by the next number they wait for
  std::uint64_t mask_;
  std::uint32_t readers_;
  std::uint64_t slowest_;
};

}  // namespace ringcast::bench
