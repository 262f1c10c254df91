// The dealer by itself: every call is answered exactly once, whatever its caller, its callee, its
// timeout and its cancellation do to each other, and nothing is left behind.
#include "worker/dealer.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <set>

#include "wire/uri.h"

namespace ringcast::worker {
namespace {

using ring::ConnectionId;

ConnectionId session(std::uint32_t number, std::uint32_t worker = 0, std::uint32_t generation = 1) {
  return {.worker = worker, .slot = number, .generation = generation};
}

// Writes down what the dealer says.
struct Record final : DealerOutput {
  struct Invoked {
    ConnectionId callee;
    Invocation what;
    std::string frame;
  };
  struct Answer {
    std::uint64_t request;
    Outcome outcome;
    std::string text;  // the frame, or the error
    bool operator==(const Answer&) const = default;
  };
  struct Interrupted {
    ConnectionId callee;
    std::uint64_t call;
    wire::CancelMode mode;
  };

  void invoke(ConnectionId callee, const Invocation& invocation, std::string_view frame) override {
    invoked.push_back({callee, invocation, std::string(frame)});
  }
  void interrupt(ConnectionId callee, std::uint64_t call, wire::CancelMode mode) override {
    interrupted.push_back({callee, call, mode});
  }
  void answer(ConnectionId caller, std::uint64_t request, Outcome outcome,
              std::string_view frame) override {
    answers[caller.packed()].push_back({request, outcome, std::string(frame)});
  }
  void refuse(ConnectionId caller, std::uint64_t request, std::string_view error,
              std::string_view message) override {
    EXPECT_FALSE(message.empty());
    answers[caller.packed()].push_back({request, Outcome::error, std::string(error)});
  }

  void registration_changed(MembershipChange change, ConnectionId session,
                            const Registration& registration) override {
    changes.push_back({change, session.slot, registration.id});
  }

  struct Changed {
    MembershipChange change;
    std::uint32_t session;
    std::uint32_t registration;
    bool operator==(const Changed&) const = default;
  };
  std::vector<Changed> changes;
  std::deque<Invoked> invoked;
  std::vector<Interrupted> interrupted;
  std::map<std::uint64_t, std::vector<Answer>> answers;
};

class DealerTest : public testing::Test {
 protected:
  static constexpr ConnectionId kCaller{.worker = 0, .slot = 100, .generation = 1};

  Dealer::Registered offer(std::uint32_t callee, std::string_view uri, RegistrationTerms terms = {},
                           wire::MatchPolicy match = wire::MatchPolicy::exact) {
    return dealer_.register_procedure(session(callee), {0, match, uri}, terms);
  }
  void call(std::string_view procedure, std::uint64_t request, std::uint64_t timeout_ms = 0) {
    dealer_.call({.caller = kCaller,
                  .request = request,
                  .procedure = procedure,
                  .timeout_ms = timeout_ms,
                  .wants_progress = true,
                  .frame = "the call"});
  }
  struct Part {
    bool continues = false;
    bool more = false;
  };
  void part(std::uint64_t request, Part part) {
    dealer_.call({.caller = kCaller,
                  .request = request,
                  .procedure = "a",
                  .continues = part.continues,
                  .more = part.more,
                  .frame = "part"});
  }
  Record::Invoked next_invoked() {
    EXPECT_FALSE(output_.invoked.empty());
    if (output_.invoked.empty()) return {};
    Record::Invoked first = output_.invoked.front();
    output_.invoked.pop_front();
    return first;
  }
  std::vector<Record::Answer> answers() { return output_.answers[kCaller.packed()]; }
  void expect_nothing_left() {
    EXPECT_EQ(dealer_.calls(), 0u);
    EXPECT_EQ(dealer_.kept_bytes(), 0u);
  }

  Record output_;
  std::uint32_t ids_ = 0;
  Dealer dealer_{output_, 42, [this] { return ++ids_; }};
};

constexpr RegistrationTerms kShared{.invoke = wire::InvokePolicy::roundrobin};

TEST_F(DealerTest, ACallGoesToTheCalleeAndItsResultToTheCaller) {
  const auto registered = offer(1, "a.b");
  ASSERT_NE(registered.registration, 0u);
  call("a.b", 7);
  const Record::Invoked invoked = next_invoked();
  EXPECT_EQ(invoked.callee, session(1));
  EXPECT_EQ(invoked.what.registration, registered.registration);
  EXPECT_FALSE(invoked.what.by_pattern);
  EXPECT_EQ(invoked.frame, "the call");
  EXPECT_TRUE(dealer_.outcome(session(1), invoked.what.call, Outcome::progress, "some"));
  EXPECT_TRUE(dealer_.outcome(session(1), invoked.what.call, Outcome::result, "all"));
  EXPECT_FALSE(dealer_.outcome(session(1), invoked.what.call, Outcome::result, "again"));
  EXPECT_EQ(answers(), (std::vector<Record::Answer>{{7, Outcome::progress, "some"},
                                                    {7, Outcome::result, "all"}}));
  expect_nothing_left();
}

TEST_F(DealerTest, ACallNobodyServesIsRefused) {
  call("a.b", 1);
  EXPECT_EQ(answers().back(), (Record::Answer{1, Outcome::error, "wamp.error.no_such_procedure"}));
  expect_nothing_left();
}

TEST_F(DealerTest, OnlyTheCalleeItWasGivenToAnswersACall) {
  offer(1, "a.b");
  call("a.b", 1);
  const std::uint64_t name = next_invoked().what.call;
  EXPECT_FALSE(dealer_.outcome(session(2), name, Outcome::result, "mine"));
  EXPECT_FALSE(dealer_.outcome(session(1), name + 1, Outcome::result, "another"));
  EXPECT_FALSE(dealer_.outcome(session(1), ~std::uint64_t{0}, Outcome::result, "none"));
  EXPECT_TRUE(answers().empty());
}

TEST_F(DealerTest, AProcedureIsRegisteredOnceUnlessShared) {
  EXPECT_NE(offer(1, "single").registration, 0u);
  EXPECT_EQ(offer(2, "single").error, "wamp.error.procedure_already_exists");
  EXPECT_EQ(offer(2, "single", kShared).error, "wamp.error.procedure_already_exists");
  const auto first = offer(1, "shared", kShared);
  EXPECT_EQ(offer(2, "shared", kShared).registration, first.registration);
  EXPECT_EQ(offer(2, "shared", kShared).error, "wamp.error.procedure_already_exists");
  EXPECT_EQ(offer(3, "shared", {.invoke = wire::InvokePolicy::last}).error,
            "wamp.error.procedure_already_exists");
}

TEST_F(DealerTest, ARegistrationGoesWithItsLastCalleeAndComesBackWithAnotherId) {
  const auto first = offer(1, "a", kShared);
  offer(2, "a", kShared);
  EXPECT_TRUE(dealer_.unregister(session(1), first.registration));
  EXPECT_FALSE(dealer_.unregister(session(1), first.registration));
  EXPECT_EQ(dealer_.registrations(), 1u);
  EXPECT_TRUE(dealer_.unregister(session(2), first.registration));
  EXPECT_EQ(dealer_.registrations(), 0u);
  EXPECT_EQ(dealer_.sessions(), 0u);
  EXPECT_NE(offer(1, "a").registration, first.registration);
}

TEST_F(DealerTest, PoliciesChooseAmongSharedCallees) {
  for (std::uint32_t callee = 1; callee <= 3; ++callee) {
    offer(callee, "roundrobin", kShared);
    offer(callee, "first", {.invoke = wire::InvokePolicy::first});
    offer(callee, "last", {.invoke = wire::InvokePolicy::last});
    offer(callee, "random", {.invoke = wire::InvokePolicy::random});
  }
  std::uint64_t request = 0;
  const auto chosen = [&](std::string_view procedure) {
    call(procedure, ++request);
    return next_invoked().callee.slot;
  };
  std::vector<std::uint32_t> turns;
  for (int i = 0; i < 6; ++i) turns.push_back(chosen("roundrobin"));
  EXPECT_EQ(turns, (std::vector<std::uint32_t>{1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(chosen("first"), 1u);
  EXPECT_EQ(chosen("first"), 1u);
  EXPECT_EQ(chosen("last"), 3u);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(chosen("random"));
  EXPECT_EQ(seen, (std::set<std::uint32_t>{1, 2, 3}));
}

TEST_F(DealerTest, ExactBeforeThePatternsAndThePatternIsTold) {
  offer(1, "a.", {}, wire::MatchPolicy::prefix);
  offer(2, "a.b.", {}, wire::MatchPolicy::prefix);
  offer(3, "a..c", {}, wire::MatchPolicy::wildcard);
  offer(4, "a.b.c");
  call("a.b.c", 1);
  EXPECT_EQ(next_invoked().callee.slot, 4u);
  call("a.b.d", 2);
  const Record::Invoked prefix = next_invoked();
  EXPECT_EQ(prefix.callee.slot, 2u);
  EXPECT_TRUE(prefix.what.by_pattern);
  call("a.x.c", 3);
  EXPECT_EQ(next_invoked().callee.slot, 1u);
}

TEST_F(DealerTest, BeyondTheirConcurrencyCallsWaitInOrder) {
  offer(1, "a", {.concurrency = 2});
  for (std::uint64_t request = 1; request <= 4; ++request) call("a", request);
  ASSERT_EQ(output_.invoked.size(), 2u);
  const std::uint64_t first = next_invoked().what.call;
  next_invoked();
  EXPECT_GT(dealer_.kept_bytes(), 0u);
  dealer_.outcome(session(1), first, Outcome::result, "1");
  dealer_.outcome(session(1), next_invoked().what.call, Outcome::result, "3");
  dealer_.outcome(session(1), next_invoked().what.call, Outcome::result, "4");
  EXPECT_EQ(answers(),
            (std::vector<Record::Answer>{
                {1, Outcome::result, "1"}, {3, Outcome::result, "3"}, {4, Outcome::result, "4"}}));
  EXPECT_EQ(dealer_.calls(), 1u);
  EXPECT_EQ(dealer_.kept_bytes(), 0u);
}

TEST_F(DealerTest, TheQueueHasAnEnd) {
  offer(1, "a", {.concurrency = 1});
  const std::uint64_t count = Dealer::kQueuedCallsMax + 2;
  for (std::uint64_t request = 1; request <= count; ++request) call("a", request);
  ASSERT_EQ(answers().size(), 1u);
  EXPECT_EQ(answers()[0], (Record::Answer{count, Outcome::error, "ringcast.error.limit_exceeded"}));
  dealer_.session_gone(session(1));
  EXPECT_EQ(answers().size(), count);
  expect_nothing_left();
}

TEST_F(DealerTest, ACalleeThatComesBackDoesNotInheritWhatItWasBusyWith) {
  const auto id =
      offer(1, "a", {.invoke = wire::InvokePolicy::roundrobin, .concurrency = 1}).registration;
  offer(2, "a", {.invoke = wire::InvokePolicy::roundrobin, .concurrency = 1});
  call("a", 1);
  const std::uint64_t old = next_invoked().what.call;
  dealer_.unregister(session(1), id);
  offer(1, "a", {.invoke = wire::InvokePolicy::roundrobin, .concurrency = 1});
  call("a", 2);
  call("a", 3);
  call("a", 4);
  EXPECT_EQ(output_.invoked.size(), 2u);
  dealer_.outcome(session(1), old, Outcome::result, "");
  EXPECT_EQ(output_.invoked.size(), 2u) << "the old call held no place of the new registration";
}

TEST_F(DealerTest, AnUnavailableCalleeIsPassedOver) {
  for (std::uint32_t callee = 1; callee <= 3; ++callee) offer(callee, "a", kShared);
  call("a", 1);
  for (std::uint32_t callee = 1; callee <= 3; ++callee) {
    const Record::Invoked invoked = next_invoked();
    EXPECT_EQ(invoked.callee.slot, callee);
    EXPECT_EQ(invoked.frame, "the call");
    dealer_.outcome(invoked.callee, invoked.what.call, Outcome::unavailable, "busy");
  }
  EXPECT_EQ(answers(),
            (std::vector<Record::Answer>{{1, Outcome::error, "wamp.error.no_available_callee"}}));
  expect_nothing_left();
}

TEST_F(DealerTest, WhatACalleeNeverGotGoesToAnother) {
  offer(1, "a", kShared);
  offer(2, "a", kShared);
  call("a", 1);
  const Record::Invoked invoked = next_invoked();
  dealer_.outcome(invoked.callee, invoked.what.call, Outcome::undelivered, "the call");
  const Record::Invoked again = next_invoked();
  EXPECT_EQ(again.callee.slot, 2u);
  EXPECT_EQ(again.frame, "the call");
  dealer_.outcome(again.callee, again.what.call, Outcome::result, "done");
  EXPECT_EQ(answers(), (std::vector<Record::Answer>{{1, Outcome::result, "done"}}));
  expect_nothing_left();
}

TEST_F(DealerTest, CancelModes) {
  offer(1, "a", {.understands_interrupt = true});
  std::vector<std::uint64_t> names;
  for (std::uint64_t request = 1; request <= 3; ++request) {
    call("a", request);
    names.push_back(next_invoked().what.call);
  }
  dealer_.cancel(kCaller, 1, wire::CancelMode::skip);
  EXPECT_TRUE(output_.interrupted.empty());
  dealer_.cancel(kCaller, 2, wire::CancelMode::killnowait);
  dealer_.cancel(kCaller, 3, wire::CancelMode::kill);
  dealer_.cancel(kCaller, 3, wire::CancelMode::kill);
  ASSERT_EQ(output_.interrupted.size(), 2u);
  EXPECT_EQ(output_.interrupted[0].call, names[1]);
  EXPECT_EQ(output_.interrupted[1].call, names[2]);
  EXPECT_EQ(answers(), (std::vector<Record::Answer>{{1, Outcome::error, "wamp.error.canceled"},
                                                    {2, Outcome::error, "wamp.error.canceled"}}));
  for (const std::uint64_t name : names) {
    // The second has been told that it need not answer.
    EXPECT_EQ(dealer_.outcome(session(1), name, Outcome::error, "canceled by me"),
              name != names[1]);
  }
  EXPECT_EQ(answers().size(), 3u);
  EXPECT_EQ(answers()[2], (Record::Answer{3, Outcome::error, "canceled by me"}));
  expect_nothing_left();
}

TEST_F(DealerTest, ACalleeThatDoesNotKnowInterruptGetsNone) {
  offer(1, "a");
  call("a", 1);
  const std::uint64_t name = next_invoked().what.call;
  dealer_.cancel(kCaller, 1, wire::CancelMode::kill);
  EXPECT_TRUE(output_.interrupted.empty());
  EXPECT_EQ(answers(), (std::vector<Record::Answer>{{1, Outcome::error, "wamp.error.canceled"}}));
  dealer_.outcome(session(1), name, Outcome::result, "too late");
  EXPECT_EQ(answers().size(), 1u);
  expect_nothing_left();
}

TEST_F(DealerTest, ATimeoutAnswersTheCallerAndProgressStartsItAnew) {
  offer(1, "a", {.understands_interrupt = true});
  dealer_.expire(1000);
  call("a", 1, 500);
  const std::uint64_t name = next_invoked().what.call;
  dealer_.expire(1499);
  EXPECT_TRUE(answers().empty());
  dealer_.outcome(session(1), name, Outcome::progress, "some");
  dealer_.expire(1999);
  EXPECT_EQ(answers().size(), 1u);
  dealer_.expire(2000);
  EXPECT_EQ(answers().back(), (Record::Answer{1, Outcome::error, "wamp.error.timeout"}));
  ASSERT_EQ(output_.interrupted.size(), 1u);
  dealer_.outcome(session(1), name, Outcome::progress, "more");
  dealer_.outcome(session(1), name, Outcome::result, "too late");
  EXPECT_EQ(answers().size(), 2u);
  expect_nothing_left();
}

TEST_F(DealerTest, AForwardedTimeoutIsTheCalleesBusiness) {
  offer(1, "a", {.forwards_timeout = true});
  call("a", 1, 500);
  EXPECT_TRUE(next_invoked().what.forwards_timeout);
  dealer_.expire(1'000'000);
  EXPECT_TRUE(answers().empty());
}

TEST_F(DealerTest, GivingUpAnswersTheCallerAndInterruptsTheCallee) {
  offer(1, "a", {.understands_interrupt = true});
  EXPECT_FALSE(dealer_.give_up(kCaller, 1, "e.f", "why"));
  call("a", 1);
  call("a", 2);
  const std::uint64_t first = next_invoked().what.call;
  const std::uint64_t second = next_invoked().what.call;
  EXPECT_TRUE(dealer_.give_up(kCaller, 1, "e.f", "why"));
  dealer_.give_up_given(session(2), second, "not.its", "why");
  dealer_.give_up_given(session(1), second, "g.h", "why");
  dealer_.give_up_given(session(1), second, "g.h", "why");
  EXPECT_EQ(output_.interrupted.size(), 2u);
  EXPECT_EQ(answers(),
            (std::vector<Record::Answer>{{1, Outcome::error, "e.f"}, {2, Outcome::error, "g.h"}}));
  for (const std::uint64_t name : {first, second}) {
    EXPECT_FALSE(dealer_.outcome(session(1), name, Outcome::result, "too late"));
  }
  expect_nothing_left();
}

TEST_F(DealerTest, ACallInPartsStaysWithItsCallee) {
  offer(1, "a", kShared);
  offer(2, "a", kShared);
  part(1, {.continues = true});
  part(1, {.continues = true, .more = true});
  part(1, {.more = true});
  ASSERT_EQ(output_.invoked.size(), 3u);
  EXPECT_FALSE(output_.invoked[0].what.continues);
  EXPECT_TRUE(output_.invoked[1].what.continues);
  EXPECT_EQ(output_.invoked[2].what.call, output_.invoked[0].what.call);
  EXPECT_EQ(output_.invoked[2].callee, output_.invoked[0].callee);
  dealer_.outcome(session(1), output_.invoked[0].what.call, Outcome::result, "done");
  expect_nothing_left();
}

TEST_F(DealerTest, ProgressThatTheCallerDidNotAskForIsDropped) {
  offer(1, "a");
  dealer_.call({.caller = kCaller, .request = 1, .procedure = "a", .frame = "the call"});
  const std::uint64_t name = next_invoked().what.call;
  EXPECT_TRUE(dealer_.outcome(session(1), name, Outcome::progress, "some"));
  EXPECT_TRUE(dealer_.outcome(session(1), name, Outcome::result, "all"));
  EXPECT_EQ(answers(), (std::vector<Record::Answer>{{1, Outcome::result, "all"}}));
}

TEST_F(DealerTest, ACanceledCallIsNotGivenToAnother) {
  const RegistrationTerms terms{.invoke = wire::InvokePolicy::first, .understands_interrupt = true};
  offer(1, "a", terms);
  offer(2, "a", terms);
  for (std::uint64_t request = 1; request <= 2; ++request) {
    call("a", request);
    const std::uint64_t name = next_invoked().what.call;
    dealer_.cancel(kCaller, request, wire::CancelMode::kill);
    dealer_.outcome(session(1), name, request == 1 ? Outcome::unavailable : Outcome::undelivered,
                    "the call");
  }
  EXPECT_TRUE(output_.invoked.empty());
  EXPECT_EQ(answers(), (std::vector<Record::Answer>{{1, Outcome::error, "the call"},
                                                    {2, Outcome::error, "wamp.error.canceled"}}));
  expect_nothing_left();
}

TEST_F(DealerTest, NothingFollowsTheLastPartAndPartsAreNotGivenToAnother) {
  offer(1, "a", kShared);
  offer(2, "a", kShared);
  part(1, {.continues = true});
  part(1, {.more = true});
  part(1, {.more = true});
  ASSERT_EQ(output_.invoked.size(), 2u);
  dealer_.outcome(session(1), output_.invoked[0].what.call, Outcome::unavailable, "busy");
  EXPECT_EQ(output_.invoked.size(), 2u);
  EXPECT_EQ(answers(),
            (std::vector<Record::Answer>{{1, Outcome::error, "wamp.error.no_available_callee"}}));
  expect_nothing_left();
}

// As it is when the session has gone and its worker gives back the first part, which it never had.
TEST_F(DealerTest, ACallWhosePartsAreLostIsNotBegunAgainWithTheFirst) {
  offer(1, "a", kShared);
  offer(2, "a", kShared);
  part(1, {.continues = true});
  const std::uint64_t name = next_invoked().what.call;
  part(1, {.continues = true, .more = true});
  next_invoked();
  dealer_.outcome(session(1), name, Outcome::undelivered, "part");
  EXPECT_TRUE(output_.invoked.empty());
  EXPECT_EQ(answers(),
            (std::vector<Record::Answer>{{1, Outcome::error, "wamp.error.no_available_callee"}}));
  expect_nothing_left();
}

TEST_F(DealerTest, MoreOfACallThatHasEndedIsNoCallOfItsOwn) {
  offer(1, "a");
  part(1, {.continues = true});
  dealer_.outcome(session(1), next_invoked().what.call, Outcome::error, "enough");
  part(1, {.continues = true, .more = true});
  part(1, {.more = true});
  EXPECT_TRUE(output_.invoked.empty());
  EXPECT_EQ(answers(), (std::vector<Record::Answer>{{1, Outcome::error, "enough"}}));
  expect_nothing_left();
}

TEST_F(DealerTest, NobodyOvertakesCallsThatWait) {
  const RegistrationTerms one{.invoke = wire::InvokePolicy::first, .concurrency = 1};
  offer(1, "a", one);
  call("a", 1);
  call("a", 2);
  const auto registered = offer(2, "a", one);
  call("a", 3);
  EXPECT_EQ(output_.invoked.size(), 1u) << "the second is to be told first that it is registered";
  dealer_.serve_queue(registered.registration);
  ASSERT_EQ(output_.invoked.size(), 2u);
  EXPECT_EQ(output_.invoked[1].callee, session(2));
  dealer_.outcome(session(2), output_.invoked[1].what.call, Outcome::result, "second");
  ASSERT_EQ(output_.invoked.size(), 3u);
  dealer_.outcome(session(2), output_.invoked[2].what.call, Outcome::result, "third");
  EXPECT_EQ(answers(), (std::vector<Record::Answer>{{2, Outcome::result, "second"},
                                                    {3, Outcome::result, "third"}}));
}

TEST_F(DealerTest, ACalleeThatNeverAnswersDoesNotFillTheTable) {
  offer(1, "a");
  offer(2, "b");
  for (std::uint64_t request = 1; request <= Dealer::kGivenMax; ++request) {
    call("a", request);
    dealer_.cancel(kCaller, request, wire::CancelMode::skip);
  }
  EXPECT_EQ(dealer_.calls(), Dealer::kGivenMax);
  call("a", Dealer::kGivenMax + 1);
  EXPECT_EQ(answers().back(), (Record::Answer{Dealer::kGivenMax + 1, Outcome::error,
                                              "ringcast.error.limit_exceeded"}));
  EXPECT_EQ(dealer_.calls(), Dealer::kGivenMax);
  output_.invoked.clear();
  call("b", Dealer::kGivenMax + 2);
  EXPECT_EQ(next_invoked().callee, session(2));
}

TEST_F(DealerTest, ACalleesEndAnswersItsCallsAtOnce) {
  offer(1, "a");
  call("a", 1);
  call("a", 2);
  dealer_.session_gone(session(1));
  EXPECT_EQ(answers(), (std::vector<Record::Answer>{{1, Outcome::error, "wamp.error.canceled"},
                                                    {2, Outcome::error, "wamp.error.canceled"}}));
  expect_nothing_left();
  EXPECT_EQ(dealer_.sessions(), 0u);
  EXPECT_EQ(dealer_.registrations(), 0u);
}

TEST_F(DealerTest, ACallersEndInterruptsItsCallsAndAnswersNothing) {
  offer(1, "a", {.understands_interrupt = true});
  call("a", 1);
  const std::uint64_t name = next_invoked().what.call;
  dealer_.session_gone(kCaller);
  ASSERT_EQ(output_.interrupted.size(), 1u);
  EXPECT_FALSE(dealer_.outcome(session(1), name, Outcome::error, "stopped"));
  EXPECT_TRUE(answers().empty());
  expect_nothing_left();
}

// Whoever is told `killnowait` sends no answer, so its place is free at once.
TEST_F(DealerTest, ACalleeThatIsToldToStopHasRoomForTheNext) {
  offer(1, "a", {.concurrency = 1, .understands_interrupt = true});
  for (std::uint64_t request = 1; request <= 4; ++request) call("a", request, request == 2 ? 5 : 0);
  dealer_.cancel(kCaller, 1, wire::CancelMode::killnowait);
  EXPECT_EQ(output_.invoked.size(), 2u);
  dealer_.expire(6);
  EXPECT_EQ(output_.invoked.size(), 3u);
  dealer_.give_up(kCaller, 3, "e.f", "why");
  EXPECT_EQ(output_.invoked.size(), 4u);
  const ring::ConnectionId other{.worker = 0, .slot = 101, .generation = 1};
  dealer_.call({.caller = other, .request = 1, .procedure = "a", .frame = "the call"});
  dealer_.session_gone(kCaller);
  ASSERT_EQ(output_.invoked.size(), 5u);
  EXPECT_EQ(output_.interrupted.size(), 4u);
  dealer_.outcome(session(1), output_.invoked[4].what.call, Outcome::result, "done");
  EXPECT_EQ(output_.answers[other.packed()].size(), 1u);
  expect_nothing_left();
}

// Everything at once, in random order, again and again. What the callees' side would say comes late
// and out of step, as it does across workers.
class DealerRaces : public testing::TestWithParam<unsigned> {
 protected:
  static constexpr std::uint32_t kSessions = 12;
  static constexpr std::uint32_t kProcedures = 8;

  struct Open {
    std::uint64_t caller;
    std::uint64_t request;
    auto operator<=>(const Open&) const = default;
  };

  ConnectionId live(std::uint32_t number) {
    return session(number, number % 3, generations_[number]);
  }
  std::string procedure() { return "p." + std::to_string(pick(kProcedures)); }
  std::uint32_t pick(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }

  void step();
  void collect();

  std::mt19937 random_{GetParam()};
  Record output_;
  std::uint32_t ids_ = 0;
  Dealer dealer_{output_, 42, [this] { return ++ids_; }};
  std::array<std::uint32_t, kSessions> generations_{};
  std::array<std::uint64_t, kSessions> requests_{};
  std::set<Open> open_;
  std::vector<Record::Invoked> held_;
  std::vector<std::pair<ConnectionId, std::uint32_t>> registered_;
  TimeMs now_ = 1;
  std::uint64_t made_ = 0;
};

void DealerRaces::step() {
  const std::uint32_t who = pick(kSessions);
  switch (pick(17)) {
    case 0:
    case 1: {
      const RegistrationTerms terms{.invoke = static_cast<wire::InvokePolicy>(pick(5)),
                                    .concurrency = pick(4),
                                    .forwards_timeout = pick(8) == 0,
                                    .understands_interrupt = pick(2) == 0};
      const auto match = static_cast<wire::MatchPolicy>(pick(3));
      const std::string uri = match == wire::MatchPolicy::wildcard ? "p." : procedure();
      const auto done = dealer_.register_procedure(live(who), {0, match, uri}, terms);
      if (done.registration != 0) {
        registered_.emplace_back(live(who), done.registration);
        dealer_.serve_queue(done.registration);
      }
      break;
    }
    case 2:
      if (!registered_.empty()) {
        const auto [callee, id] = registered_[pick(static_cast<std::uint32_t>(registered_.size()))];
        dealer_.unregister(callee, id);
      }
      break;
    case 3: {
      dealer_.session_gone(live(who));
      const std::uint64_t packed = live(who).packed();
      std::erase_if(open_, [packed](const Open& open) { return open.caller == packed; });
      output_.answers.erase(packed);
      ++generations_[who];
      break;
    }
    case 4:
      if (!open_.empty()) {
        auto at = open_.begin();
        std::advance(at, pick(static_cast<std::uint32_t>(open_.size())));
        dealer_.cancel(ConnectionId::from_packed(at->caller), at->request,
                       static_cast<wire::CancelMode>(pick(3)));
      }
      break;
    case 5:
      dealer_.expire(++now_);
      break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10: {
      ++made_;
      const std::uint64_t request = ++requests_[who];
      open_.insert({live(who).packed(), request});
      dealer_.expire(now_);
      dealer_.call({.caller = live(who),
                    .request = request,
                    .procedure = procedure(),
                    .timeout_ms = pick(3) == 0 ? 1 + pick(5) : 0,
                    .wants_progress = pick(2) == 0,
                    .continues = pick(3) == 0,
                    .frame = "call"});
      break;
    }
    case 11:  // of a call that goes on, or was whole, or is over
      if (const std::uint64_t made = requests_[who]; made != 0) {
        dealer_.call({.caller = live(who),
                      .request = made - std::min<std::uint64_t>(made - 1, pick(4)),
                      .procedure = procedure(),
                      .continues = pick(3) != 0,
                      .more = true,
                      .frame = "more"});
      }
      break;
    default:
      if (!held_.empty()) {
        const std::uint32_t at = pick(static_cast<std::uint32_t>(held_.size()));
        const auto outcome = static_cast<Outcome>(pick(5));
        dealer_.outcome(held_[at].callee, held_[at].what.call, outcome, "call");
        if (outcome != Outcome::progress) {
          held_[at] = held_.back();
          held_.pop_back();
        }
      }
  }
}

// Final answers close what is open, once each.
void DealerRaces::collect() {
  for (const Record::Invoked& invoked : output_.invoked) {
    if (!invoked.what.continues) held_.push_back(invoked);
  }
  output_.invoked.clear();
  output_.interrupted.clear();
  for (auto& [caller, answers] : output_.answers) {
    for (const Record::Answer& answer : answers) {
      const Open open{caller, answer.request};
      if (answer.outcome == Outcome::progress) {
        ASSERT_TRUE(open_.contains(open)) << "progress of a call that was answered";
      } else {
        ASSERT_EQ(open_.erase(open), 1u) << "answered twice, or never made";
      }
    }
    answers.clear();
  }
}

TEST_P(DealerRaces, EveryCallEndsOnceAndNothingIsLeft) {
  generations_.fill(1);
  while (made_ < 100'000 && !HasFatalFailure()) {
    step();
    collect();
  }
  for (const Record::Invoked& invoked : held_) {
    dealer_.outcome(invoked.callee, invoked.what.call, Outcome::result, "");
  }
  held_.clear();
  collect();
  for (std::uint32_t worker = 0; worker < 3; ++worker) dealer_.worker_lost(worker);
  collect();
  EXPECT_EQ(dealer_.calls(), 0u);
  EXPECT_EQ(dealer_.registrations(), 0u);
  EXPECT_EQ(dealer_.sessions(), 0u);
  EXPECT_EQ(dealer_.kept_bytes(), 0u);
  EXPECT_EQ(dealer_.deadlines(), 0u);
}

TEST_F(DealerTest, TellsOfARegistrationsBeginningAndEndInOrder) {
  using enum MembershipChange;
  const std::uint32_t shared = offer(1, "a.b", {.invoke = wire::InvokePolicy::last}).registration;
  offer(2, "a.b", {.invoke = wire::InvokePolicy::last});
  offer(3, "a.b");  // refused
  dealer_.unregister(session(1), shared);
  dealer_.unregister(session(1), shared);
  dealer_.restore(session(4), {0, wire::MatchPolicy::exact, "c"}, {}, 900, 1);
  dealer_.session_gone(session(2));
  using Changed = Record::Changed;
  const std::vector<Changed> expected = {Changed{created, 1, shared}, Changed{joined, 1, shared},
                                         Changed{joined, 2, shared},  Changed{left, 1, shared},
                                         Changed{left, 2, shared},    Changed{deleted, 2, shared}};
  EXPECT_EQ(output_.changes, expected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, DealerRaces, testing::Range(1u, 9u));

}  // namespace
}  // namespace ringcast::worker
