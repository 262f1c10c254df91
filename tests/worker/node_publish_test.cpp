// Publish and subscribe over real workers: who gets what, in which order, in either serializer, on
// whichever worker it sits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>

#include "tests/worker/node.h"

namespace ringcast::worker {
namespace {

using ring::Counter;
using test::Node;
using test::TestClient;
using wire::Serializer;

constexpr Serializer kSerializers[] = {Serializer::json, Serializer::msgpack};

TEST(NodePublish, EverySubscriberGetsItWhereverAndInWhicheverSerializer) {
  Node node({.workers = 3});
  const std::string topic = node.topic_at(2);
  std::vector<std::unique_ptr<TestClient>> subscribers;
  std::set<std::uint64_t> ids;
  for (std::uint32_t w = 0; w < 3; ++w) {
    for (const Serializer s : kSerializers) {
      subscribers.push_back(node.client(w, s));
      ids.insert(subscribers.back()->subscribe(topic));
    }
  }
  ASSERT_EQ(ids.size(), 1u) << "all subscribers of a topic share its id";
  for (std::uint32_t w = 0; w < 3; ++w) {
    for (const Serializer s : kSerializers) {
      const std::string args = "[" + std::to_string(w) + ",\"\xC3\xA9\",{\"a\":[null,true,1.5]}]";
      const auto publisher = node.client(w, s);
      const std::uint64_t publication = publisher->publish(topic, args);
      for (const auto& subscriber : subscribers) {
        const test::ReceivedEvent expected{*ids.begin(), publication, args};
        EXPECT_EQ(subscriber->event(), expected);
      }
    }
  }
}

TEST(NodePublish, ThePublisherIsExcludedUnlessItAsksToBeIncluded) {
  Node node({.workers = 2});
  const auto client = node.client(0);
  client->subscribe("com.example");
  client->send_publish("com.example", "[1]");
  client->send_publish("com.example", "[2]", {.exclude_me = false});
  EXPECT_EQ(client->event().args, "[2]");
}

TEST(NodePublish, DifferentTopicsHaveDifferentIdsAndDoNotMix) {
  Node node({.workers = 2});
  const auto a = node.client(0);
  const auto b = node.client(1);
  EXPECT_NE(a->subscribe("topic.a"), b->subscribe("topic.b"));
  const auto publisher = node.client(0);
  publisher->publish("topic.a", "[\"a\"]");
  publisher->publish("topic.b", "[\"b\"]");
  publisher->publish("topic.a", "[\"a2\"]");
  EXPECT_EQ(b->event().args, "[\"b\"]");
  EXPECT_EQ(a->event().args, "[\"a\"]");
  EXPECT_EQ(a->event().args, "[\"a2\"]");
}

TEST(NodePublish, SubscribingTwiceIsOneSubscription) {
  Node node({.workers = 2});
  const std::string topic = node.topic_at(1);
  const auto client = node.client(0);
  client->send_subscribe(topic);
  client->send_subscribe(topic);  // before the home has answered the first
  const std::uint64_t id = client->expect<wire::Subscribed>().subscription;
  EXPECT_EQ(client->expect<wire::Subscribed>().subscription, id);
  EXPECT_EQ(node.count(0, Counter::subscriptions), 1u);
  const auto publisher = node.client(1);
  publisher->publish(topic, "[1]");
  publisher->publish(topic, "[2]");
  EXPECT_EQ(client->event().args, "[1]");
  EXPECT_EQ(client->event().args, "[2]");
  client->unsubscribe(id);
}

TEST(NodePublish, OrderHoldsAcrossTopicsWithDifferentHomes) {
  constexpr int kEvents = 3000;
  Node node({.workers = 3});
  std::vector<std::string> topics;
  for (std::uint32_t home = 0; home < 3; ++home) topics.push_back(node.topic_at(home));
  std::vector<std::unique_ptr<TestClient>> subscribers;
  for (std::uint32_t w = 0; w < 3; ++w) {
    subscribers.push_back(node.client(w, kSerializers[w % 2]));
    for (const std::string& topic : topics) subscribers.back()->subscribe(topic);
  }
  const auto publisher = node.client(0, Serializer::msgpack);
  auto publishing = std::async(std::launch::async, [&] {
    for (int i = 0; i < kEvents; ++i) {
      publisher->send_publish(topics[static_cast<std::size_t>(i) % 3],
                              "[" + std::to_string(i) + "]");
    }
  });
  for (const auto& subscriber : subscribers) {
    for (int i = 0; i < kEvents; ++i) {
      ASSERT_EQ(subscriber->event().args, "[" + std::to_string(i) + "]");
    }
  }
  publishing.get();
}

// While another worker publishes without end: SUBSCRIBED comes first (or subscribe() throws), and
// nothing of a subscription comes after UNSUBSCRIBED.
TEST(NodePublish, NoEventComesBeforeSubscribedOrAfterUnsubscribed) {
  Node node({.workers = 2});
  const std::string topic = node.topic_at(1);
  const auto publisher = node.client(1);
  std::atomic<bool> stop{false};
  auto publishing = std::async(std::launch::async, [&] {
    while (!stop) publisher->publish(topic, "[0]");
  });
  for (const std::uint32_t w : {0u, 1u}) {
    const auto subscriber = node.client(w);
    for (int round = 0; round < 30; ++round) {
      const std::uint64_t id = subscriber->subscribe(topic);
      EXPECT_EQ(subscriber->event().subscription, id);
      const std::uint64_t request = subscriber->send_unsubscribe(id);
      for (;;) {
        const wire::Message& message = subscriber->receive();
        if (const auto* done = std::get_if<wire::Unsubscribed>(&message)) {
          ASSERT_EQ(done->request, request);
          break;
        }
        ASSERT_EQ(std::get<wire::Event>(message).subscription, id);
      }
      // An answer that is no event proves that none came before it.
      subscriber->publish("elsewhere", "[]");
    }
  }
  stop = true;
  publishing.get();
}

TEST(NodePublish, WithoutSubscribersElsewhereNothingCrossesTheRings) {
  Node node({.workers = 2});
  const std::string topic = node.topic_at(0);
  const auto subscriber = node.client(1);
  const auto publisher = node.client(0);
  const std::uint64_t id = subscriber->subscribe(topic);
  publisher->publish(topic, "[1]");
  EXPECT_EQ(subscriber->event().args, "[1]");
  subscriber->unsubscribe(id);
  publisher->publish(topic, "[2]");
  // Something that does cross, behind it.
  const std::uint64_t again = subscriber->subscribe(topic);
  EXPECT_NE(again, id) << "the topic went with its last subscriber: no id is used twice";
  publisher->publish(topic, "[3]");
  EXPECT_EQ(subscriber->event().args, "[3]");
  EXPECT_EQ(node.count(1, Counter::publications_received), 2u);
}

TEST(NodePublish, WhatHungOnASessionIsGoneWithItExactlyOnce) {
  Node node({.workers = 2});
  const std::string topic = node.topic_at(0);
  {
    const auto client = node.client(1);
    client->subscribe(topic);
    client->subscribe("another");
    EXPECT_EQ(node.count(1, Counter::subscriptions), 2u);
    EXPECT_EQ(node.count(1, Counter::sessions), 1u);
    client->reset();
  }
  test::eventually("the connection is gone",
                   [&] { return node.count(1, Counter::connections_closed) == 1; });
  EXPECT_EQ(node.count(1, Counter::subscriptions), 0u);
  EXPECT_EQ(node.count(1, Counter::topics), 0u);
  EXPECT_EQ(node.count(1, Counter::sessions), 0u);
  EXPECT_EQ(node.count(1, Counter::connections), 0u);
  test::eventually("the homes have heard of it",
                   [&] { return node.total(Counter::home_topics) == 0; });
  EXPECT_EQ(node.segment().interested_workers(node.hash(topic)), 0u);
}

}  // namespace
}  // namespace ringcast::worker
