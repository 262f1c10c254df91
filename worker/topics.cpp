#include "worker/topics.h"

#define XXH_INLINE_ALL  // a few instructions per call, so no call
#include <xxhash.h>

#include <cassert>

namespace ringcast::worker {

std::uint64_t topic_hash(std::uint64_t seed, std::uint16_t realm, std::string_view uri,
                         wire::MatchPolicy match) {
  const std::uint64_t policy = static_cast<std::uint64_t>(match) << 16;
  return XXH3_64bits_withSeed(uri.data(), uri.size(),
                              seed + (realm | policy) * 0x9E3779B97F4A7C15u);
}

namespace {

constexpr std::string_view kReserved = "wamp.";

// REQUIRES: the topic is a pattern.
bool matches_reserved(const Topic& topic) {
  const std::string_view uri = topic.uri();
  if (topic.match == wire::MatchPolicy::prefix) {
    return uri.substr(0, kReserved.size()) == kReserved.substr(0, uri.size());
  }
  const std::string_view first = uri.substr(0, uri.find('.'));
  return first.empty() || first == kReserved.substr(0, kReserved.size() - 1);
}

}  // namespace

std::uint64_t reserved_patterns_hash(const ring::Segment& segment, std::uint16_t realm) {
  return topic_hash(segment.header().topic_seed, realm, kReserved, wire::MatchPolicy::prefix);
}

Topics::Topics(ring::Segment& segment, std::uint32_t worker)
    : segment_(segment),
      worker_(worker),
      patterns_(segment.header().topic_seed),
      interest_counts_(ring::kInterestBuckets),
      pattern_interest_counts_(ring::kPatternInterestBuckets) {}

Topics::Found Topics::find_or_create(const TopicKey& key) {
  if (Topic* topic = find(key)) return {.topic = topic, .outcome = PatternInsert::present};
  if (key.match == wire::MatchPolicy::exact) return {.topic = &topics_.insert(key)};
  const auto [outcome, entry] = patterns_.insert(key.realm, key.match, key.uri);
  if (entry == nullptr) return {.outcome = outcome};
  entry->value = &topics_.insert(key);
  return {.topic = entry->value};
}

void Topics::set_subscription(Topic& topic, std::uint32_t subscription) {
  if (topic.subscription == subscription) return;
  assert(topic.subscription == 0 && subscription != 0);
  topic.subscription = subscription;
}

void Topics::add(Topic& topic, wire::Serializer serializer, std::uint32_t slot, Session& session) {
  assert(topic.subscription != 0);
  if (!topic.wanted()) interest_gained(topic);
  auto& subscribers = topic.subscribers[static_cast<std::size_t>(serializer)];
  session.memberships.push_back({.topic = &topic,
                                 .subscription = topic.subscription,
                                 .position = static_cast<std::uint32_t>(subscribers.size())});
  subscribers.push_back(
      {.slot = slot, .membership = static_cast<std::uint32_t>(session.memberships.size() - 1)});
}

void Topics::keep_history(Topic& topic) {
  assert(topic.subscription != 0);
  if (!topic.wanted()) interest_gained(topic);
  topic.keeps_history = true;
}

void Topics::erase(Topic& topic) {
  assert(!topic.wanted() && topic.requests_pending == 0);
  if (topic.match != wire::MatchPolicy::exact) {
    patterns_.erase(*patterns_.find(topic.realm, topic.match, topic.uri()));
  }
  topics_.erase(topic);
}

void Topics::interest_gained(const Topic& topic) {
  if (topic.match != wire::MatchPolicy::exact) {
    if (pattern_interest_counts_[ring::Segment::pattern_interest_bucket(topic.realm)]++ == 0) {
      segment_.set_pattern_interest(topic.realm, worker_);
    }
    if (matches_reserved(topic)) count_interest(reserved_patterns_hash(segment_, topic.realm));
  } else {
    count_interest(topic.hash);
  }
}

void Topics::interest_lost(const Topic& topic) {
  if (topic.match != wire::MatchPolicy::exact) {
    if (--pattern_interest_counts_[ring::Segment::pattern_interest_bucket(topic.realm)] == 0) {
      segment_.clear_pattern_interest(topic.realm, worker_);
    }
    if (matches_reserved(topic)) discount_interest(reserved_patterns_hash(segment_, topic.realm));
  } else {
    discount_interest(topic.hash);
  }
}

void Topics::count_interest(std::uint64_t hash) {
  if (interest_counts_[ring::Segment::interest_bucket(hash)]++ == 0) {
    segment_.set_interest(hash, worker_);
  }
}

void Topics::discount_interest(std::uint64_t hash) {
  if (--interest_counts_[ring::Segment::interest_bucket(hash)] == 0) {
    segment_.clear_interest(hash, worker_);
  }
}

}  // namespace ringcast::worker
