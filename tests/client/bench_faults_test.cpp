// The checks of ringcast-bench, against a server that does wrong on purpose: each fault is counted
// once and under its own name, over plain WebSocket and over WAMP, by window and by rate.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "tests/client/bench_run.h"
#include "tests/client/faulty_server.h"

namespace ringcast::test {
namespace {

using Counts = std::map<std::string, std::uint64_t>;

enum class Pace { window, rate };

// Two topics, each with a publisher and two subscribers.
Outcome run(const FaultyServer& server, Dialect dialect, Pace pace,
            const std::vector<std::string>& more = {}) {
  std::vector<std::string> options = {"--protocol",      name_of(dialect),
                                      "--subscribers",   "4",
                                      "--publishers",    "2",
                                      "--topics",        "2",
                                      "--duration",      "0.5",
                                      "--warmup",        "0.1",
                                      "--stall-timeout", "2"};
  if (pace == Pace::window) options.insert(options.end(), {"--window", "8"});
  if (pace == Pace::rate) options.insert(options.end(), {"--rate", "1000"});
  return bench("fanout", server.url(), with_options(options, more));
}

// The ways in which all of it must hold.
struct Setting {
  const char* name;
  Dialect dialect;
  Pace pace = Pace::window;
  Victim victim = Victim::first;
  const char* processes = "1";
};

const std::vector<Setting> kSettings = {
    {"raw", Dialect::raw},
    {"raw_rate", Dialect::raw, Pace::rate},
    {"raw_second", Dialect::raw, Pace::window, Victim::second},
    {"msgpack", Dialect::msgpack},
    {"msgpack_rate", Dialect::msgpack, Pace::rate},
    {"msgpack_second", Dialect::msgpack, Pace::window, Victim::second},
    {"msgpack_processes", Dialect::msgpack, Pace::window, Victim::first, "3"},
    {"json_second", Dialect::json, Pace::window, Victim::second},
};

struct Case {
  const char* name;
  Fault fault;
  std::vector<const char*> checks;  // that see each of it once
};

const std::vector<Case> kCases = {
    {"drop", Fault::drop, {"lost"}},
    {"duplicate", Fault::duplicate, {"duplicate"}},
    {"swap", Fault::swap, {"out_of_order"}},
    {"late", Fault::late, {"out_of_order"}},
    {"other_topic", Fault::other_topic, {"misdelivered"}},
    {"other_subscription", Fault::other_subscription, {"misdelivered", "lost"}},
    {"anothers_copy", Fault::anothers_copy, {"misdelivered", "lost"}},
    {"stray_answer", Fault::stray_answer, {"misdelivered"}},
    {"garbage", Fault::garbage, {"corrupt"}},
    {"wrong_type", Fault::wrong_type, {"corrupt", "lost"}},
    {"echo", Fault::echo, {"misdelivered"}},
    {"flip_payload", Fault::flip_payload, {"corrupt", "lost"}},
    {"flip_sequence", Fault::flip_sequence, {"corrupt", "lost"}},
    {"flip_topic", Fault::flip_topic, {"corrupt", "lost"}},
    {"flip_publisher", Fault::flip_publisher, {"corrupt", "lost"}},
    {"truncate", Fault::truncate, {"corrupt", "lost"}},
    {"forge_sequence", Fault::forge_sequence, {"corrupt", "lost"}},
    {"forge_topic", Fault::forge_topic, {"misdelivered", "lost"}},
    {"forge_publisher", Fault::forge_publisher, {"corrupt", "lost"}},
};

class BenchFaults : public testing::TestWithParam<std::tuple<Setting, Case>> {};

TEST_P(BenchFaults, AreCountedOneByOne) {
  const auto& [setting, fault] = GetParam();
  const FaultyServer server(setting.dialect, fault.fault, setting.victim);
  const Outcome outcome =
      run(server, setting.dialect, setting.pace, {"--processes", setting.processes});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  ASSERT_GT(server.faults(), 0u);
  Counts expected;
  for (const char* check : fault.checks) expected[check] = server.faults();
  EXPECT_EQ(failed_checks(outcome), expected) << outcome.out;
  EXPECT_FALSE(report_of(outcome)["checks"]["passed"]);
  EXPECT_FALSE(report_of(outcome)["stalled"]);
}

std::vector<std::tuple<Setting, Case>> all_faults() {
  std::vector<std::tuple<Setting, Case>> all;
  for (const Setting& setting : kSettings) {
    for (const Case& fault : kCases) {
      // Subscriptions have ids in WAMP, and the first subscriber has no one else's.
      const bool of_wamp = fault.fault == Fault::other_subscription ||
                           fault.fault == Fault::anothers_copy ||
                           fault.fault == Fault::stray_answer || fault.fault == Fault::garbage;
      if (of_wamp && setting.dialect == Dialect::raw) continue;
      if (fault.fault == Fault::anothers_copy && setting.victim == Victim::first) continue;
      all.emplace_back(setting, fault);
    }
  }
  return all;
}

std::string name_of_fault(const testing::TestParamInfo<std::tuple<Setting, Case>>& test) {
  return std::string(std::get<1>(test.param).name) + "_" + std::get<0>(test.param).name;
}

INSTANTIATE_TEST_SUITE_P(Each, BenchFaults, testing::ValuesIn(all_faults()), name_of_fault);

class BenchDialects : public testing::TestWithParam<Dialect> {};

TEST_P(BenchDialects, AServerThatDoesItsJobPasses) {
  for (const Pace pace : {Pace::window, Pace::rate}) {
    const FaultyServer server(GetParam(), Fault::none);
    const Outcome outcome = run(server, GetParam(), pace);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
    EXPECT_EQ(failed_checks(outcome), Counts());
    EXPECT_TRUE(report_of(outcome)["checks"]["passed"]);
    EXPECT_GT(report_of(outcome)["deliveries"], 0);
    EXPECT_GT(report_of(outcome)["checks"]["deliveries"], report_of(outcome)["deliveries"]);
  }
}

TEST_P(BenchDialects, AnotherRunsMessageIsForeign) {
  const FaultyServer server(GetParam(), Fault::replay);
  EXPECT_EQ(run(server, GetParam(), Pace::window).exit_code, 0);
  ASSERT_EQ(server.faults(), 0u);
  const Outcome outcome = run(server, GetParam(), Pace::window);
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  ASSERT_GT(server.faults(), 0u);
  EXPECT_EQ(failed_checks(outcome), (Counts{{"foreign", server.faults()}})) << outcome.out;
}

TEST_P(BenchDialects, ASubscriberThatHearsNothingMoreEndsTheRun) {
  // The window is full of broadcasts that the first subscriber never gets.
  const FaultyServer server(GetParam(), Fault::fall_silent);
  const Outcome outcome =
      run(server, GetParam(), Pace::window,
          {"--publishers", "1", "--topics", "1", "--duration", "300", "--stall-timeout", "1"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  EXPECT_EQ(failed_checks(outcome), (Counts{{"lost", server.faults()}})) << outcome.out;
  EXPECT_TRUE(report_of(outcome)["stalled"]);
}

TEST_P(BenchDialects, WhatNeverCameIsLostWhereOthersGoOn) {
  for (const Pace pace : {Pace::window, Pace::rate}) {
    const FaultyServer server(GetParam(), Fault::fall_silent);
    const Outcome outcome = run(server, GetParam(), pace, {"--stall-timeout", "1"});
    EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
    EXPECT_EQ(failed_checks(outcome), (Counts{{"lost", server.faults()}})) << outcome.out;
  }
}

TEST_P(BenchDialects, OneLostMessageInAWindowOfOneEndsTheRun) {
  const FaultyServer server(GetParam(), Fault::drop);
  const Outcome outcome = bench("fanout", server.url(),
                                {"--protocol", name_of(GetParam()), "--subscribers", "1",
                                 "--window", "1", "--duration", "300", "--stall-timeout", "0.5"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  EXPECT_EQ(failed_checks(outcome), (Counts{{"lost", 1}})) << outcome.out;
  EXPECT_TRUE(report_of(outcome)["stalled"]);
}

struct Ending {
  Fault fault;
  const char* said;
};

TEST_P(BenchDialects, ALostConnectionIsAFailureUnlessAllowed) {
  for (const Ending& ending :
       {Ending{Fault::close, "1008 too slow"}, Ending{Fault::cut, "without a close frame"},
        Ending{Fault::cut_in_frame, "without a close frame"},
        Ending{Fault::reserved_bit, "a reserved bit is set"}}) {
    for (const bool allowed : {false, true}) {
      const FaultyServer server(GetParam(), ending.fault);
      const Outcome outcome = run(
          server, GetParam(), Pace::window,
          allowed ? std::vector<std::string>{"--allow-disconnects"} : std::vector<std::string>{});
      EXPECT_EQ(outcome.exit_code, allowed ? 0 : 1) << outcome.err << outcome.out;
      EXPECT_EQ(failed_checks(outcome), Counts()) << outcome.out;  // the others missed nothing
      EXPECT_EQ(report_of(outcome)["disconnects"], 1);
      EXPECT_EQ(outcome.err.find(ending.said) == std::string::npos, allowed) << outcome.err;
    }
  }
}

// Allowed is that it went, not that it missed what others behind it got.
TEST_P(BenchDialects, WhatWasLostBeforeAConnectionEndedCounts) {
  const FaultyServer server(GetParam(), Fault::drop_then_close);
  const Outcome outcome = run(server, GetParam(), Pace::window, {"--allow-disconnects"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err << outcome.out;
  EXPECT_EQ(failed_checks(outcome), (Counts{{"lost", 1}})) << outcome.out;
  EXPECT_EQ(report_of(outcome)["disconnects"], 1);
}

// Each of two publishers has two of the four topics.
TEST_P(BenchDialects, AMessageInAnothersNameIsCorrupt) {
  if (GetParam() == Dialect::raw) GTEST_SKIP() << "a publisher has one topic there";
  const FaultyServer server(GetParam(), Fault::forge_publisher_within);
  const Outcome outcome = run(server, GetParam(), Pace::window, {"--topics", "4"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  ASSERT_GT(server.faults(), 0u);
  EXPECT_EQ(failed_checks(outcome),
            (Counts{{"corrupt", server.faults()}, {"lost", server.faults()}}))
      << outcome.out;
}

// How many messages were more than `us` late, as the percentiles tell.
std::uint64_t later_than(const nlohmann::json& report, double us) {
  std::uint64_t within = 0;
  for (const auto& row : report["percentiles"]) {
    if (row["value_us"] <= us) within = row["count"];
  }
  return report["latency_us"]["count"].get<std::uint64_t>() - within;
}

// While the server pauses for a second, 200 publications become due, and 90 % of them wait for more
// than 100 ms. Half of that must show, whether the publisher can still send (small messages) or
// cannot (large ones fill all buffers): a generator that waited for the server would see one.
TEST_P(BenchDialects, APauseOfTheServerShowsInAllThatWasDueMeanwhile) {
  for (const char* payload : {"128", "65536"}) {
    const FaultyServer server(GetParam(), Fault::pause);
    const Outcome outcome = bench(
        "fanout", server.url(),
        {"--protocol", name_of(GetParam()), "--subscribers", "2", "--rate", "200", "--payload",
         payload, "--warmup", "0", "--duration", "2", "--stall-timeout", "20", "--percentiles"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
    ASSERT_EQ(server.faults(), 1u);
    const nlohmann::json report = report_of(outcome);
    EXPECT_GE(later_than(report, 100'000), 2 * 200 * 9 / 10 / 2) << report["latency_us"];
    EXPECT_GE(report["latency_us"]["p99"], 500'000);
    EXPECT_GE(report["latency_us"]["max"], 900'000);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, BenchDialects,
                         testing::Values(Dialect::raw, Dialect::msgpack, Dialect::json),
                         [](const auto& dialect) { return name_of(dialect.param); });

}  // namespace
}  // namespace ringcast::test
