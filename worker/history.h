// The event history that this worker keeps (WAMP, "Event History"): of the subscriptions that the
// configuration names and that it is home to. Such a subscription is there from the start of the
// worker on, whether anybody subscribes or not, and has one id for good.
//
// One per worker; used by its thread only. In memory only: a home worker's death loses what it had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "ring/counters.h"
#include "worker/event_store.h"
#include "worker/publication.h"
#include "worker/uri_table.h"

namespace ringcast::worker {

class History {
 public:
  // Of all events of a worker.
  static constexpr std::size_t kBytesMax = std::size_t{256} << 20;

  explicit History(ring::Counters& counters) : counters_(counters) {}

  // One more subscription of the configuration is to be opened, when its id is known.
  void await() { ++awaited_; }
  // REQUIRES: it was awaited. Events that come from now on are kept.
  void open(std::uint32_t subscription, const TopicKey& key, const HistoryLimits& limits);

  // There is no id for one that was awaited.
  void give_up() { --awaited_; }
  // All that were awaited have come.
  bool complete() const { return awaited_ == 0; }

  // The publication was given to the subscription now.
  void append(std::uint32_t subscription, const Publication& publication);

  struct Subscription {
    std::uint16_t realm = 0;
    wire::MatchPolicy match = wire::MatchPolicy::exact;
    std::string uri;
  };
  // Null if no history is kept for it.
  const Subscription* find(std::uint32_t subscription) const;

  enum class Outcome : std::uint8_t {
    ok,
    unknown_publication,  // which the query refers to
    too_large,            // not even the first event is as small as bytes_max
  };
  // Writes the events as the argument of wamp.subscription.get_events' result: a list that contains
  // a list of dicts, in MessagePack; as many as fit into bytes_max. REQUIRES: find(subscription).
  Outcome query(std::uint32_t subscription, const EventQuery& query, std::size_t bytes_max,
                std::string& args);

  // Drops what is too old. Call a few times a second.
  void expire();

 private:
  void report();

  ring::Counters& counters_;
  std::size_t awaited_ = 0;
  EventStore events_{kBytesMax};
  std::map<std::uint32_t, Subscription> subscriptions_;  // as many as the configuration names
};

}  // namespace ringcast::worker
