// What the report says of each mode. That the program fills in the right figures is tested through
// the program; here, that figures come out where and as they should.
#include "client/bench/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace ringcast::bench {
namespace {

using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

RunResult result_of(Mode mode) {
  RunResult result;
  result.mode = mode;
  result.connections = 1000;
  result.setup_s = 0.5;
  result.congestion = "cubic";
  result.interval_s = 2;
  result.server_cpu_ns = 1'500'000'000;
  result.server_processes = 2;
  result.own_cpu_ns = 500'000'000;
  return result;
}

Json json_of(const RunResult& result, const FanoutOptions& options = {}) {
  return Json::parse(as_json(options, result, false));
}

TEST(Report, IngestCountsPublicationsOnly) {
  RunResult result = result_of(Mode::ingest);
  result.publications = 3'000'000;
  const std::string table = as_table({}, result);
  EXPECT_THAT(table, HasSubstr("ingest, msgpack: 1 publisher, 1 topic, 128 bytes"));
  EXPECT_THAT(table, HasSubstr("publications    1.5 M/s"));
  EXPECT_THAT(table, HasSubstr("0.500 µs per publication, 75 % of a core, 2 processes"));
  EXPECT_THAT(table, HasSubstr("payload         192 MB/s"));
  for (const char* never : {"deliver", "latency", "checks", "memory"}) {
    EXPECT_THAT(table, Not(HasSubstr(never)));
  }
  const Json json = json_of(result);
  EXPECT_EQ(json["mode"], "ingest");
  EXPECT_EQ(json["publications_per_s"], 1'500'000);
  EXPECT_EQ(json["server_cpu"]["us_per_publication"], 0.5);
  EXPECT_EQ(json["server_cpu"]["cores"], 0.75);
}

TEST(Report, IdleTellsWhatAConnectionCosts) {
  RunResult result = result_of(Mode::idle);
  result.server_memory = ServerMemory{10'000'000, 11'500'000, 12'000'000, 11'400'000};
  const std::string table = as_table({}, result);
  EXPECT_THAT(table, HasSubstr("idle, msgpack: 1000 connections"));
  EXPECT_THAT(table, HasSubstr("10 MB before, 11.5 MB connected (1.5 kB per connection), 12 MB at "
                               "most, 11.4 MB at the end"));
  for (const char* never : {"deliver", "publication", "latency", "checks"}) {
    EXPECT_THAT(table, Not(HasSubstr(never)));
  }
  const Json memory = json_of(result)["server_memory"];
  EXPECT_EQ(memory, Json({{"before_bytes", 10'000'000},
                          {"connected_bytes", 11'500'000},
                          {"peak_bytes", 12'000'000},
                          {"end_bytes", 11'400'000},
                          {"per_connection_bytes", 1500.0}}));
  EXPECT_FALSE(json_of(result_of(Mode::fanout)).contains("server_memory"));
}

TEST(Report, MemoryThatShrankIsNegativeNotHuge) {
  RunResult result = result_of(Mode::idle);
  result.server_memory = ServerMemory{10'000'000, 9'000'000, 10'000'000, 9'000'000};
  EXPECT_EQ(json_of(result)["server_memory"]["per_connection_bytes"], -1000.0);
  EXPECT_THAT(as_table({}, result), HasSubstr("(-1 kB per connection)"));
}

TEST(Report, ConnectTellsTheRateAndItsCost) {
  RunResult result = result_of(Mode::connect);
  result.connects = Connects{30'000};
  result.timeline = {{1, 0, 0, 14'000, 0.7, 500.0}, {2, 0, 0, 16'000, 0.8, std::nullopt}};
  const std::string table = as_table({}, result);
  EXPECT_THAT(table, HasSubstr("connects        15 k/s (30000 in 2.00 s)"));
  EXPECT_THAT(table, HasSubstr("50.000 µs per connect"));
  EXPECT_THAT(table, Not(HasSubstr("deliver")));
  const Json json = json_of(result);
  EXPECT_EQ(json["connects"],
            Json({{"count", 30'000}, {"per_s", 15'000.0}, {"server_us_per_connect", 50.0}}));
  EXPECT_EQ(json["timeline"][1]["connects_per_s"], 16'000);
  EXPECT_EQ(json["timeline"][0]["p99_us"], 500);
  EXPECT_TRUE(json["timeline"][1]["p99_us"].is_null());
  EXPECT_THAT(as_plot({}, result), HasSubstr("aria-label=\"Connects per second\""));
}

TEST(Report, WithoutAPidThereIsNoServerCpu) {
  RunResult result = result_of(Mode::connect);
  result.connects = Connects{30'000};
  result.server_cpu_ns.reset();
  EXPECT_TRUE(json_of(result)["server_cpu"].is_null());
  EXPECT_TRUE(json_of(result)["connects"]["server_us_per_connect"].is_null());
  EXPECT_THAT(as_table({}, result), Not(HasSubstr("server CPU")));
}

TEST(Report, StalledReadersAndTheirFate) {
  RunResult result = result_of(Mode::fanout);
  EXPECT_FALSE(json_of(result).contains("stalled_readers"));
  result.stalled_readers = StalledReaders{5, 2, 1, "1008 too slow"};
  EXPECT_THAT(as_table({}, result), HasSubstr("5: 2 still connected, 1 closed by the server, 2 "
                                              "lost; first reason: 1008 too slow"));
  EXPECT_EQ(
      json_of(result)["stalled_readers"],
      Json({{"count", 5}, {"connected", 2}, {"closed", 1}, {"first_reason", "1008 too slow"}}));
}

TEST(Report, ShowsOnlyPercentilesThatAreNotTheMaximum) {
  RunResult result = result_of(Mode::fanout);
  for (int i = 0; i < 1000; ++i) result.latency.record(1000 + i);
  EXPECT_THAT(as_table({}, result), HasSubstr("p99.9 2 µs  max 2 µs"));
  EXPECT_THAT(as_table({}, result), Not(HasSubstr("p99.99")));
  for (int i = 0; i < 99'000; ++i) result.latency.record(1000);
  EXPECT_THAT(as_table({}, result), HasSubstr("p99.999"));
}

TEST(Report, NotesWhatMakesFiguresDoubtful) {
  RunResult result = result_of(Mode::fanout);
  EXPECT_THAT(as_table({}, result), Not(HasSubstr("note")));
  result.own_cpu_ns = 1'990'000'000;
  result.stalled = true;
  result.interrupted = true;
  result.counts.foreign = 1;
  result.disconnects = 1;
  result.first_disconnect = "subscriber 3 was <closed>";
  const std::string table = as_table({}, result);
  for (const char* note : {"whole core", "stalled", "interrupted", "something else publishes",
                           "1 connection lost; subscriber 3 was <closed>"}) {
    EXPECT_THAT(table, HasSubstr(note));
  }
  // On the page, what a server said is no markup.
  EXPECT_THAT(as_plot({}, result), HasSubstr("subscriber 3 was &lt;closed&gt;"));
}

}  // namespace
}  // namespace ringcast::bench
