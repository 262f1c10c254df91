// What a session may do, by rules and by an authorizer that answers when the test says so: whom an
// answer serves, for how long, and what is left when sessions end.
#include "worker/authorizer.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "wire/uri.h"
#include "worker/rpc_frame.h"

namespace ringcast::worker {
namespace {

constexpr std::string_view kProcedure = "com.app.authorize";

struct Asked {
  std::string procedure;
  std::string args;
  std::uint64_t timeout_ms;
  RouterCalls::Callback end;
};

class AuthorizerTest : public testing::Test, public AuthorizerUser {
 protected:
  AuthorizerTest() {
    auto realm = std::make_shared<Realm>();
    realm->name = "realm1";
    realm->roles.resize(4);
    realm->roles[kOpen].name = "open";
    realm->roles[kOpen].unrestricted = true;
    realm->roles[kEmpty].name = "empty";
    realm->roles[kRuled].name = "ruled";
    realm->roles[kRuled].rules = *auth::RoleRules::build(
        {{.uri = "com.app.", .match = auth::UriMatch::prefix, .allow = auth::Actions::all()},
         {.uri = "com.app.secret",
          .allow = {auth::Action::publish},
          .disclose = auth::Disclosure::never}});
    realm->roles[kAsking].name = "asking";
    realm->roles[kAsking].authorizer = DynamicAuthorizer{.procedure = std::string(kProcedure),
                                                         .timeout_ms = 700,
                                                         .cache_ms = cache_ms_,
                                                         .scope = scope_};
    realm_ = realm;
  }

  // The configuration is read when the first session comes.
  Authorizer& authorizer() {
    if (!authorizer_) {
      realm_->roles[kAsking].authorizer->cache_ms = cache_ms_;
      realm_->roles[kAsking].authorizer->scope = scope_;
      WorkerOptions options;
      options.realms = {realm_};
      realms_ = std::make_unique<Realms>(options, *segment_);
      authorizer_ =
          std::make_unique<Authorizer>(*realms_, ring::SessionKey{1, 2}, counters_, *this);
    }
    return *authorizer_;
  }

  Connection& session(std::uint16_t role, std::string authid = "joe", std::uint32_t slot = 1,
                      std::uint32_t generation = 1) {
    const ring::ConnectionId id{.worker = 0, .slot = slot, .generation = generation};
    auto connection = std::make_unique<Connection>(id, limits_, pool_);
    connection->session.emplace();
    connection->session->identity = std::make_unique<Identity>();
    connection->session->identity->authid = std::move(authid);
    connection->session->identity->authrole = realm_->roles[role].name;
    connection->session->identity->role = role;
    connections_.push_back(std::move(connection));
    return *connections_.back();
  }
  static Intent publish(std::string_view uri, std::uint64_t request = 1) {
    return {.kind = auth::Action::publish, .uri = uri, .request = request};
  }
  static Intent subscribe(std::string_view uri, auth::UriMatch match) {
    return {.kind = auth::Action::subscribe, .uri = uri, .match = match, .request = 1};
  }
  Verdict verdict(Connection& connection, const Intent& intent) {
    return authorizer().check(connection, intent).verdict;
  }
  // Ends the call that was made first and is still open.
  void answer(std::string_view json) {
    RouterCalls::Callback end = std::move(asked_.front().end);
    asked_.erase(asked_.begin());
    const std::string args = "[" + std::string(json) + "]";
    end({.payload = {.args = args, .kwargs = {}}});
  }
  void fail(std::string_view error) {
    RouterCalls::Callback end = std::move(asked_.front().end);
    asked_.erase(asked_.begin());
    end({.error = error, .message = "as the test wants"});
  }

  bool call_procedure(const OwnCall& call, RouterCalls::Callback end) override {
    if (full_) return false;
    asked_.push_back({std::string(call.procedure), std::string(call.payload.args), call.timeout_ms,
                      std::move(end)});
    return true;
  }
  void on_decided(ring::ConnectionId session) override { told_.push_back(session.slot); }
  void warn(std::string line) override { lines_.push_back(std::move(line)); }

  static constexpr std::uint16_t kOpen = 0, kEmpty = 1, kRuled = 2, kAsking = 3;
  std::uint64_t cache_ms_ = 0;
  DynamicAuthorizer::Scope scope_ = DynamicAuthorizer::Scope::authid;
  bool full_ = false;
  std::shared_ptr<Realm> realm_;
  std::unique_ptr<ring::Segment> segment_ =
      std::get<std::unique_ptr<ring::Segment>>(ring::Segment::create({}));
  std::unique_ptr<Realms> realms_;
  ring::Counters counters_;
  std::unique_ptr<Authorizer> authorizer_;
  wire::FrameLimits limits_;
  wire::FrameStatePool pool_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Asked> asked_;
  std::vector<std::uint32_t> told_;
  std::vector<std::string> lines_;
};

TEST_F(AuthorizerTest, RulesDecideAndARoleWithoutThemMayDoNothing) {
  EXPECT_EQ(verdict(session(kOpen), publish("anything")), Verdict::allowed);
  EXPECT_EQ(verdict(session(kEmpty), publish("anything")), Verdict::denied);
  Connection& ruled = session(kRuled);
  EXPECT_EQ(verdict(ruled, publish("com.app.x")), Verdict::allowed);
  EXPECT_EQ(verdict(ruled, publish("com.other")), Verdict::denied);
  EXPECT_EQ(verdict(ruled, subscribe("com.app.x.", auth::UriMatch::prefix)), Verdict::allowed);
  EXPECT_EQ(verdict(ruled, subscribe("com.app.", auth::UriMatch::prefix)), Verdict::denied)
      << "it covers com.app.secret, which may not be subscribed to";
  EXPECT_EQ(verdict(ruled, subscribe("com.", auth::UriMatch::prefix)), Verdict::denied);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(AuthorizerTest, ASessionWhoseRoleIsUnknownMayDoNothing) {
  Connection& lost = session(kOpen);
  authorizer();
  lost.session->identity->role = 99;
  EXPECT_EQ(verdict(lost, publish("com.app.x")), Verdict::denied);
}

TEST_F(AuthorizerTest, WhoMayNotBeDisclosedMayNotAskForIt) {
  Connection& ruled = session(kRuled);
  Intent intent = publish("com.app.secret");
  EXPECT_EQ(authorizer().check(ruled, intent).disclose, auth::Disclosure::never);
  intent.asks_disclosure = true;
  EXPECT_EQ(verdict(ruled, intent), Verdict::concealed);
  intent.uri = "com.app.x";
  EXPECT_EQ(verdict(ruled, intent), Verdict::allowed);
}

TEST_F(AuthorizerTest, AnAnswerServesTheMessageThatAskedAndNoOther) {
  Connection& asking = session(kAsking);
  EXPECT_EQ(verdict(asking, publish("com.x")), Verdict::waiting);
  EXPECT_EQ(verdict(asking, publish("com.x")), Verdict::waiting) << "offered too early";
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_EQ(asked_[0].procedure, kProcedure);
  EXPECT_EQ(asked_[0].timeout_ms, 700u);
  answer("true");
  EXPECT_EQ(told_, std::vector<std::uint32_t>{1});
  EXPECT_EQ(verdict(asking, publish("com.x")), Verdict::allowed);
  EXPECT_EQ(verdict(asking, publish("com.x")), Verdict::allowed) << "it had found no room";
  EXPECT_EQ(verdict(asking, publish("com.x", 2)), Verdict::waiting);
  answer("false");
  EXPECT_EQ(verdict(asking, publish("com.x", 2)), Verdict::denied);
  EXPECT_EQ(authorizer().askings(), 0u);
}

TEST_F(AuthorizerTest, AnAuthorizerIsToldWhoWantsWhat) {
  Connection& asking = session(kAsking, "jo\"e");
  asking.session->identity->authmethod = "ticket";
  asking.session->identity->authprovider = "static";
  Intent intent = subscribe("com.", auth::UriMatch::prefix);
  intent.options = R"({"match":"prefix"})";
  verdict(asking, intent);
  ASSERT_EQ(asked_.size(), 1u);
  const std::uint64_t id = ring::session_id_of(asking.id, {1, 2});
  EXPECT_EQ(asked_[0].args,
            R"([{"session":)" + std::to_string(id) +
                R"(,"realm":"realm1","authid":"jo\"e","authrole":"asking","authmethod":"ticket",)"
                R"("authprovider":"static"},"com.","subscribe",{"match":"prefix"}])");
}

TEST_F(AuthorizerTest, WhatIsNoAnswerIsANo) {
  Connection& asking = session(kAsking);
  std::uint64_t request = 0;
  for (const char* json :
       {"", "1", "null", "\"true\"", "[true]", "{}", R"({"allow":1})", R"({"disclose":true})",
        R"({"allow":true,"cache":1})", R"({"allow":true,"disclose":"yes"})"}) {
    ++request;
    ASSERT_EQ(verdict(asking, publish("com.x", request)), Verdict::waiting) << json;
    answer(json);
    EXPECT_EQ(verdict(asking, publish("com.x", request)), Verdict::failed) << json;
  }
  verdict(asking, publish("com.x", ++request));
  fail(wire::uri::kTimeout);
  EXPECT_EQ(verdict(asking, publish("com.x", request)), Verdict::failed);
}

TEST_F(AuthorizerTest, WhatFailsIsLoggedWhichNobodyCanMakeUseOf) {
  Connection& asking = session(kAsking);
  std::uint64_t request = 0;
  const auto fails = [&](std::string_view error, std::string_view message) {
    verdict(asking, publish("com.x", ++request));
    RouterCalls::Callback end = std::move(asked_.front().end);
    asked_.clear();
    end({.error = error, .message = message});
  };
  authorizer().set_now(50'000);
  fails(wire::uri::kNoSuchProcedure, "nobody has registered this procedure");
  fails("com.app.error", "");
  fails("com.app.error", "");
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(
      lines_[0],
      "the authorizer com.app.authorize of realm realm1 gave no decision, which is a no: "
      "nobody has registered this procedure; a session of a role without an authorizer has to");
  authorizer().set_now(50'000 + LogLimiter::kIntervalMs);
  fails("com.app\nforged", "");
  ASSERT_EQ(lines_.size(), 2u);
  EXPECT_TRUE(lines_[1].ends_with("an error (and 2 more since the last line)")) << lines_[1];
}

TEST_F(AuthorizerTest, AnAnswerSaysWhetherSomebodyIsDisclosed) {
  Connection& asking = session(kAsking);
  const std::map<std::string, auth::Disclosure> expected = {
      {R"({"allow":true})", auth::Disclosure::asked},
      {R"({"allow":true,"disclose":null})", auth::Disclosure::asked},
      {R"({"allow":true,"disclose":true,"unknown":7})", auth::Disclosure::always},
      {R"({"allow":true,"disclose":false})", auth::Disclosure::never}};
  std::uint64_t request = 0;
  for (const auto& [json, disclose] : expected) {
    verdict(asking, publish("com.x", ++request));
    answer(json);
    EXPECT_EQ(authorizer().check(asking, publish("com.x", request)).disclose, disclose) << json;
  }
}

class CachingAuthorizerTest : public AuthorizerTest {
 protected:
  CachingAuthorizerTest() { cache_ms_ = 1000; }
};

TEST_F(CachingAuthorizerTest, AnAnswerIsKeptForItsTimeIfItMayBe) {
  Connection& asking = session(kAsking);
  authorizer().set_now(5000);
  verdict(asking, publish("com.x"));
  answer(R"({"allow":true,"cache":true})");
  EXPECT_EQ(verdict(asking, publish("com.x", 2)), Verdict::allowed);
  EXPECT_EQ(verdict(asking, publish("com.y", 3)), Verdict::waiting) << "another URI";
  answer("true");
  authorizer().set_now(5999);
  EXPECT_EQ(verdict(asking, publish("com.x", 4)), Verdict::allowed);
  EXPECT_EQ(verdict(asking, publish("com.y", 5)), Verdict::waiting) << "it may not be kept";
  answer("true");
  authorizer().set_now(6000);
  EXPECT_EQ(verdict(asking, publish("com.x", 6)), Verdict::waiting) << "its time is over";
}

TEST_F(CachingAuthorizerTest, ANoIsKeptToo) {
  Connection& asking = session(kAsking);
  verdict(asking, publish("com.x"));
  answer(R"({"allow":false,"cache":true})");
  EXPECT_EQ(verdict(asking, publish("com.x", 2)), Verdict::denied);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(CachingAuthorizerTest, APatternIsNotTheUriThatIsSpelledLikeIt) {
  Connection& asking = session(kAsking);
  verdict(asking, subscribe("com.x", auth::UriMatch::exact));
  answer(R"({"allow":true,"cache":true})");
  EXPECT_EQ(verdict(asking, subscribe("com.x", auth::UriMatch::exact)), Verdict::allowed);
  Intent pattern = subscribe("com.x", auth::UriMatch::prefix);
  pattern.request = 2;
  EXPECT_EQ(verdict(asking, pattern), Verdict::waiting);
}

TEST_F(CachingAuthorizerTest, SessionsOfOnePrincipalShareACall) {
  Connection& first = session(kAsking, "joe", 1);
  Connection& second = session(kAsking, "joe", 2);
  Connection& other = session(kAsking, "ann", 3);
  for (Connection* each : {&first, &second, &other}) {
    EXPECT_EQ(verdict(*each, publish("com.x")), Verdict::waiting);
  }
  EXPECT_EQ(asked_.size(), 2u);
  answer(R"({"allow":true,"cache":true})");
  EXPECT_EQ(told_, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(verdict(first, publish("com.x")), Verdict::allowed);
  EXPECT_EQ(verdict(second, publish("com.x")), Verdict::allowed);
  EXPECT_EQ(verdict(other, publish("com.x")), Verdict::waiting);
}

TEST_F(CachingAuthorizerTest, WhoSharedACallWhoseAnswerMayNotBeKeptAsksForItself) {
  Connection& first = session(kAsking, "joe", 1);
  Connection& second = session(kAsking, "joe", 2);
  Connection& third = session(kAsking, "joe", 3);
  for (Connection* each : {&first, &second, &third}) verdict(*each, publish("com.x"));
  answer("true");
  EXPECT_EQ(told_, (std::vector<std::uint32_t>{1, 2, 3}));
  EXPECT_EQ(verdict(first, publish("com.x")), Verdict::allowed);
  EXPECT_EQ(verdict(second, publish("com.x")), Verdict::waiting);
  EXPECT_EQ(verdict(third, publish("com.x")), Verdict::waiting);
  ASSERT_EQ(asked_.size(), 2u) << "and not one after the other";
  answer("false");
  answer("true");
  EXPECT_EQ(verdict(second, publish("com.x")), Verdict::denied);
  EXPECT_EQ(verdict(third, publish("com.x")), Verdict::allowed);
}

TEST_F(CachingAuthorizerTest, AFailureIsForAllWhoWaitedAndForNobodyAfterwards) {
  Connection& first = session(kAsking, "joe", 1);
  Connection& second = session(kAsking, "joe", 2);
  verdict(first, publish("com.x"));
  verdict(second, publish("com.x"));
  fail(wire::uri::kNoSuchProcedure);
  EXPECT_EQ(verdict(first, publish("com.x")), Verdict::failed);
  EXPECT_EQ(verdict(second, publish("com.x")), Verdict::failed);
  EXPECT_EQ(verdict(first, publish("com.x", 2)), Verdict::waiting);
}

TEST_F(CachingAuthorizerTest, AnAnonymousSessionIsNoPrincipal) {
  realm_->anonymous_role = kAsking;
  Connection& anonymous = session(kAsking, "", 1);
  anonymous.session->identity.reset();
  const std::string name = "anonymous-" + std::to_string(ring::session_id_of(anonymous.id, {1, 2}));
  Connection& so_called = session(kAsking, name, 2);
  verdict(anonymous, publish("com.x"));
  verdict(so_called, publish("com.x"));
  EXPECT_EQ(asked_.size(), 2u);
}

TEST_F(CachingAuthorizerTest, AsWideAsConfigured) {
  scope_ = DynamicAuthorizer::Scope::role;
  Connection& joe = session(kAsking, "joe", 1);
  Connection& ann = session(kAsking, "ann", 2);
  verdict(joe, publish("com.x"));
  answer(R"({"allow":true,"cache":true})");
  EXPECT_EQ(verdict(ann, publish("com.x")), Verdict::allowed);
}

TEST_F(CachingAuthorizerTest, AsNarrowAsConfigured) {
  scope_ = DynamicAuthorizer::Scope::session;
  Connection& one = session(kAsking, "joe", 1);
  Connection& again = session(kAsking, "joe", 2);
  verdict(one, publish("com.x"));
  answer(R"({"allow":true,"cache":true})");
  EXPECT_EQ(verdict(one, publish("com.x", 2)), Verdict::allowed);
  EXPECT_EQ(verdict(again, publish("com.x")), Verdict::waiting);
}

TEST_F(CachingAuthorizerTest, NothingIsLeftOfASessionThatEndsWhileItWaits) {
  Connection& gone = session(kAsking, "joe", 1);
  Connection& stays = session(kAsking, "joe", 2);
  verdict(gone, publish("com.x"));
  verdict(stays, publish("com.x"));
  authorizer().session_ended(gone);
  EXPECT_EQ(told_, std::vector<std::uint32_t>{1}) << "its message waits for nothing any more";
  // Its slot has another session by now, which asks something else.
  Connection& next = session(kAsking, "ann", 1, 2);
  EXPECT_EQ(verdict(next, publish("com.y")), Verdict::waiting);
  answer(R"({"allow":true,"cache":true})");
  EXPECT_EQ(verdict(stays, publish("com.x")), Verdict::allowed);
  EXPECT_EQ(verdict(next, publish("com.y")), Verdict::waiting);
  authorizer().session_ended(next);
  authorizer().session_ended(stays);
  EXPECT_EQ(authorizer().waiters(), 0u);
  answer("true");
  EXPECT_EQ(authorizer().askings(), 0u);
}

TEST_F(CachingAuthorizerTest, WhereNoCallCanBeMadeItIsTriedAgain) {
  Connection& asking = session(kAsking);
  authorizer();
  full_ = true;
  EXPECT_EQ(verdict(asking, publish("com.x")), Verdict::blocked);
  full_ = false;
  EXPECT_EQ(verdict(asking, publish("com.x")), Verdict::waiting);
  answer("true");
  EXPECT_EQ(verdict(asking, publish("com.x")), Verdict::allowed);
}

// It would wait for itself.
TEST_F(AuthorizerTest, ARoleThatIsDecidedAboutMayNotDecide) {
  Connection& asking = session(kAsking);
  std::uint64_t request = 0;
  const auto registers = [&](std::string_view uri, auth::UriMatch match) {
    return verdict(
        asking,
        {.kind = auth::Action::register_, .uri = uri, .match = match, .request = ++request});
  };
  EXPECT_EQ(registers(kProcedure, auth::UriMatch::exact), Verdict::denied);
  EXPECT_EQ(registers("com.", auth::UriMatch::prefix), Verdict::denied);
  EXPECT_EQ(registers("..authorize", auth::UriMatch::wildcard), Verdict::denied);
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(registers("com.app.other", auth::UriMatch::exact), Verdict::waiting);
}

}  // namespace
}  // namespace ringcast::worker
