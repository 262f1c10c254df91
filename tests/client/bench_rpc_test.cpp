// ringcast-bench rpc: its checks against a dealer that does wrong on purpose, each fault counted
// once and under its own name, by window and by rate, callees in the same process and apart.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "tests/client/bench_run.h"
#include "tests/client/faulty_dealer.h"

namespace ringcast::test {
namespace {

using Counts = std::map<std::string, std::uint64_t>;
using wire::Serializer;

struct Setting {
  const char* name;
  Serializer serializer;
  bool by_rate = false;
  bool apart = false;
};

const std::vector<Setting> kSettings = {
    {"msgpack", Serializer::msgpack},
    {"msgpack_rate", Serializer::msgpack, true},
    {"msgpack_apart", Serializer::msgpack, false, true},
    {"json", Serializer::json},
    {"json_rate_apart", Serializer::json, true, true},
};

Outcome run(const FaultyDealer& dealer, const Setting& setting,
            const std::vector<std::string>& more = {}) {
  std::vector<std::string> options = {
      "--protocol",      setting.serializer == Serializer::json ? "json" : "msgpack",
      "--callers",       "2",
      "--callees",       "2",
      "--duration",      "0.3",
      "--warmup",        "0.1",
      "--stall-timeout", "0.5"};
  if (setting.by_rate) {
    options.insert(options.end(), {"--rate", "1000"});
  } else {
    options.insert(options.end(), {"--window", "8"});
  }
  if (setting.apart) options.emplace_back("--callees-apart");
  return bench("rpc", dealer.url(), with_options(options, more));
}

struct Case {
  const char* name;
  CallFault fault;
  Counts each;  // what is counted for each time
  std::vector<std::string> more = {};
};

const std::vector<Case> kCases = {
    {"drop_call", CallFault::drop_call, {{"lost", 1}}},
    {"drop_answer", CallFault::drop_answer, {{"lost", 1}}},
    {"duplicate_call", CallFault::duplicate_call, {{"duplicate", 1}}},
    {"duplicate_answer", CallFault::duplicate_answer, {{"duplicate", 1}}},
    {"swap_calls",
     CallFault::swap_calls,
     {{"out_of_order", 1}},
     {"--callers", "1", "--callees", "1"}},
    {"swap_answers", CallFault::swap_answers, {{"misdelivered", 2}}},
    {"flip_call", CallFault::flip_call, {{"corrupt", 2}}},  // the callee sees it, and the caller
    {"flip_answer", CallFault::flip_answer, {{"corrupt", 1}}},
    {"other_callee", CallFault::other_callee, {{"misdelivered", 1}}},
    {"other_caller", CallFault::other_caller, {{"misdelivered", 1}}},
    {"stray_answer", CallFault::stray_answer, {{"misdelivered", 1}}},
};

class BenchRpcFaults : public testing::TestWithParam<std::tuple<Setting, Case>> {};

TEST_P(BenchRpcFaults, AreCountedOneByOne) {
  const auto& [setting, fault] = GetParam();
  const FaultyDealer dealer(setting.serializer, fault.fault);
  const Outcome outcome = run(dealer, setting, fault.more);
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  ASSERT_GT(dealer.faults(), 0u);
  Counts expected;
  for (const auto& [check, times] : fault.each) expected[check] = times * dealer.faults();
  EXPECT_EQ(failed_checks(outcome), expected) << outcome.out;
  EXPECT_FALSE(report_of(outcome)["checks"]["passed"]);
}

INSTANTIATE_TEST_SUITE_P(Each, BenchRpcFaults,
                         testing::Combine(testing::ValuesIn(kSettings), testing::ValuesIn(kCases)),
                         [](const testing::TestParamInfo<std::tuple<Setting, Case>>& test) {
                           return std::string(std::get<1>(test.param).name) + "_" +
                                  std::get<0>(test.param).name;
                         });

class BenchRpc : public testing::TestWithParam<Setting> {};

INSTANTIATE_TEST_SUITE_P(Each, BenchRpc, testing::ValuesIn(kSettings),
                         [](const auto& setting) { return setting.param.name; });

TEST_P(BenchRpc, ADealerThatDoesItsJobPasses) {
  const FaultyDealer dealer(GetParam().serializer, CallFault::none);
  const Outcome outcome = run(dealer, GetParam());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  const nlohmann::json report = report_of(outcome);
  EXPECT_TRUE(report["checks"]["passed"]);
  EXPECT_EQ(report["mode"], "rpc");
  EXPECT_GT(report["calls"]["count"], 10);
  EXPECT_EQ(report["calls"]["errors"], 0);
  EXPECT_GT(report["latency_us"]["count"], 10);
  EXPECT_GE(report["checks"]["deliveries"], report["calls"]["count"]);
}

TEST_P(BenchRpc, AnErrorIsNoAnswer) {
  const FaultyDealer dealer(GetParam().serializer, CallFault::error);
  const Outcome outcome = run(dealer, GetParam());
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  EXPECT_EQ(failed_checks(outcome), Counts()) << outcome.out;
  EXPECT_EQ(report_of(outcome)["calls"]["errors"], dealer.faults());
  EXPECT_EQ(report_of(outcome)["calls"]["first_error"], "com.example.no");
}

TEST_P(BenchRpc, ADealerThatFallsSilentEndsTheRun) {
  const FaultyDealer dealer(GetParam().serializer, CallFault::fall_silent);
  const Outcome outcome = run(dealer, GetParam(), {"--duration", "300"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  EXPECT_EQ(failed_checks(outcome), (Counts{{"lost", dealer.faults()}})) << outcome.out;
  EXPECT_TRUE(report_of(outcome)["stalled"]);
}

TEST_P(BenchRpc, ARefusedRegistrationIsSaid) {
  const FaultyDealer dealer(GetParam().serializer, CallFault::refuse_register);
  const Outcome outcome = run(dealer, GetParam());
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("wamp.error.not_authorized"), std::string::npos) << outcome.err;
}

// How many calls took more than `us`, as the percentiles tell.
std::uint64_t later_than(const nlohmann::json& report, double us) {
  std::uint64_t within = 0;
  for (const auto& row : report["percentiles"]) {
    if (row["value_us"] <= us) within = row["count"];
  }
  return report["latency_us"]["count"].get<std::uint64_t>() - within;
}

// While the dealer pauses for a second, 200 calls become due, and 90 % of them wait for more than
// 100 ms. Half of that must show: a generator that waited for the dealer would see one or two.
TEST(BenchRpcRate, APauseOfTheDealerShowsInAllThatWasDueMeanwhile) {
  const FaultyDealer dealer(Serializer::msgpack, CallFault::pause);
  const Outcome outcome = run(dealer, {"", Serializer::msgpack, true},
                              {"--rate", "200", "--warmup", "0", "--duration", "2",
                               "--stall-timeout", "20", "--percentiles"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  ASSERT_EQ(dealer.faults(), 1u);
  EXPECT_GE(later_than(report_of(outcome), 100'000), 200 * 9 / 10 / 2);
}

TEST(BenchRpcUsage, IsCheckedFirst) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"--protocol", "raw"},
                                               {"--protocol", "nats"},
                                               {"--payload", "8"},
                                               {"--callers", "0"},
                                               {"--callees", "0"},
                                               {"--rate", "10", "--window", "2"}}) {
    EXPECT_EQ(bench("rpc", "ws://127.0.0.1:1/", args).exit_code, 2) << testing::PrintToString(args);
  }
}

}  // namespace
}  // namespace ringcast::test
