// The subscriptions of one worker's own sessions: which of them want which topic. Known to that
// worker alone; used by its thread only.
//
// A topic's subscribers are dense arrays of slots, one per serializer, so that a publication walks
// memory in order and every event is encoded once per serializer.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ring/segment.h"
#include "wire/serializer.h"
#include "worker/pattern_index.h"
#include "worker/session.h"
#include "worker/subscribers.h"
#include "worker/uri_table.h"

namespace ringcast::worker {

// Who is home to a topic: the worker that owns its id.
inline std::uint32_t home_of(std::uint64_t hash, std::uint32_t workers) {
  return static_cast<std::uint32_t>((hash >> 32) % workers);
}

// What is subscribed to: one topic, or those that match a pattern (WAMP, "Pattern-based
// Subscriptions"). It is one subscription, with one id, for all its subscribers on all workers.
struct Topic : UriRecord<Topic> {
  bool keeps_history = false;          // this worker, its home, gets its events in any case
  std::uint32_t subscription = 0;      // the id that the home worker gave; 0 until its first reply
  std::uint32_t requests_pending = 0;  // SUBSCRIBEs on their way to the home worker
  std::array<Subscribers, wire::kSerializerCount> subscribers;

  bool has_subscribers() const { return !subscribers[0].empty() || !subscribers[1].empty(); }
  // Its events are to come to this worker.
  bool wanted() const { return has_subscribers() || keeps_history; }
};
static_assert(sizeof(Topic) == 56, "and the URI behind it: what a topic costs each of its workers");

// Patterns that may match topics below "wamp." have an interest bit of their own besides: most
// patterns do not, and what the router publishes is looked for without them.
std::uint64_t reserved_patterns_hash(const ring::Segment& segment, std::uint16_t realm);

class Topics {
 public:
  explicit Topics(ring::Segment& segment, std::uint32_t worker);

  Topic* find(const TopicKey& key) { return topics_.find(key); }

  // A pattern may be refused: beyond the limits of worker/pattern_index.h. Then there is no topic.
  struct Found {
    Topic* topic = nullptr;
    PatternInsert outcome = PatternInsert::inserted;
  };
  Found find_or_create(const TopicKey& key);

  // Calls `visit(topic)` for the patterns that what is published to `uri` matches. `visit` may not
  // create or erase a topic.
  template <typename Visit>
  void match_patterns(std::uint16_t realm, std::string_view uri, Visit visit) {
    if (patterns_.size() == 0) return;
    patterns_.match(realm, uri, [&visit](const auto& entry) { visit(*entry.value); });
  }

  // The home worker has answered; every answer for one topic carries the same id while it exists.
  void set_subscription(Topic& topic, std::uint32_t subscription);

  // Adds a session in `slot`; the segment's interest bit is set before this returns.
  void add(Topic& topic, wire::Serializer serializer, std::uint32_t slot, Session& session);

  // Takes out the session's membership at `index`. `session_in_slot` finds the sessions whose
  // entries move.
  template <typename SessionInSlot>
  void remove(Session& session, wire::Serializer serializer, std::size_t index,
              SessionInSlot session_in_slot);

  // Its events come to this worker from now on, subscribers or not. REQUIRES: it has its id.
  void keep_history(Topic& topic);

  // Forgets a topic that is not wanted and has no request pending.
  void erase(Topic& topic);

  std::size_t size() const { return topics_.size(); }

  template <typename Visit>
  void for_each(Visit visit) {
    topics_.for_each(visit);
  }

 private:
  void interest_gained(const Topic& topic);
  void interest_lost(const Topic& topic);
  void count_interest(std::uint64_t hash);
  void discount_interest(std::uint64_t hash);

  ring::Segment& segment_;
  std::uint32_t worker_;
  UriTable<Topic> topics_;
  PatternIndex<Topic*> patterns_;  // those of topics_ that are patterns
  // Topics with subscribers, per interest bucket; those by pattern apart.
  std::vector<std::uint32_t> interest_counts_;
  std::vector<std::uint32_t> pattern_interest_counts_;
};

template <typename SessionInSlot>
void Topics::remove(Session& session, wire::Serializer serializer, std::size_t index,
                    SessionInSlot session_in_slot) {
  const Membership gone = session.memberships[index];
  auto& subscribers = gone.topic->subscribers[static_cast<std::size_t>(serializer)];
  // The last subscriber takes the place of the one that goes, and its session learns where it
  // stands now.
  subscribers[gone.position] = subscribers.back();
  subscribers.pop_back();
  if (gone.position < subscribers.size()) {
    const Subscriber& moved = subscribers[gone.position];
    session_in_slot(moved.slot).memberships[moved.membership].position = gone.position;
  }
  // The same in the session's own list.
  session.memberships.erase(index);
  if (index < session.memberships.size()) {
    const Membership& moved = session.memberships[index];
    moved.topic->subscribers[static_cast<std::size_t>(serializer)][moved.position].membership =
        static_cast<std::uint32_t>(index);
  }
  if (!gone.topic->wanted()) interest_lost(*gone.topic);
}

}  // namespace ringcast::worker
