// One worker of several dies and comes back: the others' clients miss nothing, ids stay what they
// were, and no memory is lost (invariant I8).
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/worker/node.h"

namespace ringcast::worker {
namespace {

using ring::Counter;
using test::Incoming;
using test::Node;
using test::TestClient;

TEST(NodeDeath, ItsOwnClientsAreCutOffAndNobodyElseIs) {
  Node node({.workers = 2});
  const auto doomed = node.client(1);
  const auto survivor = node.client(0);
  node.kill(1);
  EXPECT_EQ(doomed->read_to_close().kind, Incoming::Kind::end);
  survivor->publish("com.example", "[]");
}

TEST(NodeDeath, SubscribersElsewhereMissNothingWhileAWorkerDiesAgainAndAgain) {
  constexpr int kDeaths = 8;
  Node node({.workers = 3, .arena_bytes = 1u << 20});
  const std::string topic = node.topic_at(0);
  const auto subscriber = node.client(0);
  subscriber->subscribe(topic);
  const auto publisher = node.client(2);
  std::atomic<bool> stop{false};
  std::atomic<int> published{0};
  auto publishing = std::async(std::launch::async, [&] {
    while (!stop) {
      publisher->publish(topic, "[" + std::to_string(published) + "]");
      ++published;
    }
  });
  auto reading = std::async(std::launch::async, [&] {
    for (int i = 0; !stop || i < published; ++i) {
      const std::string args = subscriber->event().args;
      if (args == "[-1]") return;
      if (args != "[" + std::to_string(i) + "]") throw std::runtime_error("lost before " + args);
    }
  });
  for (int death = 0; death < kDeaths; ++death) {
    const auto client = node.client(1);
    client->subscribe(topic);
    client->event();  // in the middle of the broadcast
    node.kill(1);
    node.start(1);
    node.wait_live(1);
  }
  stop = true;
  publishing.get();
  publisher->publish(topic, "[-1]");
  reading.get();
  test::eventually("no frame is held", [&] {
    return node.count(2, Counter::arena_free_bytes) == node.segment().arena_bytes() &&
           node.count(0, Counter::arena_free_bytes) == node.segment().arena_bytes();
  });
}

TEST(NodeDeath, ARestartedHomeKeepsTheIdsThatOthersHold) {
  Node node({.workers = 3});
  const std::string topic = node.topic_at(1);
  const auto holder = node.client(0);
  const std::uint64_t id = holder->subscribe(topic);
  node.kill(1);
  const auto waiting = node.client(2);
  waiting->send_subscribe(topic);  // the home is away: the answer waits for it
  node.start(1);
  node.wait_live(1);
  EXPECT_EQ(waiting->expect<wire::Subscribed>().subscription, id);
  const auto newcomer = node.client(1);
  EXPECT_EQ(newcomer->subscribe(topic), id);
  const std::uint64_t other = newcomer->subscribe(node.topic_at(1, "com.other"));
  EXPECT_NE(other, id);
  holder->publish(topic, "[1]");
  EXPECT_EQ(waiting->event().args, "[1]");
  EXPECT_EQ(newcomer->event().args, "[1]");
}

TEST(NodeDeath, ATopicReleasedWhileItsHomeWasAwayIsNotHeldForEver) {
  Node node({.workers = 2});
  const std::string topic = node.topic_at(1);
  const auto holder = node.client(0);
  const std::uint64_t id = holder->subscribe(topic);
  node.kill(1);
  holder->unsubscribe(id);
  node.start(1);
  node.wait_live(1);
  EXPECT_NE(holder->subscribe(topic), id);
  EXPECT_EQ(node.count(1, Counter::home_topics), 1u);
}

}  // namespace
}  // namespace ringcast::worker
