// Sessions on real workers: several on one transport, answers that come too late, and the end.
#include <gtest/gtest.h>

#include "ring/session_id.h"
#include "tests/worker/node.h"

namespace ringcast::worker {
namespace {

using ring::Counter;
using ring::DescriptorKind;
using test::Incoming;
using test::Node;
using test::TestClient;

TEST(NodeSession, TheSessionIdNamesItsWorker) {
  Node node({.workers = 2});
  for (const std::uint32_t w : {0u, 1u}) {
    TestClient client(node.connect(w), wire::Serializer::json);
    client.upgrade();
    const std::uint64_t id = client.hello();
    EXPECT_EQ(ring::connection_of_session(id, node.segment().header().session_key).worker, w);
  }
}

TEST(NodeSession, ASecondSessionOnOneTransportIsAnotherAndHoldsNothingOfTheFirst) {
  Node node({.workers = 2});
  const auto publisher = node.client(1);
  TestClient client(node.connect(0), wire::Serializer::json);
  client.upgrade();
  const std::uint64_t first = client.hello();
  client.subscribe("com.first");
  client.send_goodbye();
  client.expect<wire::Goodbye>();
  const std::uint64_t second = client.hello();
  EXPECT_NE(second, first);
  publisher->publish("com.first", "[1]");
  client.subscribe("com.second");  // throws if an EVENT comes instead
  publisher->publish("com.second", "[2]");
  EXPECT_EQ(client.event().args, "[2]");
  EXPECT_EQ(node.count(0, Counter::sessions), 1u);
}

// Worker 1 is home to the topic and answers when the test says so.
class LateAnswer : public testing::Test {
 protected:
  ring::Descriptor take_request() {
    test::eventually("a request arrives", [&] {
      node_.drain_puppet(1);
      return !node_.told(1).handed.empty();
    });
    const test::Handed& request = node_.told(1).handed.front();
    EXPECT_EQ(request.descriptor.kind, DescriptorKind::subscribe_request);
    EXPECT_EQ(request.frame, topic_);
    const ring::Descriptor descriptor = request.descriptor;
    node_.told(1).handed.clear();
    return descriptor;
  }
  void answer(const ring::Descriptor& request, std::uint32_t id) {
    node_.puppet(1).send(0, {.kind = DescriptorKind::subscribe_reply,
                             .argument = id,
                             .target = request.target,
                             .token = request.token,
                             .topic_hash = request.topic_hash});
    node_.puppet(1).flush();
  }
  void expect_release_of(std::uint32_t id) {
    test::eventually("the home hears that nobody holds it", [&] {
      node_.drain_puppet(1);
      return !node_.told(1).handed.empty();
    });
    EXPECT_EQ(node_.told(1).handed[0].descriptor.kind, DescriptorKind::unsubscribe_notice);
    EXPECT_EQ(node_.told(1).handed[0].descriptor.argument, id);
  }

  Node node_{{.workers = 2, .puppets = 0b10}};
  const std::string topic_ = node_.topic_at(1);
};

TEST_F(LateAnswer, SubscribedComesWithTheHomesAnswerAndNotBefore) {
  const auto client = node_.client(0);
  client->send_subscribe(topic_);
  const ring::Descriptor request = take_request();
  client->publish("elsewhere", "[]");  // answered first: nothing waits for the home but SUBSCRIBED
  EXPECT_EQ(node_.segment().interested_workers(node_.hash(topic_)), 0u);
  answer(request, 41);
  EXPECT_EQ(client->expect<wire::Subscribed>().subscription, 41u);
  EXPECT_EQ(node_.segment().interested_workers(node_.hash(topic_)), 1u);
}

TEST_F(LateAnswer, ForAConnectionThatIsGoneItIsDroppedAndCounted) {
  {
    const auto client = node_.client(0);
    client->send_subscribe(topic_);
    const ring::Descriptor request = take_request();
    client->reset();
    test::eventually("the connection is gone",
                     [&] { return node_.count(0, Counter::connections_closed) == 1; });
    // Its slot has an heir by now, who has asked for nothing.
    const auto heir = node_.client(0);
    answer(request, 41);
    test::eventually("the answer is dropped",
                     [&] { return node_.count(0, Counter::stale_frames_dropped) == 1; });
    heir->publish("elsewhere", "[]");  // throws if a SUBSCRIBED comes instead
  }
  expect_release_of(41);
  EXPECT_EQ(node_.count(0, Counter::topics), 0u);
}

TEST_F(LateAnswer, ForTheFirstSessionItDoesNotReachTheSecondOnTheSameTransport) {
  const auto client = node_.client(0);
  client->send_subscribe(topic_);
  const ring::Descriptor request = take_request();
  client->send_goodbye();
  client->expect<wire::Goodbye>();
  client->hello();
  answer(request, 41);
  expect_release_of(41);
  EXPECT_EQ(node_.count(0, Counter::stale_frames_dropped), 1u);
  client->publish("elsewhere", "[]");
}

TEST_F(LateAnswer, ARefusalBecomesAnErrorAndTheTopicIsForgotten) {
  const auto client = node_.client(0);
  client->send_subscribe(topic_);
  answer(take_request(), 0);
  EXPECT_EQ(client->expect<wire::Error>().error, "ringcast.error.limit_exceeded");
  EXPECT_EQ(node_.count(0, Counter::topics), 0u);
}

TEST_F(LateAnswer, OfAHomeThatDiedIsAskedForAgainWhenItIsBack) {
  const auto client = node_.client(0);
  client->send_subscribe(topic_);
  take_request();
  node_.restart_puppet(1);
  answer(take_request(), 42);
  EXPECT_EQ(client->expect<wire::Subscribed>().subscription, 42u);
}

TEST(NodeSession, ADrainSaysGoodbyeClosesWith1001AndEndsTheWorker) {
  Node node({.workers = 2});
  const auto subscriber = node.client(0);
  subscriber->subscribe("com.example");
  const auto publisher = node.client(1);
  publisher->publish("com.example", "[1]");
  EXPECT_EQ(subscriber->event().args, "[1]");
  node.drain(0, 60'000);
  EXPECT_EQ(subscriber->expect<wire::Goodbye>().reason, "wamp.close.system_shutdown");
  const Incoming end = subscriber->read_to_close();
  EXPECT_EQ(end.kind, Incoming::Kind::close);
  EXPECT_EQ(end.code, 1001);
  subscriber->close_with(1001);
  node.join(0);
  publisher->publish("com.example", "[2]");  // the other goes on
}

TEST(NodeSession, ADrainGivesUpOnAPeerThatDoesNotAnswer) {
  Node node({.workers = 1});
  const auto client = node.client(0);
  node.drain(0, 50);
  node.join(0);
  EXPECT_EQ(client->read_to_close().code, 1001);
}

}  // namespace
}  // namespace ringcast::worker
