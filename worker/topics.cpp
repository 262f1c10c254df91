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

Topic* Topics::find(const TopicKey& key) {
  const auto found = topics_.find(key);
  return found == topics_.end() ? nullptr : found->second.get();
}

Topic& Topics::find_or_create(const TopicKey& key) {
  if (Topic* topic = find(key)) return *topic;
  auto topic = std::make_unique<Topic>();
  topic->uri = key.uri;
  topic->hash = key.hash;
  topic->realm = key.realm;
  Topic& created = *topic;
  topics_.emplace(created.key(), std::move(topic));
  return created;
}

Topic* Topics::find_subscription(std::uint32_t subscription) {
  const auto found = by_subscription_.find(subscription);
  return found == by_subscription_.end() ? nullptr : found->second;
}

void Topics::set_subscription(Topic& topic, std::uint32_t subscription) {
  if (topic.subscription == subscription) return;
  assert(topic.subscription == 0 && subscription != 0);
  topic.subscription = subscription;
  by_subscription_.emplace(subscription, &topic);
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
  if (topic.subscription != 0) by_subscription_.erase(topic.subscription);
  topics_.erase(topic.key());
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
