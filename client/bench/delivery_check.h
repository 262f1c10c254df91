// Whether one subscriber gets each message of one publisher once and in order. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace ringcast::bench {

// What went wrong, over all subscribers. Every count must be 0.
struct CheckCounts {
  std::uint64_t lost = 0;          // never came
  std::uint64_t duplicate = 0;     // came again
  std::uint64_t out_of_order = 0;  // came after a later one
  std::uint64_t misdelivered = 0;  // of another topic, for another subscription, or to a publisher
  std::uint64_t corrupt = 0;       // not what was sent, or never sent
  std::uint64_t foreign = 0;       // of another run: something else publishes to the same topics

  std::uint64_t sum() const {
    return lost + duplicate + out_of_order + misdelivered + corrupt + foreign;
  }
  bool all_zero() const { return sum() == 0; }
  void add(const CheckCounts& other) {
    lost += other.lost;
    duplicate += other.duplicate;
    out_of_order += other.out_of_order;
    misdelivered += other.misdelivered;
    corrupt += other.corrupt;
    foreign += other.foreign;
  }
};

class SequenceCheck {
 public:
  // `first` is the first number that is due.
  explicit SequenceCheck(std::uint64_t first = 0) : next_(first) {}

  // Sequence numbers [first, end) that arrivals settle: those that came, and those before them that
  // did not come and are taken for lost from now on. Empty for duplicates and latecomers.
  struct Settled {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
  };

  // `count` messages in a row, from `sequence` on.
  Settled arrive(std::uint64_t sequence, std::uint64_t count, CheckCounts& counts) {
    const std::uint64_t before = next_;
    if (sequence == next_) [[likely]] {
      next_ += count;
    } else {
      for (const std::uint64_t end = sequence + count; sequence != end; ++sequence)
        arrive_unexpected(sequence, counts);
    }
    return {before, next_};
  }

  // The first sequence number that is not settled.
  std::uint64_t next() const { return next_; }

  // Adds to counts.lost what is missing, [next, sent) included.
  void finish(std::uint64_t sent, CheckCounts& counts) const;

 private:
  struct Gap {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
  };

  void arrive_unexpected(std::uint64_t sequence, CheckCounts& counts);

  std::uint64_t next_;
  std::unique_ptr<std::vector<Gap>> gaps_;  // ascending; null until something is missing
};

}  // namespace ringcast::bench
