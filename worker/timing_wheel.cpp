#include "worker/timing_wheel.h"

#include <algorithm>

namespace ringcast::worker {

TimingWheel::TimingWheel(std::uint32_t items, TimeMs now)
    : nodes_(items), heads_(kBuckets, kNone), ticks_done_(now / kTickMs) {}

void TimingWheel::schedule(std::uint32_t item, TimeMs deadline) {
  cancel(item);
  // The tick after the deadline, so that it never fires early; at the least the next one to be
  // looked at.
  const TimeMs tick = std::max(deadline / kTickMs + 1, ticks_done_ + 1);
  const auto bucket = static_cast<std::uint32_t>(tick % kBuckets);
  Node& node = nodes_[item];
  node = {.deadline = deadline, .next = heads_[bucket], .previous = kNone, .bucket = bucket};
  if (node.next != kNone) nodes_[node.next].previous = item;
  heads_[bucket] = item;
}

void TimingWheel::cancel(std::uint32_t item) {
  Node& node = nodes_[item];
  if (node.bucket == kNone) return;
  if (node.previous != kNone) {
    nodes_[node.previous].next = node.next;
  } else {
    heads_[node.bucket] = node.next;
  }
  if (node.next != kNone) nodes_[node.next].previous = node.previous;
  node.bucket = kNone;
}

void TimingWheel::take_due(std::uint32_t bucket, TimeMs now, std::vector<std::uint32_t>& due) {
  for (std::uint32_t item = heads_[bucket]; item != kNone;) {
    const std::uint32_t next = nodes_[item].next;
    if (nodes_[item].deadline <= now) {
      cancel(item);
      due.push_back(item);
    }
    item = next;
  }
}

void TimingWheel::expire(TimeMs now, std::vector<std::uint32_t>& due) {
  const TimeMs tick = now / kTickMs;
  // After a long sleep one round is enough: it passes every bucket.
  const TimeMs first = tick > ticks_done_ + kBuckets ? tick - kBuckets + 1 : ticks_done_ + 1;
  for (TimeMs t = first; t <= tick; ++t) {
    take_due(static_cast<std::uint32_t>(t % kBuckets), now, due);
  }
  ticks_done_ = std::max(ticks_done_, tick);
}

}  // namespace ringcast::worker
