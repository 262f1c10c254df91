// Who says nothing is not waited for: before the upgrade, before HELLO, and in a session.
#include <gtest/gtest.h>

#include "tests/worker/node.h"

namespace ringcast::worker {
namespace {

using ring::Counter;
using test::Incoming;
using test::Node;
using test::TestClient;

constexpr std::uint64_t kSoon = 50;
constexpr std::uint64_t kNever = 600'000;

test::NodeSettings timeouts(std::uint64_t handshake, std::uint64_t interval, std::uint64_t pong) {
  test::NodeSettings settings{.workers = 1};
  settings.options.handshake_timeout_ms = handshake;
  settings.options.ping_interval_ms = interval;
  settings.options.ping_timeout_ms = pong;
  return settings;
}

bool all_gone(Node& node) {
  return test::eventually("the connection is gone",
                          [&] { return node.count(0, Counter::connections) == 0; });
}

TEST(NodeTimeout, WithoutARequestTheAnswerIs408) {
  Node node(timeouts(kSoon, kNever, kNever));
  TestClient client(node.connect(0), wire::Serializer::json);
  client.send_raw("GET /ws HTTP/1.1\r\nHost: x\r\n");
  EXPECT_EQ(client.read_raw().substr(0, 12), "HTTP/1.1 408");
  EXPECT_EQ(node.count(0, Counter::handshake_timeouts), 1u);
  client.disconnect();
  all_gone(node);
}

TEST(NodeTimeout, WithoutHelloTheSessionIsAborted) {
  Node node(timeouts(kSoon, kNever, kNever));
  for (const auto serializer : {wire::Serializer::json, wire::Serializer::msgpack}) {
    TestClient client(node.connect(0), serializer);
    client.upgrade();
    EXPECT_EQ(client.expect<wire::Abort>().reason, "wamp.error.protocol_violation");
    EXPECT_EQ(client.read_to_close().code, 1008);
    client.close_with(1008);
  }
  all_gone(node);
}

TEST(NodeTimeout, AfterGoodbyeAnotherHelloHasItsTimeToo) {
  Node node(timeouts(kSoon, kNever, kNever));
  TestClient client(node.connect(0), wire::Serializer::json);
  client.upgrade();
  client.hello();
  client.send_goodbye();
  client.expect<wire::Goodbye>();
  EXPECT_EQ(client.read_to_close().code, 1000);
}

TEST(NodeTimeout, AnEstablishedSessionIsNotBoundByTheHandshakesTime) {
  Node node(timeouts(kSoon, 150, kNever));
  const auto client = node.client(0);
  // The ping comes when the handshake's time has long been over.
  EXPECT_EQ(client->read_incoming().kind, Incoming::Kind::ping);
  client->publish("com.example", "[]");
}

TEST(NodeTimeout, WhoDoesNotAnswerAPingIsGivenUp) {
  Node node(timeouts(kNever, kSoon, kSoon));
  const auto client = node.client(0);
  EXPECT_EQ(client->read_incoming().kind, Incoming::Kind::ping);
  EXPECT_EQ(client->read_incoming().kind, Incoming::Kind::end);
  EXPECT_EQ(node.count(0, Counter::ping_timeouts), 1u);
  all_gone(node);
}

TEST(NodeTimeout, WhoAnswersPingsStaysAndIsAskedAgain) {
  // The next ping is due when the last one's time is over.
  Node node(timeouts(kNever, kSoon, 5'000));
  const auto client = node.client(0);
  for (int i = 0; i < 2; ++i) {
    const Incoming ping = client->read_incoming();
    ASSERT_EQ(ping.kind, Incoming::Kind::ping);
    client->send_frame(wire::Opcode::pong, ping.payload);
  }
  client->publish("com.example", "[]");
  EXPECT_EQ(node.count(0, Counter::ping_timeouts), 0u);
}

TEST(NodeTimeout, ACloseHandshakeThatThePeerDoesNotFinishEndsAnyway) {
  Node node(timeouts(kNever, kNever, kNever));
  const auto client = node.client(0);
  client->send_message("this is no WAMP message");
  EXPECT_EQ(client->read_to_close().code, 1002);
  all_gone(node);
}

}  // namespace
}  // namespace ringcast::worker
