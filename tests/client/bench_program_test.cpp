// ringcast-bench as its users run it, against servers that do their job and servers that do not.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/client/fake_router.h"
#include "tests/client/program.h"
#include "tests/client/ws_server.h"

namespace ringcast::test {
namespace {

using Json = nlohmann::json;

enum class Fault {
  none,
  drop,
  duplicate,
  swap,
  misdeliver,
  echo,
  corrupt,
  truncate,
  fall_silent,
  disconnect,
};

// A plain WebSocket broadcaster that wrongs its first subscriber now and then: at every tenth of
// its messages, five times in all, so that each fault is made good or forgotten long before the run
// ends.
class UnreliableServer {
 public:
  explicit UnreliableServer(Fault fault) : fault_(fault) {
    WsServer::Script script;
    script.on_message = [this](WsServer& server, WsServer::Peer& from, wire::Opcode,
                               wire::Bytes bytes) { broadcast(server, from, std::string(bytes)); };
    server_ = std::make_unique<WsServer>(std::move(script));
  }

  std::string url() const { return server_->url("/"); }
  std::uint64_t faults() const { return faults_; }

 private:
  static bool is_subscriber(const WsServer::Peer& peer) {
    return peer.request.query.find("role=sub") != std::string::npos;
  }
  static std::string topic(const WsServer::Peer& peer) {
    const std::size_t at = peer.request.query.find("topic=");
    return at == std::string::npos ? "" : peer.request.query.substr(at);
  }

  void broadcast(WsServer& server, WsServer::Peer& from, const std::string& message) {
    bool victim_seen = false;
    for (WsServer::Peer* peer : server.peers()) {
      if (!is_subscriber(*peer)) continue;
      const bool victim = !std::exchange(victim_seen, true);
      if (topic(*peer) != topic(from)) {
        if (victim && fault_ == Fault::misdeliver && due())
          peer->send(wire::Opcode::binary, message);
        continue;
      }
      if (victim) {
        wrong(from, *peer, message);
      } else {
        peer->send(wire::Opcode::binary, message);
      }
    }
  }

  bool due() {
    if (++messages_ % 10 != 0 || faults_ == 5) return false;
    ++faults_;
    return true;
  }

  void wrong(WsServer::Peer& from, WsServer::Peer& victim, std::string message) {
    if (fault_ == Fault::fall_silent && messages_ == 50) {
      ++faults_;
      return;
    }
    if (fault_ == Fault::misdeliver || fault_ == Fault::none || !due()) {
      victim.send(wire::Opcode::binary, message);
      if (!held_.empty()) victim.send(wire::Opcode::binary, std::exchange(held_, {}));
      return;
    }
    switch (fault_) {
      case Fault::duplicate:
        victim.send(wire::Opcode::binary, message);
        victim.send(wire::Opcode::binary, message);
        break;
      case Fault::swap:
        held_ = message;
        break;
      case Fault::echo:
        victim.send(wire::Opcode::binary, message);
        from.send(wire::Opcode::binary, message);
        break;
      case Fault::corrupt:
        message[message.size() / 2] = static_cast<char>(message[message.size() / 2] ^ 1);
        victim.send(wire::Opcode::binary, message);
        break;
      case Fault::truncate:
        message.pop_back();
        victim.send(wire::Opcode::binary, message);
        break;
      case Fault::disconnect:
        victim.close(1008, "too slow");
        break;
      case Fault::fall_silent:
        --faults_;
        victim.send(wire::Opcode::binary, message);
        break;
      default:
        break;  // dropped
    }
  }

  const Fault fault_;
  std::uint64_t messages_ = 0;  // to the victim
  std::atomic<std::uint64_t> faults_ = 0;
  std::string held_;
  std::unique_ptr<WsServer> server_;  // last: its thread uses the rest
};

Outcome bench(const std::string& url, std::vector<std::string> more) {
  std::vector<std::string> args{"fanout",   "--url", url,      "--duration",      "1",
                                "--warmup", "0.2",   "--json", "--stall-timeout", "3"};
  args.insert(args.end(), more.begin(), more.end());
  return run_program(RINGCAST_BENCH, args);
}

const std::vector<std::string> kTwoTopics = {"--protocol",   "raw", "--subscribers", "4",
                                             "--publishers", "2",   "--topics",      "2",
                                             "--window",     "8"};

// The named checks, all others being 0.
std::map<std::string, std::uint64_t> failed_checks(const Outcome& outcome) {
  std::map<std::string, std::uint64_t> failed;
  const Json checks = Json::parse(outcome.out, nullptr, false).value("checks", Json::object());
  for (const auto& [name, value] : checks.items()) {
    if (value.is_number() && name != "deliveries" && value != 0) failed[name] = value;
  }
  return failed;
}

TEST(BenchProgram, PassesAServerThatDoesItsJob) {
  const UnreliableServer server(Fault::none);
  const Outcome outcome = bench(server.url(), kTwoTopics);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json result = Json::parse(outcome.out);
  EXPECT_TRUE(result["checks"]["passed"]);
  EXPECT_GT(result["deliveries"], 0);
  // Two subscribers to each topic; what is in flight at either end of the interval is the
  // difference.
  const double per_publication =
      result["deliveries"].get<double>() / result["publications"].get<double>();
  EXPECT_NEAR(per_publication, 2.0, 2.0 * 16 / result["publications"].get<double>() + 0.5);
  EXPECT_EQ(result["latency_us"]["count"].get<double>() > 0, true);
  EXPECT_LE(result["latency_us"]["p50"], result["latency_us"]["p99"]);
  EXPECT_LE(result["latency_us"]["p99"], result["latency_us"]["max"]);
}

struct FaultCase {
  const char* name;
  Fault fault;
  std::vector<const char*> checks;  // that see each fault once
};

class BenchFaults : public testing::TestWithParam<FaultCase> {};

TEST_P(BenchFaults, AreCountedOneByOne) {
  const UnreliableServer server(GetParam().fault);
  const Outcome outcome = bench(server.url(), kTwoTopics);
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  ASSERT_GT(server.faults(), 0u);
  std::map<std::string, std::uint64_t> expected;
  for (const char* check : GetParam().checks) expected[check] = server.faults();
  EXPECT_EQ(failed_checks(outcome), expected) << outcome.out;
}

TEST_P(BenchFaults, AreCountedAtAFixedRateToo) {
  const UnreliableServer server(GetParam().fault);
  const Outcome outcome =
      bench(server.url(), {"--protocol", "raw", "--subscribers", "4", "--publishers", "2",
                           "--topics", "2", "--rate", "500"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.err;
  ASSERT_GT(server.faults(), 0u);
  std::map<std::string, std::uint64_t> expected;
  for (const char* check : GetParam().checks) expected[check] = server.faults();
  EXPECT_EQ(failed_checks(outcome), expected) << outcome.out;
}

INSTANTIATE_TEST_SUITE_P(
    Faults, BenchFaults,
    testing::Values(FaultCase{"drop", Fault::drop, {"lost"}},
                    FaultCase{"duplicate", Fault::duplicate, {"duplicate"}},
                    FaultCase{"swap", Fault::swap, {"out_of_order"}},
                    FaultCase{"misdeliver", Fault::misdeliver, {"misdelivered"}},
                    FaultCase{"echo", Fault::echo, {"misdelivered"}},
                    FaultCase{"corrupt", Fault::corrupt, {"corrupt", "lost"}},
                    FaultCase{"truncate", Fault::truncate, {"corrupt", "lost"}}),
    [](const auto& fault) { return std::string(fault.param.name); });

TEST(BenchProgram, EndsWhenNothingArrivesAnyMore) {
  // The only message in flight is lost: nothing would ever move again.
  const UnreliableServer server(Fault::drop);
  const Outcome outcome = run_program(
      RINGCAST_BENCH, {"fanout", "--url", server.url(), "--protocol", "raw", "--subscribers", "1",
                       "--window", "1", "--duration", "600", "--stall-timeout", "0.5", "--json"});
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_EQ(failed_checks(outcome), (std::map<std::string, std::uint64_t>{{"lost", 1}}));
  EXPECT_TRUE(Json::parse(outcome.out)["stalled"]);
}

TEST(BenchProgram, ALostConnectionIsAFailureUnlessAllowed) {
  for (const bool allowed : {false, true}) {
    const UnreliableServer server(Fault::disconnect);
    std::vector<std::string> args = {"--protocol", "raw", "--subscribers", "10", "--window", "4"};
    if (allowed) args.push_back("--allow-disconnects");
    const Outcome outcome = bench(server.url(), args);
    EXPECT_EQ(outcome.exit_code, allowed ? 0 : 1) << outcome.err;
    EXPECT_EQ(failed_checks(outcome).size(), 0u) << outcome.out;  // the others missed nothing
    EXPECT_EQ(Json::parse(outcome.out)["disconnects"], server.faults());
    if (!allowed) {
      EXPECT_NE(outcome.err.find("1008 too slow"), std::string::npos) << outcome.err;
    }
  }
}

TEST(BenchProgram, MeasuresIngestWithoutSubscribers) {
  const UnreliableServer server(Fault::none);
  const Outcome outcome = bench(server.url(), {"--protocol", "raw", "--subscribers", "0",
                                               "--publishers", "3", "--window", "32"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_GT(Json::parse(outcome.out)["publications"], 0);
  EXPECT_EQ(Json::parse(outcome.out)["deliveries"], 0);
}

TEST(BenchProgram, SpeaksWampInBothSerializers) {
  for (const char* protocol : {"msgpack", "json"}) {
    const FakeRouter router;
    const Outcome outcome =
        bench(router.url(), {"--protocol", protocol, "--subscribers", "3", "--publishers", "2",
                             "--topics", "3", "--window", "4", "--payload", "300"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
    EXPECT_GT(Json::parse(outcome.out)["deliveries"], 0);
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
    const Outcome outcome = bench(router.url(), {});
    EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
    EXPECT_NE(outcome.err.find(refusal.said), std::string::npos) << outcome.err;
  }
}

TEST(BenchProgram, NothingListensIsExitCodeOne) {
  const Outcome outcome = bench("ws://127.0.0.1:1/ws", {});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("127.0.0.1:1: Connection refused"), std::string::npos) << outcome.err;
}

TEST(BenchProgram, RefusesOptionsThatCannotWork) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"--payload", "31"},
                                               {"--protocol", "json", "--payload", "63"},
                                               {"--subscribers", "2", "--topics", "3"},
                                               {"--subscribers", "0", "--rate", "5"},
                                               {"--nonsense"},
                                               {"--window", "0"},
                                               {"--rate", "5", "--window", "5"},
                                               {"--pid", "999999999"}}) {
    EXPECT_EQ(bench("ws://127.0.0.1:1/ws", args).exit_code, 2) << args[0];
  }
  EXPECT_EQ(bench("http://127.0.0.1:1/ws", {}).exit_code, 2);
  EXPECT_EQ(run_program(RINGCAST_BENCH, {"--version"}).exit_code, 0);
  EXPECT_EQ(run_program(RINGCAST_BENCH, {"fanout", "--help"}).exit_code, 0);
}

TEST(BenchProgram, ChargesTheServersCpu) {
  // This test's own process is the server.
  const UnreliableServer server(Fault::none);
  std::vector<std::string> args = kTwoTopics;
  args.insert(args.end(), {"--pid", std::to_string(::getpid())});
  const Outcome outcome = bench(server.url(), args);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json result = Json::parse(outcome.out);
  EXPECT_GT(result["server_cpu"]["us_per_delivery"], 0);
  EXPECT_GE(result["server_cpu"]["processes"], 1);
  EXPECT_GT(result["generator_cpu"]["us_per_delivery"], 0);
}

}  // namespace
}  // namespace ringcast::test
