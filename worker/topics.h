// The subscriptions of one worker's own sessions: which of them want which topic. Known to that
// worker alone; used by its thread only.
//
// A topic's subscribers are dense arrays of slots, one per serializer, so that a publication walks
// memory in order and every event is encoded once per serializer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ring/segment.h"
#include "wire/serializer.h"
#include "worker/session.h"

namespace ringcast::worker {

// Hash of (realm, URI), the same in every worker of a node; keyed, so that clients can't choose
// collisions.
std::uint64_t topic_hash(std::uint64_t seed, std::uint16_t realm, std::string_view uri);

// Who is home to a topic: the worker that owns its id.
inline std::uint32_t home_of(std::uint64_t hash, std::uint32_t workers) {
  return static_cast<std::uint32_t>((hash >> 32) % workers);
}

struct TopicKey {
  std::uint64_t hash = 0;
  std::uint16_t realm = 0;
  std::string_view uri;  // of the Topic itself once it is in a table
  bool operator==(const TopicKey&) const = default;
};
struct TopicKeyHash {
  std::size_t operator()(const TopicKey& key) const { return key.hash; }
};

struct Subscriber {
  std::uint32_t slot = 0;
  std::uint32_t membership = 0;  // index in the session's memberships
};

struct Topic {
  std::string uri;
  std::uint64_t hash = 0;
  std::uint16_t realm = 0;
  std::uint32_t subscription = 0;      // the id that the home worker gave; 0 until its first reply
  std::uint32_t requests_pending = 0;  // SUBSCRIBEs on their way to the home worker
  std::array<std::vector<Subscriber>, wire::kSerializerCount> subscribers;

  bool has_subscribers() const { return !subscribers[0].empty() || !subscribers[1].empty(); }
  TopicKey key() const { return {hash, realm, uri}; }
};

class Topics {
 public:
  explicit Topics(ring::Segment& segment, std::uint32_t worker);

  Topic* find(const TopicKey& key);
  Topic& find_or_create(const TopicKey& key);
  Topic* find_subscription(std::uint32_t subscription);

  // The home worker has answered; every answer for one topic carries the same id while it exists.
  void set_subscription(Topic& topic, std::uint32_t subscription);

  // Adds a session in `slot`; the segment's interest bit is set before this returns.
  void add(Topic& topic, wire::Serializer serializer, std::uint32_t slot, Session& session);

  // Takes out the session's membership at `index`. `session_in_slot` finds the sessions whose
  // entries move.
  template <typename SessionInSlot>
  void remove(Session& session, wire::Serializer serializer, std::size_t index,
              SessionInSlot session_in_slot);

  // Forgets a topic that has no subscribers and no request pending.
  void erase(Topic& topic);

  std::size_t size() const { return topics_.size(); }

  template <typename Visit>
  void for_each(Visit visit) {
    for (auto& [key, topic] : topics_) visit(*topic);
  }

 private:
  void interest_gained(std::uint64_t hash);
  void interest_lost(std::uint64_t hash);

  ring::Segment& segment_;
  std::uint32_t worker_;
  std::unordered_map<TopicKey, std::unique_ptr<Topic>, TopicKeyHash> topics_;
  std::unordered_map<std::uint32_t, Topic*> by_subscription_;
  std::vector<std::uint32_t> interest_counts_;  // topics with subscribers, per interest bucket
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
  if (!gone.topic->has_subscribers()) interest_lost(gone.topic->hash);
}

}  // namespace ringcast::worker
