// A real worker whose sessions are authorised by a procedure, with a realm whose dealer is at
// another worker: the test answers in its place, late or never. A message waits until then, and
// what its session sends behind it.
#include <gtest/gtest.h>

#include "tests/worker/node.h"
#include "wire/uri.h"
#include "worker/dealer.h"
#include "worker/rpc_frame.h"
#include "worker/topics.h"

namespace ringcast::worker {
namespace {

using ring::Counter;
using ring::DescriptorKind;
using test::Node;
using test::TestClient;

std::shared_ptr<const Realm> authorised_realm(std::string name) {
  auto realm = std::make_shared<Realm>();
  realm->name = std::move(name);
  realm->roles.resize(1);
  realm->roles[0].name = "anonymous";
  realm->roles[0].authorizer =
      DynamicAuthorizer{.procedure = "com.app.authorize", .timeout_ms = 60'000, .cache_ms = 0};
  realm->anonymous_role = 0;
  return realm;
}

// One of them is at home at worker 1, but for one time in 2^32.
test::NodeSettings authorised_realms() {
  test::NodeSettings settings{.workers = 2, .puppets = 0b10};
  settings.options.realms.clear();
  for (int i = 0; i < 32; ++i) {
    settings.options.realms.push_back(authorised_realm("realm" + std::to_string(i)));
  }
  return settings;
}

class LateAuthorizer : public testing::TestWithParam<wire::Serializer> {
 protected:
  void SetUp() override {
    const std::uint64_t seed = node_.segment().header().topic_seed;
    while (home_of(topic_hash(seed, realm_, {}), 2) != 1) ++realm_;
    ASSERT_LT(realm_, 32);
    client_.upgrade();
    client_.send_message(client_.from_json("[1,\"realm" + std::to_string(realm_) +
                                           "\",{\"roles\":{\"publisher\":{},\"caller\":{}}}]"));
    client_.expect<wire::Welcome>();
  }

  struct Call {
    ring::Descriptor descriptor;
    std::string frame;
  };
  Call take_call() {
    test::eventually("a call arrives", [&] {
      node_.drain_puppet(1);
      return !node_.told(1).handed.empty();
    });
    const auto& first = node_.told(1).handed.front();
    Call call{first.descriptor, std::string(first.frame)};
    node_.told(1).handed.erase(node_.told(1).handed.begin());
    EXPECT_EQ(call.descriptor.kind, DescriptorKind::call);
    EXPECT_EQ(ring::ConnectionId::from_packed(call.descriptor.target).slot, ring::kRouterSlot);
    const auto frame = parse_rpc_frame(call.frame);
    EXPECT_TRUE(frame && frame->uri == "com.app.authorize");
    return call;
  }
  void answer(const Call& call, std::string_view json) {
    node_.puppet(1).send(0,
                         {.kind = DescriptorKind::call_answer,
                          .argument = static_cast<std::uint32_t>(Outcome::result),
                          .target = call.descriptor.target,
                          .token = call.descriptor.token},
                         write_rpc_frame({.payload = {.args = json, .kwargs = {}}}));
    node_.puppet(1).flush();
  }
  void send(std::string_view json) { client_.send_message(client_.from_json(json)); }
  bool quiet() {
    node_.drain_puppet(1);
    return node_.told(1).handed.empty();
  }

  Node node_{authorised_realms()};
  TestClient client_{node_.connect(0), GetParam()};
  std::uint16_t realm_ = 0;
};

TEST_P(LateAuthorizer, AMessageWaitsForItsAnswerAndWhatComesBehindItToo) {
  send(R"([16,1,{"acknowledge":true},"com.a"])");
  send(R"([48,2,{},"com.b"])");
  const Call first = take_call();
  answer(first, "[true]");
  EXPECT_EQ(client_.expect<wire::Published>().request, 1u);
  answer(take_call(), "[false]");
  const wire::Error& error = client_.expect<wire::Error>();
  EXPECT_EQ(error.request, 2u);
  EXPECT_EQ(error.error, wire::uri::kNotAuthorized);
  EXPECT_TRUE(quiet()) << "the CALL itself did not leave";
  EXPECT_EQ(node_.count(0, Counter::authorizations_denied), 1u);
  EXPECT_EQ(node_.count(0, Counter::authorizer_calls), 2u);
  EXPECT_EQ(node_.count(0, Counter::publishers_paused), 0u);
}

TEST_P(LateAuthorizer, ADealersDeathIsANoAndNothingWaitsForEver) {
  send(R"([16,1,{"acknowledge":true},"com.a"])");
  const Call lost = take_call();
  node_.restart_puppet(1);
  EXPECT_EQ(client_.expect<wire::Error>().error, wire::uri::kAuthorizationFailed);
  answer(lost, "[true]");  // by one that is no more
  send(R"([16,2,{"acknowledge":true},"com.a"])");
  test::eventually("the next incarnation is told what is registered", [&] {
    node_.drain_puppet(1);
    auto& handed = node_.told(1).handed;
    std::erase_if(handed, [](const auto& h) { return h.descriptor.kind != DescriptorKind::call; });
    return !handed.empty();
  });
  answer(take_call(), "[true]");
  EXPECT_EQ(client_.expect<wire::Published>().request, 2u);
  EXPECT_EQ(node_.count(0, Counter::authorizations_failed), 1u);
}

TEST_P(LateAuthorizer, WhoHasNotAskedForAnAnswerIsNotTold) {
  send(R"([16,1,{},"com.a"])");
  answer(take_call(), "[false]");
  send(R"([16,2,{"acknowledge":true},"com.a"])");
  answer(take_call(), "[true]");
  EXPECT_EQ(client_.expect<wire::Published>().request, 2u);
  EXPECT_EQ(node_.count(0, Counter::publications), 1u);
}

TEST_P(LateAuthorizer, ASessionThatIsClosedWhileItWaitsLeavesNothing) {
  send(R"([16,1,{"acknowledge":true},"com.a"])");
  const Call call = take_call();
  client_.reset();
  answer(call, "[true]");
  test::eventually("the connection is gone",
                   [&] { return node_.count(0, Counter::connections) == 0; });
  EXPECT_EQ(node_.count(0, Counter::publishers_paused), 0u);
  EXPECT_EQ(node_.count(0, Counter::sessions), 0u);
}

TEST_P(LateAuthorizer, ADrainDoesNotWaitForAnAnswer) {
  send(R"([16,1,{"acknowledge":true},"com.a"])");
  take_call();
  node_.drain(0, 60'000);
  client_.expect<wire::Goodbye>();
  EXPECT_EQ(client_.read_to_close().code, 1001);
  client_.close_with(1001);
  node_.join(0);
}

INSTANTIATE_TEST_SUITE_P(Serializers, LateAuthorizer,
                         testing::Values(wire::Serializer::json, wire::Serializer::msgpack));

}  // namespace
}  // namespace ringcast::worker
