// What each mode and option of ringcast-bench makes of a server, compared with what the server saw.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/client/bench_run.h"
#include "tests/client/fake_router.h"
#include "tests/client/faulty_server.h"

namespace ringcast::test {
namespace {

using Json = nlohmann::json;

const std::string kOwnPid = std::to_string(::getpid());  // the servers run in this process

class BenchModes : public testing::TestWithParam<Dialect> {
 protected:
  std::vector<std::string> options(const std::vector<std::string>& more) const {
    return with_options({"--protocol", name_of(GetParam()), "--duration", "0.5", "--warmup", "0.1"},
                        more);
  }
};

TEST_P(BenchModes, IngestCountsWhatTheServerTook) {
  const FaultyServer server(GetParam(), Fault::none);
  const Outcome outcome =
      bench("ingest", server.url(),
            options({"--publishers", "3", "--topics", "3", "--window", "16", "--pid", kOwnPid}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json report = report_of(outcome);
  EXPECT_EQ(report["mode"], "ingest");
  EXPECT_EQ(report["deliveries"], 0);
  EXPECT_GT(report["publications"], 0);
  EXPECT_GT(report["server_cpu"]["us_per_publication"], 0);
  std::uint64_t taken = 0;
  for (const auto& [topic, count] : server.seen().publications) taken += count;
  EXPECT_EQ(server.seen().publications.size(), 3u);
  EXPECT_LE(report["publications"], taken);
  EXPECT_GE(report["publications"], taken / 2);  // the rest is warm-up
}

TEST_P(BenchModes, IdleMeasuresTheMemoryOfAConnection) {
  constexpr std::size_t kEach = 512 << 10;
  const FaultyServer server(GetParam(), Fault::none, Victim::first, {kEach, 0, 0});
  const Outcome outcome = bench("idle", server.url(), options({"-S", "100", "--pid", kOwnPid}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json report = report_of(outcome);
  EXPECT_EQ(report["mode"], "idle");
  EXPECT_EQ(report["setup"]["connections"], 100);
  EXPECT_EQ(server.seen().opened, 100u);
  EXPECT_EQ(server.seen().open_most, 100u);
  const Json& memory = report["server_memory"];
  EXPECT_GT(memory["before_bytes"], 0);
  EXPECT_GE(memory["peak_bytes"], memory["connected_bytes"]);
  // Some may have been lying free in this process.
  EXPECT_GE(memory["connected_bytes"].get<double>() - memory["before_bytes"].get<double>(),
            0.5 * 100 * kEach);
  EXPECT_GT(memory["per_connection_bytes"], 0.5 * kEach);
  EXPECT_LT(memory["per_connection_bytes"], 2.0 * kEach);
  EXPECT_FALSE(
      report_of(bench("idle", server.url(), options({"-S", "1"}))).contains("server_memory"));
}

TEST_P(BenchModes, ConnectCountsWhatTheServerOpened) {
  const FaultyServer server(GetParam(), Fault::none);
  const Outcome outcome =
      bench("connect", server.url(), options({"--concurrency", "4", "--pid", kOwnPid}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json report = report_of(outcome);
  EXPECT_EQ(report["mode"], "connect");
  const Json& connects = report["connects"];
  EXPECT_GT(connects["count"], 0);
  EXPECT_LE(connects["count"], server.seen().opened);
  EXPECT_GE(connects["count"], server.seen().opened / 2);  // the rest is warm-up
  EXPECT_LE(server.seen().open_most, 8u);  // the server may hear late that one has gone
  EXPECT_NEAR(connects["per_s"].get<double>() * report["interval_s"].get<double>(),
              connects["count"], 0.01);
  EXPECT_GT(connects["server_us_per_connect"], 0);
  double counted = 0;
  double at = 0;
  for (const Json& point : report["timeline"]) {
    counted += point["connects_per_s"].get<double>() * (point["t_s"].get<double>() - at);
    at = point["t_s"];
  }
  EXPECT_NEAR(counted, connects["count"], 0.01);
}

TEST_P(BenchModes, StalledReadersAreNeitherWaitedForNorChecked) {
  const FaultyServer server(GetParam(), Fault::none);
  const Outcome outcome = bench(
      "fanout", server.url(),
      options({"--subscribers", "2", "--stalled", "2", "--window", "8", "--payload", "4096"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  const Json report = report_of(outcome);
  EXPECT_GT(report["deliveries"], 0);
  EXPECT_EQ(report["stalled_readers"]["count"], 2);
  EXPECT_EQ(report["stalled_readers"]["connected"], 2);
  EXPECT_EQ(report["stalled_readers"]["closed"], 0);
}

TEST_P(BenchModes, StalledReadersThatWereClosedTellWhy) {
  const FaultyServer server(GetParam(), Fault::none, Victim::first, {0, 256 << 10, 0});
  // More than all buffers between here and there hold.
  const Outcome outcome =
      bench("fanout", server.url(),
            options({"--subscribers", "2", "--stalled", "2", "--window", "2", "--payload", "32768",
                     "--bytes", "67108864", "--duration", "60"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  const Json stalled = report_of(outcome)["stalled_readers"];
  EXPECT_EQ(stalled["count"], 2);
  EXPECT_EQ(stalled["connected"], 0) << stalled;
  EXPECT_EQ(stalled["closed"], 2) << stalled;
  EXPECT_EQ(stalled["first_reason"], "1008 too slow");
}

TEST_P(BenchModes, ChurningConnectionsComeAndGoBesideTheMeasuredOnes) {
  const FaultyServer server(GetParam(), Fault::none);
  const Outcome outcome = bench("fanout", server.url(),
                                options({"--subscribers", "4", "--window", "2", "--churn", "200",
                                         "--churners", "20", "--duration", "1"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  EXPECT_GT(server.seen().opened, 5u + 20u);
  EXPECT_LE(server.seen().open_most, 5u + 2 * 20u);  // the server may hear late of an end
  EXPECT_EQ(failed_checks(outcome), (std::map<std::string, std::uint64_t>())) << outcome.out;
}

// Whether one that comes and goes was still there to get it, nobody knows: at least one was.
TEST_P(BenchModes, WhatChurningConnectionsReceiveIsCheckedToo) {
  struct Case {
    Fault fault;
    const char* check;
  };
  for (const Case& wrong :
       {Case{Fault::drop, "lost"}, Case{Fault::duplicate, "duplicate"},
        Case{Fault::other_topic, "misdelivered"}, Case{Fault::flip_payload, "corrupt"}}) {
    const FaultyServer server(GetParam(), wrong.fault, Victim::newest, {0, 0, 4 + 2});
    const Outcome outcome =
        bench("fanout", server.url(),
              options({"--subscribers", "4", "--publishers", "2", "--topics", "2", "--window", "2",
                       "--churn", "200", "--churners", "20", "--duration", "1"}));
    EXPECT_EQ(outcome.exit_code, 4) << wrong.check << outcome.err << outcome.out;
    std::map<std::string, std::uint64_t> failed = failed_checks(outcome);
    EXPECT_GE(failed[wrong.check], 1u) << outcome.out;
    EXPECT_LE(failed[wrong.check], server.faults()) << outcome.out;
  }
}

TEST_P(BenchModes, AChurningConnectionThatTheServerEndsIsAFailure) {
  struct Case {
    Fault fault;
    const char* said;
  };
  for (const Case& wrong :
       {Case{Fault::close, "a churning connection: closed by the server: 1008 too slow"},
        Case{Fault::cut, "a churning connection: ended by the server"},
        Case{Fault::reserved_bit, "a churning connection: a reserved bit is set"}}) {
    const FaultyServer server(GetParam(), wrong.fault, Victim::newest, {0, 0, 4 + 1});
    const Outcome outcome = bench("fanout", server.url(),
                                  options({"--subscribers", "4", "--window", "2", "--churn", "200",
                                           "--churners", "20", "--duration", "1"}));
    EXPECT_EQ(outcome.exit_code, 1) << outcome.err << outcome.out;
    EXPECT_NE(outcome.err.find(wrong.said), std::string::npos) << outcome.err;
  }
}

TEST_P(BenchModes, SeveralProcessesMakeOneReport) {
  const FaultyServer server(GetParam(), Fault::none);
  const Outcome outcome = bench("fanout", server.url(),
                                options({"--subscribers", "7", "--publishers", "2", "--window", "4",
                                         "--processes", "3", "--percentiles"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  const Json report = report_of(outcome);
  EXPECT_EQ(server.seen().opened, 9u);
  EXPECT_EQ(report["setup"]["connections"], 9);
  // Seven subscribers to each publication; what is in flight at either end is the difference.
  EXPECT_NEAR(report["deliveries"].get<double>(), 7 * report["publications"].get<double>(),
              2 * 7 * 2 * 4);
  EXPECT_GE(report["latency_us"]["count"].get<double>(), 0.8 * report["deliveries"].get<double>());
  EXPECT_EQ(report["percentiles"].back()["count"], report["latency_us"]["count"]);
}

TEST_P(BenchModes, ConnectionsComeFromTheGivenAddressesInTurn) {
  const FaultyServer server(GetParam(), Fault::none);
  const Outcome outcome =
      bench("idle", server.url(), options({"-S", "10", "--source", "127.0.0.1", "127.0.0.5"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(server.seen().addresses,
            (std::map<std::string, std::uint64_t>{{"127.0.0.1", 5}, {"127.0.0.5", 5}}));
}

TEST_P(BenchModes, EndsAfterSoManyBytes) {
  const FaultyServer server(GetParam(), Fault::none);
  const Outcome outcome =
      bench("fanout", server.url(),
            options({"--subscribers", "2", "--window", "4", "--payload", "1000", "--bytes",
                     "500000", "--duration", "300", "--warmup", "0"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json report = report_of(outcome);
  EXPECT_GE(report["publications"], 500);
  EXPECT_LE(report["publications"], 500 + 4);
}

TEST_P(BenchModes, ReplaysTheRecordsOfAFile) {
  const FaultyServer server(GetParam(), Fault::none);
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("feed-" + kOwnPid + name_of(GetParam()));
  std::ofstream(path) << "first\n\nthe second one\nthird\n";
  const Outcome outcome =
      bench("fanout", server.url(),
            options({"--subscribers", "2", "--window", "1", "--replay", path.string()}));
  std::filesystem::remove(path);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  const std::vector<std::string> texts = server.seen().texts;
  ASSERT_GE(texts.size(), 4u);
  EXPECT_THAT(std::vector<std::string>(texts.begin(), texts.begin() + 4),
              testing::ElementsAre("first", "the second one", "third", "first"));
}

INSTANTIATE_TEST_SUITE_P(Each, BenchModes,
                         testing::Values(Dialect::raw, Dialect::msgpack, Dialect::json),
                         [](const auto& dialect) { return name_of(dialect.param); });

TEST(BenchOptions, ZipfPrefersTheFirstTopics) {
  const FaultyServer server(Dialect::msgpack, Fault::none);
  const Outcome outcome = bench("fanout", server.url(),
                                {"--duration", "0.5", "--subscribers", "4", "--topics", "4",
                                 "--zipf", "2", "--window", "4", "--warmup", "0"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  std::map<std::string, std::uint64_t> seen = server.seen().publications;
  // 1 : 1/4 : 1/9 : 1/16 of some thousand
  EXPECT_GT(seen["bench.topic.0"], 2 * seen["bench.topic.1"]);
  EXPECT_GT(seen["bench.topic.1"], seen["bench.topic.3"]);
  EXPECT_GT(seen["bench.topic.3"], 0u);
}

TEST(BenchOptions, SpinningChangesNothingButTheWaiting) {
  const FaultyServer server(Dialect::raw, Fault::none);
  const Outcome outcome = bench(
      "fanout", server.url(),
      {"--protocol", "raw", "--duration", "0.5", "--subscribers", "4", "--rate", "100", "--spin"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  const Json report = report_of(outcome);
  EXPECT_EQ(report["config"]["spin"], true);
  EXPECT_NEAR(report["publications"].get<double>(), 100 * report["interval_s"].get<double>(), 2);
  // A core that only waits is not counted as the load's cost.
  EXPECT_LT(report["generator_cpu"]["cores"], 0.5);
}

TEST(BenchOptions, ARefusedConnectionIsSaidInEachMode) {
  RouterScript full;
  full.http_status = 503;
  const FakeRouter router(full);
  for (const char* mode : {"fanout", "ingest", "idle", "connect"}) {
    const Outcome outcome = bench(mode, router.url(), {"--duration", "0.2"});
    EXPECT_EQ(outcome.exit_code, 3) << mode << outcome.err;
    EXPECT_NE(outcome.err.find("503"), std::string::npos) << mode << outcome.err;
  }
}

}  // namespace
}  // namespace ringcast::test
