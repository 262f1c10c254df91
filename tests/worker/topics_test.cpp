// The subscriptions of one worker: dense arrays that stay consistent with the sessions' own lists,
// and interest bits that are set exactly while there is somebody to deliver to.
#include "worker/topics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

using ring::test::below;
using ring::test::Random;
using wire::Serializer;

class TopicsOfOneWorker : public testing::Test {
 protected:
  static constexpr std::uint32_t kSelf = 1;

  TopicKey key(std::string_view uri, std::uint16_t realm = 0) const {
    return {topic_hash(segment_->header().topic_seed, realm, uri), realm, uri};
  }
  TopicKey pattern(std::string_view uri, wire::MatchPolicy match, std::uint16_t realm = 0) const {
    return {topic_hash(segment_->header().topic_seed, realm, uri, match), realm, uri, match};
  }
  std::vector<std::string> matched(std::string_view uri, std::uint16_t realm = 0) {
    std::vector<std::string> found;
    topics_.match_patterns(realm, uri,
                           [&found](const Topic& topic) { found.emplace_back(topic.uri()); });
    return found;
  }
  bool interested(const Topic& topic) const {
    return (segment_->interested_workers(topic.hash) >> kSelf & 1) != 0;
  }
  void remove(Session& session, Serializer serializer, std::size_t index,
              std::vector<Session>& sessions) {
    topics_.remove(session, serializer, index,
                   [&](std::uint32_t slot) -> Session& { return sessions[slot]; });
  }

  std::unique_ptr<ring::Segment> segment_ = ring::test::segment_or_fail(
      ring::Segment::create({.workers = 2, .slots_per_worker = 16, .arena_bytes = 4096}));
  Topics topics_{*segment_, kSelf};
};

TEST_F(TopicsOfOneWorker, ATopicIsFoundByItsRealmAndUri) {
  Topic& topic = *topics_.find_or_create(key("com.example")).topic;
  EXPECT_EQ(topics_.find_or_create(key("com.example")).topic, &topic);
  EXPECT_EQ(topics_.find(key("com.example")), &topic);
  EXPECT_EQ(topics_.find(key("com.example", 1)), nullptr);
  EXPECT_EQ(topics_.find(key("com.exampl")), nullptr);
  EXPECT_EQ(topics_.size(), 1u);
}

// Equal hashes do not make two topics one.
TEST_F(TopicsOfOneWorker, TopicsWhoseHashesCollideStayTwo) {
  Topic& a = *topics_.find_or_create({42, 0, "a"}).topic;
  Topic& b = *topics_.find_or_create({42, 0, "b"}).topic;
  Topic& other_realm = *topics_.find_or_create({42, 1, "a"}).topic;
  EXPECT_NE(&a, &b);
  EXPECT_NE(&a, &other_realm);
  EXPECT_EQ(topics_.find({42, 0, "b"}), &b);
}

TEST_F(TopicsOfOneWorker, AnErasedTopicIsNotFound) {
  Topic& topic = *topics_.find_or_create(key("x")).topic;
  topics_.set_subscription(topic, 7);
  topics_.erase(topic);
  EXPECT_EQ(topics_.find(key("x")), nullptr);
  EXPECT_EQ(topics_.size(), 0u);
}

TEST_F(TopicsOfOneWorker, InterestIsThereExactlyWhileSomebodySubscribes) {
  std::vector<Session> sessions(2);
  Topic& topic = *topics_.find_or_create(key("x")).topic;
  topics_.set_subscription(topic, 1);
  EXPECT_FALSE(interested(topic));
  topics_.add(topic, Serializer::json, 0, sessions[0]);
  EXPECT_TRUE(interested(topic));
  topics_.add(topic, Serializer::msgpack, 1, sessions[1]);
  remove(sessions[0], Serializer::json, 0, sessions);
  EXPECT_TRUE(interested(topic));  // the other serializer's subscriber is still there
  remove(sessions[1], Serializer::msgpack, 0, sessions);
  EXPECT_FALSE(interested(topic));
}

TEST_F(TopicsOfOneWorker, TopicsThatShareABucketShareTheInterest) {
  std::vector<Session> sessions(1);
  const std::uint64_t hash = 99;
  Topic& a = *topics_.find_or_create({hash, 0, "a"}).topic;
  Topic& b = *topics_.find_or_create({hash + ring::kInterestBuckets, 0, "b"}).topic;
  topics_.set_subscription(a, 1);
  topics_.set_subscription(b, 2);
  topics_.add(a, Serializer::json, 0, sessions[0]);
  topics_.add(b, Serializer::json, 0, sessions[0]);
  remove(sessions[0], Serializer::json, 0, sessions);
  EXPECT_TRUE(interested(b));
  remove(sessions[0], Serializer::json, 0, sessions);
  EXPECT_FALSE(interested(b));
}

TEST_F(TopicsOfOneWorker, SetsAndClearsNobodyElsesInterest) {
  std::vector<Session> sessions(1);
  Topic& topic = *topics_.find_or_create(key("x")).topic;
  topics_.set_subscription(topic, 1);
  segment_->set_interest(topic.hash, 0);
  topics_.add(topic, Serializer::json, 0, sessions[0]);
  EXPECT_EQ(segment_->interested_workers(topic.hash), 0b11u);
  remove(sessions[0], Serializer::json, 0, sessions);
  EXPECT_EQ(segment_->interested_workers(topic.hash), 0b01u);
}

// Random sessions join and leave random topics; after each step both sides of every membership
// point at each other and the oracle knows who is where.
TEST_F(TopicsOfOneWorker, AgreesWithSetsOverRandomJoinsAndLeaves) {
  constexpr std::uint32_t kSessions = 12;
  constexpr std::uint32_t kTopics = 6;
  Random random(17);
  std::vector<Session> sessions(kSessions);
  std::vector<std::set<Topic*>> joined(kSessions);
  std::vector<Topic*> topics;
  for (std::uint32_t i = 0; i < kTopics; ++i) {
    topics.push_back(topics_.find_or_create(key("topic." + std::to_string(i))).topic);
    topics_.set_subscription(*topics.back(), i + 1);
  }
  const auto serializer_of = [](std::uint32_t slot) {
    return slot % 3 == 0 ? Serializer::json : Serializer::msgpack;
  };
  for (int step = 0; step < 20000; ++step) {
    const auto slot = static_cast<std::uint32_t>(below(random, kSessions));
    Session& session = sessions[slot];
    Topic* topic = topics[below(random, kTopics)];
    if (below(random, 2) == 0 && joined[slot].insert(topic).second) {
      topics_.add(*topic, serializer_of(slot), slot, session);
    } else if (!session.memberships.empty()) {
      const std::size_t index = below(random, session.memberships.size());
      joined[slot].erase(session.memberships[index].topic);
      remove(session, serializer_of(slot), index, sessions);
    }
    std::size_t memberships = 0;
    for (std::uint32_t s = 0; s < kSessions; ++s) {
      ASSERT_EQ(sessions[s].memberships.size(), joined[s].size());
      memberships += joined[s].size();
      for (std::uint32_t m = 0; m < sessions[s].memberships.size(); ++m) {
        const Membership& membership = sessions[s].memberships[m];
        ASSERT_TRUE(joined[s].contains(membership.topic));
        const auto& subscribers =
            membership.topic->subscribers[static_cast<std::size_t>(serializer_of(s))];
        ASSERT_LT(membership.position, subscribers.size());
        ASSERT_EQ(subscribers[membership.position].slot, s);
        ASSERT_EQ(subscribers[membership.position].membership, m);
      }
    }
    std::size_t subscribers = 0;
    for (Topic* t : topics) {
      subscribers += t->subscribers[0].size() + t->subscribers[1].size();
      ASSERT_EQ(interested(*t), t->has_subscribers());
    }
    ASSERT_EQ(subscribers, memberships);
  }
}

// The same URI under each policy is another subscription.
TEST_F(TopicsOfOneWorker, PoliciesAreDifferentTopicsOfOneTable) {
  Topic& exact = *topics_.find_or_create(key("a.")).topic;
  Topic& prefix = *topics_.find_or_create(pattern("a.", wire::MatchPolicy::prefix)).topic;
  Topic& wildcard = *topics_.find_or_create(pattern("a.", wire::MatchPolicy::wildcard)).topic;
  EXPECT_EQ(topics_.size(), 3u);
  EXPECT_EQ(topics_.find(key("a.")), &exact);
  EXPECT_EQ(topics_.find(prefix.key()), &prefix);
  EXPECT_EQ(topics_.find(wildcard.key()), &wildcard);
  EXPECT_EQ(matched("a.b"), (std::vector<std::string>{"a.", "a."}));
  EXPECT_EQ(matched("a.b", 1), std::vector<std::string>{});
  topics_.erase(prefix);
  EXPECT_EQ(matched("a.b"), std::vector<std::string>{"a."});
  topics_.erase(wildcard);
  EXPECT_EQ(matched("a.b"), std::vector<std::string>{});
}

TEST_F(TopicsOfOneWorker, APatternIsInterestInItsRealm) {
  const auto told = [this](std::uint16_t realm) {
    return segment_->pattern_interested_workers(realm) != 0;
  };
  std::vector<Session> sessions(1);
  Topic& a = *topics_.find_or_create(pattern("a.", wire::MatchPolicy::prefix, 3)).topic;
  Topic& b = *topics_.find_or_create(pattern(".b", wire::MatchPolicy::wildcard, 3)).topic;
  topics_.set_subscription(a, 1);
  topics_.set_subscription(b, 2);
  EXPECT_FALSE(told(3));
  topics_.add(a, Serializer::json, 0, sessions[0]);
  topics_.add(b, Serializer::json, 0, sessions[0]);
  EXPECT_TRUE(told(3));
  EXPECT_FALSE(told(4));
  EXPECT_FALSE(interested(a));  // the table of topics is not touched
  remove(sessions[0], Serializer::json, 0, sessions);
  EXPECT_TRUE(told(3));
  remove(sessions[0], Serializer::json, 0, sessions);
  EXPECT_FALSE(told(3));
}

TEST_F(TopicsOfOneWorker, APatternThatIsRefusedLeavesNothing) {
  const std::string deep(kWildcardComponentsMax, '.');  // one component more
  const auto [topic, outcome] = topics_.find_or_create(pattern(deep, wire::MatchPolicy::wildcard));
  EXPECT_EQ(topic, nullptr);
  EXPECT_EQ(outcome, PatternInsert::too_deep);
  EXPECT_EQ(topics_.size(), 0u);
}

TEST(TopicHash, DependsOnSeedRealmUriAndPolicy) {
  const std::uint64_t hash = topic_hash(1, 0, "a.b");
  EXPECT_EQ(hash, topic_hash(1, 0, "a.b"));
  EXPECT_NE(hash, topic_hash(2, 0, "a.b"));
  EXPECT_NE(hash, topic_hash(1, 1, "a.b"));
  EXPECT_NE(hash, topic_hash(1, 0, "a.c"));
  EXPECT_NE(hash, topic_hash(1, 0, "a.b", wire::MatchPolicy::prefix));
  EXPECT_NE(topic_hash(1, 0, "a.b", wire::MatchPolicy::prefix),
            topic_hash(1, 0, "a.b", wire::MatchPolicy::wildcard));
}

TEST(TopicHash, SpreadsHomesOverAllWorkers) {
  std::vector<int> topics(3);
  for (int i = 0; i < 3000; ++i) {
    const std::uint32_t home = home_of(topic_hash(7, 0, "topic." + std::to_string(i)), 3);
    ASSERT_LT(home, 3u);
    ++topics[home];
  }
  for (const int count : topics) EXPECT_GT(count, 800);
}

}  // namespace
}  // namespace ringcast::worker
