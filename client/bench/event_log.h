// The frames of one topic as its first subscriber got them, each checked in full. A broker sends
// the same bytes to all subscribers of a topic: for the others, comparing what came with these
// bytes checks more than any checksum, at the speed of memory. Old frames make room for new ones; a
// subscriber that is further behind is checked in full. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "wire/bytes.h"

namespace ringcast::bench {

class EventLog {
 public:
  struct Entry {
    std::uint64_t begin = 0;  // of its frame; offsets count from the log's first byte ever
    std::uint64_t end = 0;
    std::uint64_t sequence = 0;
    std::int64_t intended_ns = 0;
    std::uint32_t publisher = 0;

    // True if this is the message that its publisher sent `places` after the other, at once.
    bool continues(const Entry& other, std::uint64_t places) const {
      return publisher == other.publisher && sequence == other.sequence + places &&
             intended_ns == other.intended_ns;
    }
  };

  // `entries_max` is a power of two.
  EventLog(std::size_t bytes_max, std::size_t entries_max)
      : bytes_(bytes_max), entries_(entries_max), mask_(entries_max - 1) {}

  // Which subscription id the frames carry; where a server gives each subscriber its own, the
  // others' frames are not these.
  std::uint64_t subscription() const { return subscription_; }
  void set_subscription(std::uint64_t subscription) { subscription_ = subscription; }

  // Entries [first(), end()) are kept; their numbers never change.
  std::uint64_t first() const { return first_; }
  std::uint64_t end() const { return end_; }
  const Entry& entry(std::uint64_t number) const { return entries_[number & mask_]; }

  void append(wire::Bytes frame, std::uint64_t sequence, std::int64_t intended_ns,
              std::uint32_t publisher) {
    if (used_ + frame.size() > bytes_.size()) make_room(frame.size());
    if (frame.size() > bytes_.size()) return;
    std::memcpy(bytes_.data() + used_, frame.data(), frame.size());
    const std::uint64_t begin = base_ + used_;
    used_ += frame.size();
    if (end_ - first_ == entries_.size()) ++first_;
    entries_[end_++ & mask_] = {begin, begin + frame.size(), sequence, intended_ns, publisher};
  }

  // How many bytes at `data` are the frames from `number` on, whole ones only; `number` moves on
  // behind them.
  std::size_t match(std::uint64_t& number, const char* data, std::size_t size) const {
    if (number < first_ || number >= end_) return 0;
    const std::uint64_t from = entry(number).begin;
    const char* const kept = bytes_.data() + (from - base_);
    const std::size_t all = static_cast<std::size_t>(base_ + used_ - from);
    if (size >= all && std::memcmp(kept, data, all) == 0) {
      number = end_;
      return all;
    }
    std::size_t matched = 0;
    while (number < end_) {
      const std::size_t to = static_cast<std::size_t>(entry(number).end - from);
      if (to > size || std::memcmp(kept + matched, data + matched, to - matched) != 0) break;
      matched = to;
      ++number;
    }
    return matched;
  }

  // The number behind the entry of this message; end() + 1, which matches nothing, if it is not
  // kept.
  std::uint64_t behind(std::uint64_t near, std::uint64_t sequence, std::uint32_t publisher) const {
    constexpr std::uint64_t kReach = 64;
    const std::uint64_t from = std::max(first_, near > kReach ? near - kReach : 0);
    const std::uint64_t to = std::min(end_, std::max(near, from) + kReach);
    for (std::uint64_t i = from; i < to; ++i) {
      if (entry(i).sequence == sequence && entry(i).publisher == publisher) return i + 1;
    }
    return end_ + 1;
  }

 private:
  void make_room(std::size_t size) {
    const std::uint64_t keep_from = base_ + used_ - std::min(used_, bytes_.size() / 2);
    while (first_ < end_ && entry(first_).begin < keep_from) ++first_;
    std::uint64_t kept_begin = first_ < end_ ? entry(first_).begin : base_ + used_;
    if (base_ + used_ - kept_begin + size > bytes_.size()) {
      first_ = end_;
      kept_begin = base_ + used_;
    }
    const std::size_t dropped = static_cast<std::size_t>(kept_begin - base_);
    std::memmove(bytes_.data(), bytes_.data() + dropped, used_ - dropped);
    base_ = kept_begin;
    used_ -= dropped;
  }

  std::vector<char> bytes_;
  std::vector<Entry> entries_;
  std::uint64_t mask_;
  std::uint64_t subscription_ = 0;
  std::uint64_t base_ = 0;  // offset of bytes_[0]
  std::size_t used_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace ringcast::bench
