// What happens when somebody can't keep up: a worker whose rings or whose arena share is full holds
// up the publishers that fill it and nobody else (invariant I4); a reader that does not read costs
// itself only (invariant I7).
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>

#include "tests/worker/node.h"

namespace ringcast::worker {
namespace {

using ring::Counter;
using test::Incoming;
using test::Node;
using test::TestClient;

std::string numbered(int i, std::size_t padding = 0) {
  return "[" + std::to_string(i) + ",\"" + std::string(padding, 'p') + "\"]";
}

// Worker 1 wants everything on the topic and takes nothing until the test says so.
class StuckWorker : public testing::Test {
 protected:
  static test::NodeSettings settings() {
    test::NodeSettings s{.workers = 2, .puppets = 0b10, .arena_bytes = 1u << 20};
    s.options.message_bytes_max = 200'000;
    return s;
  }
  StuckWorker() { node_.segment().set_interest(node_.hash(topic_), 1); }

  bool paused(std::uint64_t count) {
    return test::eventually("the publisher is paused",
                            [&] { return node_.count(0, Counter::publishers_paused) == count; });
  }
  // Until `count` publications have come, in order.
  void expect_all(int count, std::size_t padding) {
    test::Recorder& told = node_.told(1);
    test::eventually("everything arrives", [&] {
      node_.drain_puppet(1);
      return told.handed.size() >= static_cast<std::size_t>(count);
    });
    ASSERT_EQ(told.handed.size(), static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      const auto publication = parse_publication(told.handed[static_cast<std::size_t>(i)].frame);
      ASSERT_TRUE(publication);
      ASSERT_EQ(publication->payload.args, numbered(i, padding));
    }
  }

  Node node_{settings()};
  const std::string topic_ = node_.topic_at(0);
};

TEST_F(StuckWorker, AFullRingPausesThePublisherAndNothingIsLost) {
  constexpr int kEvents = 5000;
  const auto publisher = node_.client(0);
  auto publishing = std::async(std::launch::async, [&] {
    for (int i = 0; i < kEvents; ++i) publisher->send_publish(topic_, numbered(i));
  });
  ASSERT_TRUE(paused(1));
  // The first pause may be one of a burst that a turn could not stage; the ring fills behind it.
  test::eventually("the ring is full", [&] { return node_.count(0, Counter::ring_full) > 0; });
  EXPECT_LE(node_.count(0, Counter::publications), ring::kRingCapacity + Peers::kStagedMax);
  expect_all(kEvents, 0);
  publishing.get();
  ASSERT_TRUE(paused(0));
  EXPECT_EQ(node_.count(0, Counter::publications), static_cast<std::uint64_t>(kEvents));
}

TEST_F(StuckWorker, AFullArenaPausesThePublisherAndNothingIsLost) {
  constexpr int kEvents = 60;
  constexpr std::size_t kPadding = 150'000;  // a seventh of the arena
  const auto publisher = node_.client(0);
  auto publishing = std::async(std::launch::async, [&] {
    for (int i = 0; i < kEvents; ++i) publisher->send_publish(topic_, numbered(i, kPadding));
  });
  ASSERT_TRUE(paused(1));
  EXPECT_GT(node_.count(0, Counter::arena_full), 0u);
  expect_all(kEvents, kPadding);
  publishing.get();
  test::eventually("the arena is free again", [&] {
    return node_.count(0, Counter::arena_free_bytes) == node_.segment().arena_bytes();
  });
}

TEST_F(StuckWorker, WhoDoesNotPublishThereIsServedAllTheTime) {
  const auto publisher = node_.client(0);
  auto publishing = std::async(std::launch::async, [&] {
    for (int i = 0; i < 3000; ++i) publisher->send_publish(topic_, numbered(i));
  });
  ASSERT_TRUE(paused(1));
  const auto subscriber = node_.client(0);
  const auto other = node_.client(0);
  const std::string local = node_.topic_at(0, "local");
  subscriber->subscribe(local);
  for (int i = 0; i < 100; ++i) {
    other->publish(local, numbered(i));
    ASSERT_EQ(subscriber->event().args, numbered(i));
  }
  EXPECT_EQ(node_.count(0, Counter::publishers_paused), 1u);
  expect_all(3000, 0);
  publishing.get();
}

TEST_F(StuckWorker, APausedPublisherStillReceives) {
  const auto publisher = node_.client(0);
  const std::string inbox = node_.topic_at(0, "inbox");
  publisher->subscribe(inbox);
  auto publishing = std::async(std::launch::async, [&] {
    for (int i = 0; i < 3000; ++i) publisher->send_publish(topic_, numbered(i));
  });
  ASSERT_TRUE(paused(1));
  const auto other = node_.client(0);
  other->publish(inbox, "[\"for the paused one\"]");
  EXPECT_EQ(publisher->event().args, "[\"for the paused one\"]");
  expect_all(3000, 0);
  publishing.get();
}

TEST_F(StuckWorker, WhatAPausedPublisherSentBeforeItLeftStillCounts) {
  constexpr int kEvents = 2000;
  {
    const auto publisher = node_.client(0);
    for (int i = 0; i < kEvents; ++i) publisher->send_publish(topic_, numbered(i));
    ASSERT_TRUE(paused(1));
    publisher->end_sending();
    expect_all(kEvents, 0);
    EXPECT_EQ(publisher->read_incoming().kind, Incoming::Kind::end);
  }
  ASSERT_TRUE(paused(0));
}

TEST_F(StuckWorker, ItsDeathFreesThePublisher) {
  const auto publisher = node_.client(0);
  auto publishing = std::async(std::launch::async, [&] {
    for (int i = 0; i < 3000; ++i) publisher->send_publish(topic_, numbered(i));
  });
  ASSERT_TRUE(paused(1));
  node_.segment().clear_all_interest(1);
  node_.segment().set_state(1, {.epoch = 1, .state = ring::WorkerState::dead});
  publishing.get();
  publisher->publish("elsewhere", "[]");
  ASSERT_TRUE(paused(0));
  test::eventually("the arena is free again", [&] {
    return node_.count(0, Counter::arena_free_bytes) == node_.segment().arena_bytes();
  });
}

TEST_F(StuckWorker, AMessageAboveTheLimitIsRefusedWithoutTouchingTheArena) {
  const auto publisher = node_.client(0);
  publisher->send_publish(topic_, numbered(0, 200'000));
  EXPECT_EQ(publisher->read_to_close().code, 1009);
  EXPECT_EQ(node_.count(0, Counter::publications), 0u);
}

TEST(NodeBackpressure, LargeBurstsBetweenTwoBusyWorkersArriveWholeAndInOrder) {
  constexpr int kEvents = 300;
  test::NodeSettings settings{.workers = 2, .arena_bytes = 1u << 20};
  settings.options.message_bytes_max = 150'000;
  settings.options.queue_bytes_max = 64u << 20;
  Node node(std::move(settings));
  std::vector<std::future<void>> all;
  std::vector<std::unique_ptr<TestClient>> clients;
  for (const std::uint32_t w : {0u, 1u}) {
    // Each worker publishes to the other, so that both rings are full at times.
    TestClient& subscriber = *clients.emplace_back(node.client(w));
    TestClient& publisher = *clients.emplace_back(node.client(1 - w));
    const std::string topic = "to." + std::to_string(w);
    subscriber.subscribe(topic);
    all.push_back(std::async(std::launch::async, [&publisher, topic] {
      for (int i = 0; i < kEvents; ++i) publisher.send_publish(topic, numbered(i, 100'000));
    }));
    all.push_back(std::async(std::launch::async, [&subscriber] {
      for (int i = 0; i < kEvents; ++i) {
        if (subscriber.event().args != numbered(i, 100'000)) throw std::runtime_error("lost");
      }
    }));
  }
  for (auto& one : all) one.get();
  EXPECT_EQ(node.total(Counter::corrupt_frames_dropped), 0u);
}

TEST(NodeSlowReader, IsClosedAfterWholeFramesAndCostsNobodyElseAnything) {
  constexpr std::size_t kPadding = 20'000;
  test::NodeSettings settings{.workers = 2};
  settings.options.queue_bytes_max = 256u << 10;
  Node node(std::move(settings));
  const auto slow = node.client(0);
  const auto good = node.client(0);
  const auto good_elsewhere = node.client(1);
  const auto publisher = node.client(1);
  for (TestClient* client : {slow.get(), good.get(), good_elsewhere.get()}) {
    client->subscribe("com.example");
  }
  // The kernel's buffers and the queue's bound together are what it may cost.
  int published = 0;
  while (node.count(0, Counter::slow_readers_closed) == 0) {
    ASSERT_LT(published, 5000);
    publisher->publish("com.example", numbered(published, kPadding));
    ASSERT_EQ(good->event().args, numbered(published, kPadding));
    ASSERT_EQ(good_elsewhere->event().args, numbered(published, kPadding));
    ++published;
  }
  for (int i = 0; i < 20; ++i, ++published) {
    publisher->publish("com.example", numbered(published, kPadding));
    ASSERT_EQ(good->event().args, numbered(published, kPadding));
  }
  // What it does get is whole and in order, up to the close frame if it comes to read in time.
  int received = 0;
  Incoming incoming = slow->read_incoming();
  for (; incoming.kind == Incoming::Kind::message; incoming = slow->read_incoming()) {
    ASSERT_NE(incoming.payload.find(numbered(received, kPadding)), std::string::npos);
    ++received;
  }
  EXPECT_LT(received, published);
  EXPECT_TRUE(incoming.kind == Incoming::Kind::end || incoming.code == 1008);
  EXPECT_EQ(node.total(Counter::slow_readers_closed), 1u);
}

// The log goes round while one connection is behind within its bound: it gets a private copy.
TEST(NodeSlowReader, WhoFallsBehindTheLogButNotItsBoundMissesNothing) {
  constexpr std::size_t kPadding = 50'000;
  constexpr int kEvents = 700;  // four times the log
  test::NodeSettings settings{.workers = 1};
  settings.options.queue_bytes_max = 64u << 20;
  Node node(std::move(settings));
  const auto late = node.client(0);
  const auto publisher = node.client(0);
  late->subscribe("com.example");
  // Without answers in between, so that what it has to get is one range of the log.
  for (int i = 0; i < kEvents; ++i) publisher->send_publish("com.example", numbered(i, kPadding));
  publisher->publish("com.example.else", "[]");
  EXPECT_GT(node.count(0, Counter::log_evacuations), 0u);
  for (int i = 0; i < kEvents; ++i) ASSERT_EQ(late->event().args, numbered(i, kPadding));
}

}  // namespace
}  // namespace ringcast::worker
