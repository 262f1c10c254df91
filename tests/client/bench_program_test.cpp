// ringcast-bench as its users run it: what it refuses, what it says about a run, and where.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/client/bench_run.h"
#include "tests/client/fake_router.h"
#include "tests/client/faulty_server.h"
#include "tests/client/program.h"
#include "tests/client/terminal.h"

namespace ringcast::test {
namespace {

using Json = nlohmann::json;

const std::vector<std::string> kShort = {"--protocol", "raw", "--subscribers", "4",
                                         "--window",   "8",   "--duration",    "0.5",
                                         "--warmup",   "0.1"};

std::vector<std::string> short_run(const std::vector<std::string>& more) {
  return with_options(kShort, more);
}

TEST(BenchProgram, CountsWhatItMeasured) {
  // Two subscribers to each topic; what is in flight at either end of the interval is the
  // difference.
  const FaultyServer server(Dialect::raw, Fault::none);
  const Json report =
      report_of(bench("fanout", server.url(), short_run({"--publishers", "2", "--topics", "2"})));
  const double publications = report["publications"];
  EXPECT_NEAR(report["deliveries"], 2 * publications, 2 * 2 * 8);
  EXPECT_NEAR(report["deliveries_per_s"].get<double>() * report["interval_s"].get<double>(),
              report["deliveries"], 1e-3 * publications);
  const Json& latency = report["latency_us"];
  // Those sent before the interval began are in the deliveries, but not timed.
  EXPECT_GT(latency["count"], 0);
  EXPECT_NEAR(latency["count"], report["deliveries"], 2 * 2 * 8);
  double previous = 0;
  for (const char* name : {"p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "max"}) {
    EXPECT_GE(latency[name], previous) << name;
    previous = latency[name];
  }
  EXPECT_GT(latency["mean"], 0);
  EXPECT_LE(latency["mean"], latency["max"]);
}

TEST(BenchProgram, ListsTheWholeDistributionOnDemand) {
  const FaultyServer server(Dialect::raw, Fault::none);
  EXPECT_FALSE(report_of(bench("fanout", server.url(), kShort)).contains("percentiles"));
  const Json report = report_of(bench("fanout", server.url(), short_run({"--percentiles"})));
  const Json& rows = report["percentiles"];
  ASSERT_GT(rows.size(), 10u);
  for (const Json& row : rows) {
    const double percentile = row["percentile"];
    if (percentile == 1) {
      EXPECT_TRUE(row["inverse"].is_null());
    } else {
      EXPECT_NEAR(row["inverse"].get<double>() * (1 - percentile), 1, 1e-6);
    }
    EXPECT_GE(row["count"].get<double>(),
              percentile * report["latency_us"]["count"].get<double>() - 1e-3);
  }
  EXPECT_EQ(rows.back()["percentile"], 1);
  EXPECT_EQ(rows.back()["value_us"], report["latency_us"]["max"]);
  EXPECT_EQ(rows.back()["count"], report["latency_us"]["count"]);
}

TEST(BenchProgram, TheTimelineAddsUpToTheWhole) {
  const FaultyServer server(Dialect::raw, Fault::none);
  const Json report =
      report_of(bench("fanout", server.url(),
                      short_run({"--duration", "1.25", "--pid", std::to_string(::getpid())})));
  const Json& timeline = report["timeline"];
  ASSERT_GE(timeline.size(), 2u);
  double at = 0;
  double deliveries = 0;
  double publications = 0;
  double server_s = 0;
  for (const Json& point : timeline) {
    const double seconds = point["t_s"].get<double>() - at;
    EXPECT_GT(seconds, 0);
    at = point["t_s"];
    deliveries += point["deliveries_per_s"].get<double>() * seconds;
    publications += point["publications_per_s"].get<double>() * seconds;
    server_s += point["server_cpu"].get<double>() * seconds;
    EXPECT_TRUE(point["p99_us"].is_null() || point["p99_us"] <= report["latency_us"]["max"]);
  }
  EXPECT_NEAR(at, report["interval_s"], 1e-6);
  EXPECT_NEAR(deliveries, report["deliveries"], 0.01);
  EXPECT_NEAR(publications, report["publications"], 0.01);
  const double cores = report["server_cpu"]["cores"];
  EXPECT_NEAR(server_s, cores * at, 0.1 * cores * at);
}

TEST(BenchProgram, WritesAPageWithPlots) {
  const FaultyServer server(Dialect::raw, Fault::none);
  const std::string path =
      (std::filesystem::temp_directory_path() / ("bench-" + std::to_string(::getpid()) + ".html"))
          .string();
  const Outcome outcome = bench("fanout", server.url(),
                                short_run({"--plot", path, "--pid", std::to_string(::getpid())}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  std::stringstream page;
  page << std::ifstream(path).rdbuf();
  std::filesystem::remove(path);
  const std::string html = page.str();
  for (const char* chart : {"Latency by percentile", "Deliveries per second",
                            "p99 latency over time", "Server CPU, per cent of a core"}) {
    EXPECT_NE(html.find("aria-label=\"" + std::string(chart)), std::string::npos) << chart;
  }
  // It needs nothing else, and no figure went wrong.
  for (const char* never : {"http://", "https://", "<script", "src=", "nan", "inf"}) {
    EXPECT_EQ(html.find(never), std::string::npos) << never;
  }
}

TEST(BenchProgram, APlotThatCannotBeWrittenIsSaid) {
  const FaultyServer server(Dialect::raw, Fault::none);
  const Outcome outcome =
      bench("fanout", server.url(), short_run({"--plot", "/nonexistent/plot.html"}));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("/nonexistent/plot.html"), std::string::npos) << outcome.err;
  EXPECT_GT(report_of(outcome)["deliveries"], 0);  // the run was not for nothing
}

TEST(BenchProgram, TellsPeopleInATable) {
  const FaultyServer server(Dialect::raw, Fault::drop);
  std::vector<std::string> args = {"fanout", "--url", server.url()};
  args.insert(args.end(), kShort.begin(), kShort.end());
  args.insert(args.end(), {"--pid", std::to_string(::getpid())});
  const Outcome outcome = run_program(RINGCAST_BENCH, args);
  EXPECT_EQ(outcome.exit_code, 4);
  for (const std::string& said :
       {std::string("fanout, raw: 1 publisher, 1 topic, 4 subscribers, 128 bytes"),
        std::string("p99.9 "), std::string("µs per delivery"),
        "lost " + std::to_string(server.faults()) + ",", std::string("FAILED")}) {
    EXPECT_NE(outcome.out.find(said), std::string::npos) << said << "\n" << outcome.out;
  }
}

TEST(BenchProgram, ShowsOnATerminalHowItGoes) {
  const FaultyServer server(Dialect::raw, Fault::drop);
  const std::vector<std::string> args = {
      "fanout", "--url",         server.url(), "--protocol",
      "raw",    "--subscribers", "4",          "--window",
      "8",      "--duration",    "2.5",        "--warmup",
      "0",      "--json",        "--pid",      std::to_string(::getpid())};
  for (const unsigned short columns : {200, 40}) {
    const Outcome outcome = run_on_terminal(RINGCAST_BENCH, args, columns);
    const std::string& shown = outcome.err;
    EXPECT_EQ(shown.find("deliveries/s") != std::string::npos, true) << shown;
    EXPECT_EQ(shown.find("p99 ") != std::string::npos, columns == 200) << shown;
    EXPECT_EQ(shown.find("in flight") != std::string::npos, columns == 200) << shown;
    EXPECT_EQ(shown.find("server ") != std::string::npos, columns == 200) << shown;
    // No line is wider than the terminal: it could not be written over.
    std::stringstream lines(shown.substr(0, shown.find('{')));
    for (std::string line; std::getline(lines, line, '\r');) {
      EXPECT_LT(line.size(), columns + std::string("\x1b[Kµ").size()) << line;
    }
    EXPECT_NE(shown.find("\r\x1b[K{"), std::string::npos) << "the line must go before the result";
  }
  // Where nobody looks, nothing is shown.
  EXPECT_EQ(run_program(RINGCAST_BENCH, args).err, "");
}

TEST(BenchProgram, SpeaksWampInBothSerializers) {
  for (const char* protocol : {"msgpack", "json"}) {
    const FakeRouter router;
    const Outcome outcome =
        bench("fanout", router.url(),
              short_run({"--protocol", protocol, "--subscribers", "3", "--publishers", "2",
                         "--topics", "3", "--payload", "300"}));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
    EXPECT_GT(report_of(outcome)["deliveries"], 0);
  }
}

TEST(BenchProgram, SaysWhatTheServerRefused) {
  struct Case {
    RouterScript script;
    const char* said;
  };
  RouterScript full;
  full.http_status = 503;
  RouterScript abort;
  abort.abort_reason = "wamp.error.no_such_realm";
  RouterScript error;
  error.subscribe_error = "wamp.error.not_authorized";
  for (const Case& refusal : {Case{full, "503"}, Case{abort, "wamp.error.no_such_realm"},
                              Case{error, "wamp.error.not_authorized"}}) {
    const FakeRouter router(refusal.script);
    const Outcome outcome = bench("fanout", router.url(), {});
    EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
    EXPECT_NE(outcome.err.find(refusal.said), std::string::npos) << outcome.err;
  }
}

TEST(BenchProgram, NothingListensIsExitCodeOne) {
  const Outcome outcome = bench("fanout", "ws://127.0.0.1:1/ws", {});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("127.0.0.1:1: Connection refused"), std::string::npos) << outcome.err;
}

TEST(BenchProgram, RefusesOptionsThatCannotWork) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"--payload", "31"},
                                               {"--protocol", "json", "--payload", "63"},
                                               {"--subscribers", "2", "--topics", "3"},
                                               {"--subscribers", "0"},
                                               {"--zipf", "1"},
                                               {"--replay", "/nonexistent"},
                                               {"--nonsense"},
                                               {"--window", "0"},
                                               {"--rate", "5", "--window", "5"},
                                               {"--pid", "999999999"}}) {
    EXPECT_EQ(bench("fanout", "ws://127.0.0.1:1/ws", args).exit_code, 2) << args[0];
  }
  EXPECT_EQ(bench("fanout", "http://127.0.0.1:1/ws", {}).exit_code, 2);
  EXPECT_EQ(run_program(RINGCAST_BENCH, {"--version"}).exit_code, 0);
  EXPECT_EQ(run_program(RINGCAST_BENCH, {"fanout", "--help"}).exit_code, 0);
}

TEST(BenchProgram, RefusesFiguresOutOfRangeAndSaysWhichAreInIt) {
  struct Case {
    const char* mode;
    const char* option;
    std::vector<const char*> values;
  };
  for (const Case& range : std::vector<Case>{
           {"fanout", "--publishers", {"0", "60001", "-1", "many"}},
           {"fanout", "--subscribers", {"0", "60001"}},
           {"fanout", "--topics", {"0", "60001"}},
           {"fanout", "--payload", {"0", "16777217"}},
           {"fanout", "--window", {"0", "1048577"}},
           {"fanout", "--processes", {"0", "65"}},
           {"fanout", "--stalled", {"0", "60001"}},
           {"fanout", "--churners", {"0", "60001"}},
           {"fanout", "--bytes", {"0", "-1"}},
           {"fanout", "--rate", {"0", "-1", "nan", "inf", "1e9"}},
           {"fanout", "--churn", {"0", "nan", "1e7"}},
           {"fanout", "--zipf", {"0", "nan", "101"}},
           {"fanout", "--duration", {"0", "nan", "1e7"}},
           {"fanout", "--warmup", {"-1", "nan", "1e7"}},
           {"ingest", "--stall-timeout", {"0", "nan", "1e7"}},
           {"idle", "--connect-timeout", {"0", "nan", "1e7"}},
           {"connect", "--concurrency", {"0", "60001"}},
       }) {
    for (const char* value : range.values) {
      const Outcome outcome =
          bench(range.mode, "ws://127.0.0.1:1/ws", {std::string(range.option) + "=" + value});
      EXPECT_EQ(outcome.exit_code, 2) << range.option << value;
      EXPECT_NE(outcome.err.find(range.option), std::string::npos) << outcome.err;
      EXPECT_NE(outcome.err.find(value), std::string::npos) << outcome.err;
    }
  }
  const std::string duration = bench("idle", "ws://127.0.0.1:1/ws", {"--duration", "0"}).err;
  EXPECT_NE(duration.find("0.001 to 1e+06"), std::string::npos) << duration;
}

TEST(BenchProgram, EachServerProcessMustExist) {
  const Outcome outcome =
      bench("fanout", "ws://127.0.0.1:1/ws", {"--pid", std::to_string(::getpid()), "999999999"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("no process 999999999"), std::string::npos) << outcome.err;
}

TEST(BenchProgram, ChargesTheServersCpu) {
  // This test's own process is the server.
  const FaultyServer server(Dialect::raw, Fault::none);
  const Outcome outcome =
      bench("fanout", server.url(), short_run({"--pid", std::to_string(::getpid())}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json result = report_of(outcome);
  EXPECT_GT(result["server_cpu"]["us_per_delivery"], 0);
  EXPECT_GE(result["server_cpu"]["processes"], 1);
  EXPECT_GT(result["generator_cpu"]["us_per_delivery"], 0);
}

}  // namespace
}  // namespace ringcast::test
