#include "worker/topics.h"

#define XXH_INLINE_ALL  // a few instructions per call, so no call
#include <xxhash.h>

#include <cassert>

namespace ringcast::worker {

std::uint64_t topic_hash(std::uint64_t seed, std::uint16_t realm, std::string_view uri) {
  return XXH3_64bits_withSeed(uri.data(), uri.size(), seed + realm * 0x9E3779B97F4A7C15u);
}

Topics::Topics(ring::Segment& segment, std::uint32_t worker)
    : segment_(segment), worker_(worker), interest_counts_(ring::kInterestBuckets) {}

Topic& Topics::find_or_create(const TopicKey& key) {
  Topic* topic = find(key);
  return topic != nullptr ? *topic : topics_.insert(key);
}

void Topics::set_subscription(Topic& topic, std::uint32_t subscription) {
  if (topic.subscription == subscription) return;
  assert(topic.subscription == 0 && subscription != 0);
  topic.subscription = subscription;
}

void Topics::add(Topic& topic, wire::Serializer serializer, std::uint32_t slot, Session& session) {
  assert(topic.subscription != 0);
  if (!topic.has_subscribers()) interest_gained(topic.hash);
  auto& subscribers = topic.subscribers[static_cast<std::size_t>(serializer)];
  session.memberships.push_back({.topic = &topic,
                                 .subscription = topic.subscription,
                                 .position = static_cast<std::uint32_t>(subscribers.size())});
  subscribers.push_back(
      {.slot = slot, .membership = static_cast<std::uint32_t>(session.memberships.size() - 1)});
}

void Topics::erase(Topic& topic) {
  assert(!topic.has_subscribers() && topic.requests_pending == 0);
  topics_.erase(topic);
}

void Topics::interest_gained(std::uint64_t hash) {
  if (interest_counts_[ring::Segment::interest_bucket(hash)]++ == 0) {
    segment_.set_interest(hash, worker_);
  }
}

void Topics::interest_lost(std::uint64_t hash) {
  if (--interest_counts_[ring::Segment::interest_bucket(hash)] == 0) {
    segment_.clear_interest(hash, worker_);
  }
}

}  // namespace ringcast::worker
