// Connections that come and go by the hundred, ending in every way there is, while others publish:
// nobody ever sees a frame that is not its own, and everything is given back (invariants I2, I6).
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/worker/node.h"

namespace ringcast::worker {
namespace {

using ring::Counter;
using test::Node;
using test::TestClient;
using wire::Serializer;

constexpr std::uint32_t kWorkers = 3;
constexpr int kTopics = 4;

std::string topic_name(int i) { return "churn." + std::to_string(i); }

// One short life: subscribes to one topic, checks whatever comes, and ends somehow.
void live_once(Node& node, ring::test::Random& random) {
  const auto below = [&](std::uint64_t end) { return ring::test::below(random, end); };
  const auto worker = static_cast<std::uint32_t>(below(kWorkers));
  TestClient client(node.connect(worker), below(2) == 0 ? Serializer::json : Serializer::msgpack);
  if (below(16) == 0) return;  // before the upgrade
  client.upgrade();
  if (below(16) == 0) return client.reset();
  client.hello();
  const std::string topic = topic_name(static_cast<int>(below(kTopics)));
  if (below(4) == 0) {  // gone before the home's answer
    client.send_subscribe(topic);
    return client.reset();
  }
  const std::uint64_t id = client.subscribe(topic);
  for (std::uint64_t events = below(4); events != 0; --events) {
    const test::ReceivedEvent event = client.event();
    if (event.subscription != id || event.args.find("\"" + topic + "\"") == std::string::npos) {
      throw std::runtime_error("an event of another subscription: " + event.args);
    }
  }
  switch (below(4)) {
    case 0:
      return client.reset();
    case 1:
      return client.disconnect();
    case 2:
      client.close_with(1000);
      client.read_to_close();
      return;
    default:
      client.send_raw(std::string("\x81\xFE\x01", 3));  // half a frame's header
  }
}

TEST(NodeChurn, NobodySeesWhatIsNotItsOwnAndEverythingIsGivenBack) {
  constexpr int kThreads = 3;
  constexpr int kLives = 120;
  Node node({.workers = kWorkers, .slots = 16});
  std::atomic<bool> stop{false};
  std::vector<std::future<void>> publishing;
  std::vector<std::unique_ptr<TestClient>> publishers;
  for (std::uint32_t w = 0; w < kWorkers; ++w) {
    TestClient& publisher = *publishers.emplace_back(node.client(w));
    publishing.push_back(std::async(std::launch::async, [&publisher, &stop] {
      for (int i = 0; !stop; ++i) {
        const std::string topic = topic_name(i % kTopics);
        publisher.publish(topic, "[\"" + topic + "\"]");
      }
    }));
  }
  std::vector<std::future<void>> living;
  for (int t = 0; t < kThreads; ++t) {
    living.push_back(std::async(std::launch::async, [&node, t] {
      ring::test::Random random(static_cast<std::uint64_t>(t) + 1);
      for (int i = 0; i < kLives; ++i) live_once(node, random);
    }));
  }
  for (auto& one : living) one.get();
  stop = true;
  for (auto& one : publishing) one.get();
  publishers.clear();
  test::eventually("everybody is gone", [&] { return node.total(Counter::connections) == 0; });
  EXPECT_EQ(node.total(Counter::connections_accepted),
            static_cast<std::uint64_t>(kThreads * kLives) + kWorkers);
  EXPECT_EQ(node.total(Counter::connections_closed), node.total(Counter::connections_accepted));
  EXPECT_EQ(node.total(Counter::sessions), 0u);
  EXPECT_EQ(node.total(Counter::subscriptions), 0u);
  test::eventually("no topic is held", [&] {
    return node.total(Counter::topics) + node.total(Counter::home_topics) == 0;
  });
  EXPECT_EQ(node.total(Counter::corrupt_frames_dropped), 0u);
  EXPECT_EQ(node.total(Counter::corrupt_descriptors_dropped), 0u);
}

}  // namespace
}  // namespace ringcast::worker
