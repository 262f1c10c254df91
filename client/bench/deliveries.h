// The receiving side of a process of a run: checks every delivery to its subscribers by publisher,
// topic and sequence number, times it, and tells how far the subscribers are. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "client/bench/board.h"
#include "client/bench/codec.h"
#include "client/bench/delivery_check.h"
#include "client/bench/delivery_lane.h"
#include "client/bench/event_check.h"
#include "client/bench/event_log.h"
#include "client/bench/fanout_options.h"
#include "client/bench/link.h"
#include "client/bench/publishing.h"

namespace ringcast::bench {

class Deliveries {
 public:
  Deliveries(const FanoutOptions& options, std::uint32_t process, Board& board,
             Publishing& publishing, std::uint32_t run);

  // Latencies of messages meant to be sent in [from, to) are recorded.
  void measure(std::int64_t from_ns, std::int64_t to_ns) {
    measured_from_ns_ = from_ns;
    measured_to_ns_ = to_ns;
  }

  // Takes whole frames that the topic's first subscriber got too, byte for byte; returns how many
  // bytes that is. No frame may be in progress.
  std::size_t take_known(const Link& link, wire::Bytes bytes, std::int64_t now);
  // Takes one event. `frame` is the whole frame if it came in one, to be known from now on.
  void take_event(const Link& link, wire::Bytes frame, const Codec::Event& event, std::int64_t now);

  void on_gone(const Link& link);
  // Tells other processes what their publishers' subscribers here have got since the last call.
  void tell_others();
  // True once every live subscriber has all that live publishers sent it, or later messages in
  // their place.
  bool settled() const;
  // Counts what is missing as lost.
  void finish();

 private:
  struct Subscriber {
    std::uint32_t topic = 0;
    bool dead = false;
    std::size_t first_check = 0;    // in checks_, one for each publisher of the topic
    std::uint64_t next_in_log = 0;  // of the topic's log
  };

  Subscriber& subscriber(const Link& link) { return subscribers_[link.index / options_.processes]; }
  // Messages in a row that their publisher meant to send at the same time.
  struct Arrivals {
    std::uint32_t publisher = 0;
    std::uint64_t sequence = 0;  // of the first
    std::uint64_t count = 0;
    std::int64_t intended_ns = 0;
  };
  // Returns true if the last of them is one that its publisher's others have not overtaken.
  bool arrive(const Subscriber& subscriber, const Arrivals& messages, std::int64_t now);
  void log(Subscriber& subscriber, std::uint64_t subscription, wire::Bytes frame,
           const Stamp& stamp);
  void advance(std::uint32_t lane, std::uint64_t from, std::uint64_t to);
  void on_slowest_changed(std::uint32_t lane);
  // visit(check, messages that its publisher sent) for each subscriber and each of its publishers;
  // where either is gone only what came counts as sent, and what came proves what came before it.
  template <typename Visit>
  void for_each_check(Visit&& visit) const;

  const FanoutOptions& options_;
  const std::uint32_t process_;
  Board& board_;
  Tally& tally_;
  Publishing& publishing_;
  const EventCheck check_;
  std::vector<Subscriber> subscribers_;  // this process's
  std::vector<SequenceCheck> checks_;
  std::vector<DeliveryLane> lanes_;              // window mode
  std::vector<std::unique_ptr<EventLog>> logs_;  // by topic; null where it has one subscriber here
  std::vector<bool> to_tell_;                    // processes
  std::int64_t measured_from_ns_ = 0;
  std::int64_t measured_to_ns_ = 0;
};

}  // namespace ringcast::bench
