// A real worker whose realm has its dealer at another worker, which answers when the test says so,
// late or never.
#include <gtest/gtest.h>

#include "tests/worker/node.h"
#include "worker/rpc_frame.h"
#include "worker/topics.h"

namespace ringcast::worker {
namespace {

using ring::Counter;
using ring::DescriptorKind;
using test::Node;
using test::TestClient;

// One of them is at home at worker 1, but for one time in 2^32.
test::NodeSettings many_realms() {
  test::NodeSettings settings{.workers = 2, .puppets = 0b10};
  settings.options.realms.clear();
  for (int i = 0; i < 32; ++i)
    settings.options.realms.push_back(open_realm("realm" + std::to_string(i)));
  return settings;
}

class LateDealer : public testing::Test {
 protected:
  void SetUp() override {
    const std::uint64_t seed = node_.segment().header().topic_seed;
    while (home_of(topic_hash(seed, realm_, {}), 2) != 1) ++realm_;
    ASSERT_LT(realm_, 32);
    client_.upgrade();
    client_.send_message("[1,\"realm" + std::to_string(realm_) +
                         "\",{\"roles\":{\"callee\":{},\"caller\":{}}}]");
    client_.expect<wire::Welcome>();
  }

  ring::Descriptor take(DescriptorKind kind) {
    test::eventually("it arrives", [&] {
      node_.drain_puppet(1);
      return !node_.told(1).handed.empty();
    });
    const ring::Descriptor descriptor = node_.told(1).handed.front().descriptor;
    EXPECT_EQ(descriptor.kind, kind);
    node_.told(1).handed.clear();
    return descriptor;
  }
  void answer(const ring::Descriptor& request, std::uint32_t id) {
    node_.puppet(1).send(0, {.kind = DescriptorKind::register_reply,
                             .realm = request.realm,
                             .argument = id,
                             .target = request.target,
                             .token = request.token,
                             .topic_hash = 5});
    node_.puppet(1).flush();
  }

  Node node_{many_realms()};
  TestClient client_{node_.connect(0), wire::Serializer::json};
  std::uint16_t realm_ = 0;
};

TEST_F(LateDealer, RegisteredComesWithItsAnswer) {
  client_.send_message(R"([64,1,{},"com.mine"])");
  answer(take(DescriptorKind::register_request), 7);
  EXPECT_EQ(client_.expect<wire::Registered>().registration, 7u);
  client_.send_message("[66,2,7]");
  client_.expect<wire::Unregistered>();
  EXPECT_EQ(take(DescriptorKind::unregister_notice).argument, 7u);
}

TEST_F(LateDealer, WithoutAnAnswerRegisterFailsAndALateOneIsTakenBack) {
  client_.send_message(R"([64,1,{},"com.mine"])");
  const ring::Descriptor request = take(DescriptorKind::register_request);
  EXPECT_EQ(client_.expect<wire::Error>().error, "wamp.error.network_failure");
  answer(request, 7);
  const ring::Descriptor notice = take(DescriptorKind::unregister_notice);
  EXPECT_EQ(notice.argument, 7u);
  EXPECT_EQ(notice.target, request.target);
  client_.send_message("[66,2,7]");
  EXPECT_EQ(client_.expect<wire::Error>().error, "wamp.error.no_such_registration");
}

TEST_F(LateDealer, ADealersDeathEndsItsCallsAndIsToldWhatIsRegistered) {
  client_.send_message(R"([64,1,{},"com.mine"])");
  answer(take(DescriptorKind::register_request), 7);
  client_.expect<wire::Registered>();
  client_.send_message(R"([48,2,{},"com.other"])");
  take(DescriptorKind::call);
  node_.restart_puppet(1);
  const wire::Error& error = client_.expect<wire::Error>();
  EXPECT_EQ(error.request, 2u);
  EXPECT_EQ(error.error, "wamp.error.network_failure");
  const ring::Descriptor announced = take(DescriptorKind::announce_registration);
  EXPECT_EQ(announced.argument, 7u);
  EXPECT_EQ(announced.topic_hash, 5u) << "its place among those who share it";
}

TEST_F(LateDealer, WhatIsForASessionThatIsGoneGoesBack) {
  client_.send_message(R"([64,1,{},"com.mine"])");
  const ring::Descriptor request = take(DescriptorKind::register_request);
  answer(request, 7);
  client_.expect<wire::Registered>();
  client_.reset();
  take(DescriptorKind::dealing_ended);
  node_.puppet(1).send(0,
                       {.kind = DescriptorKind::invocation,
                        .realm = realm_,
                        .argument = 7,
                        .target = request.target,
                        .token = 99},
                       write_rpc_frame({.uri = "com.mine"}));
  node_.puppet(1).flush();
  const ring::Descriptor outcome = take(DescriptorKind::call_outcome);
  EXPECT_EQ(outcome.token, 99u);
  EXPECT_EQ(outcome.argument, static_cast<std::uint32_t>(Outcome::undelivered));
}

}  // namespace
}  // namespace ringcast::worker
