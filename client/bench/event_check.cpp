#include "client/bench/event_check.h"

namespace ringcast::bench {

std::optional<Stamp> EventCheck::take(const Link& link, const Codec::Event& event,
                                      CheckCounts& counts) const {
  Stamp stamp;
  if (!read_stamp(event.payload, form_, stamp)) {
    ++counts.corrupt;
  } else if (stamp.run != run_) {
    ++counts.foreign;
  } else if (!link.subscriber || event.subscription != link.subscription ||
             stamp.topic != options_.topic_of_subscriber(link.index)) {
    ++counts.misdelivered;
  } else if (!was_sent(stamp)) {
    ++counts.corrupt;
  } else {
    return stamp;
  }
  return std::nullopt;
}

bool EventCheck::was_sent(const Stamp& stamp) const {
  if (stamp.publisher >= options_.publishers) return false;
  const std::uint32_t lane = options_.lane_of(stamp.publisher, stamp.topic);
  return options_.publisher_of_lane(lane) == stamp.publisher &&
         options_.topic_of_lane(lane) == stamp.topic &&
         stamp.sequence < board_.sent(lane).load(std::memory_order_acquire);
}

void EventCheck::take_other(Codec::Other other, CheckCounts& counts) {
  if (other == Codec::Other::unasked) ++counts.misdelivered;
  if (other == Codec::Other::unreadable) ++counts.corrupt;
}

}  // namespace ringcast::bench
