// Calls that a worker makes itself: each ends once, by whatever comes first, and its callback never
// runs inside of what ended it.
#include "worker/router_calls.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/uri.h"
#include "worker/rpc_frame.h"

namespace ringcast::worker {
namespace {

struct Seen {
  std::string error;
  std::string message;
  std::string args;
  wire::Serializer serializer = wire::Serializer::json;
};

class RouterCallsTest : public testing::Test {
 protected:
  RouterCalls::Callback note() {
    return [this](const RouterCalls::End& end) {
      seen_.push_back({std::string(end.error), std::string(end.message),
                       std::string(end.payload.args), end.serializer});
    };
  }
  static std::string result(std::string_view args) {
    return write_rpc_frame(
        {.serializer = wire::Serializer::msgpack, .payload = {.args = args, .kwargs = {}}});
  }

  RouterCalls calls_{1000};
  std::vector<Seen> seen_;
};

TEST_F(RouterCallsTest, AResultReachesItsCallerInRunFinishedAndNotBefore) {
  const std::uint64_t call = calls_.begin(0, 500, note());
  EXPECT_TRUE(calls_.answered(call, false, result("\x91\xC3")));
  EXPECT_TRUE(seen_.empty());
  EXPECT_TRUE(calls_.run_finished());
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].error, "");
  EXPECT_EQ(seen_[0].args, "\x91\xC3");
  EXPECT_EQ(seen_[0].serializer, wire::Serializer::msgpack);
  EXPECT_FALSE(calls_.run_finished());
  EXPECT_EQ(calls_.open(), 0u);
  EXPECT_EQ(calls_.next_deadline(), UINT64_MAX);
}

TEST_F(RouterCallsTest, WhateverComesSecondIsRefused) {
  const std::uint64_t call = calls_.begin(0, 500, note());
  EXPECT_TRUE(calls_.failed(call, wire::uri::kNoSuchProcedure, "nobody"));
  EXPECT_FALSE(calls_.answered(call, false, result("[]")));
  EXPECT_FALSE(calls_.failed(call, wire::uri::kTimeout, "late"));
  EXPECT_FALSE(calls_.expire_one(10'000));
  calls_.run_finished();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].error, wire::uri::kNoSuchProcedure);
  EXPECT_EQ(seen_[0].message, "nobody");
}

TEST_F(RouterCallsTest, AnErrorOfTheCalleeKeepsItsUri) {
  const std::uint64_t call = calls_.begin(0, 500, note());
  calls_.answered(call, true, write_rpc_frame({.uri = "com.app.error", .payload = {"[1]", {}}}));
  calls_.run_finished();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].error, "com.app.error");
  EXPECT_EQ(seen_[0].args, "[1]");
}

TEST_F(RouterCallsTest, DamagedAnswersAreErrors) {
  const std::string whole = result("[true]");
  calls_.answered(calls_.begin(0, 500, note()), false, whole.substr(0, whole.size() - 1));
  calls_.answered(calls_.begin(0, 500, note()), true, result("[]"));  // an error without a URI
  calls_.failed(calls_.begin(0, 500, note()), "", "");
  calls_.run_finished();
  ASSERT_EQ(seen_.size(), 3u);
  for (const Seen& seen : seen_) EXPECT_EQ(seen.error, wire::uri::kNetworkFailure);
}

TEST_F(RouterCallsTest, DeadlinesEndCallsInTheirOrder) {
  calls_.begin(3, 500, note());
  const std::uint64_t first = calls_.begin(7, 400, note());
  EXPECT_EQ(calls_.next_deadline(), 400u);
  EXPECT_FALSE(calls_.expire_one(399));
  const auto expired = calls_.expire_one(450);
  ASSERT_TRUE(expired);
  EXPECT_EQ(expired->call, first);
  EXPECT_EQ(expired->realm, 7);
  EXPECT_FALSE(calls_.expire_one(450));
  calls_.run_finished();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].error, wire::uri::kTimeout);
  EXPECT_EQ(calls_.open(), 1u);
}

TEST_F(RouterCallsTest, ALostWorkerEndsTheCallsOfItsRealmsOnly) {
  calls_.begin(1, 500, note());
  const std::uint64_t other = calls_.begin(2, 500, note());
  calls_.fail_realms([](std::uint16_t realm) { return realm == 1; }, wire::uri::kNetworkFailure,
                     "gone");
  calls_.run_finished();
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_TRUE(calls_.answered(other, false, result("[]")));
}

TEST_F(RouterCallsTest, ACallbackMayCallAgainAndIsNotCalledBackWithinItsOwnRun) {
  int runs = 0;
  std::function<void(const RouterCalls::End&)> again = [&](const RouterCalls::End&) {
    ++runs;
    calls_.failed(calls_.begin(0, 500, again), wire::uri::kNetworkFailure, "away");
  };
  calls_.failed(calls_.begin(0, 500, again), wire::uri::kNetworkFailure, "away");
  EXPECT_TRUE(calls_.run_finished());
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(calls_.run_finished());
  EXPECT_EQ(runs, 2);
}

TEST_F(RouterCallsTest, TheirNumberIsBounded) {
  while (!calls_.full()) calls_.begin(0, 500, note());
  EXPECT_EQ(calls_.open(), RouterCalls::kOpenMax);
  calls_.expire_one(500);
  EXPECT_FALSE(calls_.full());
}

}  // namespace
}  // namespace ringcast::worker
