// ringcast-bench: puts load on a WAMP router or a plain WebSocket server, and checks every
// delivery.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>

#include "client/bench/connect_load.h"
#include "client/bench/fanout_options.h"
#include "client/bench/idle.h"
#include "client/bench/load.h"
#include "client/bench/replay.h"
#include "client/bench/report.h"

namespace ringcast::bench {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;
constexpr int kExitRefused = 3;
constexpr int kExitChecksFailed = 4;

constexpr const char* kFooter =
    "Examples:\n"
    "  ringcast-bench fanout --subscribers 100 --window 64 --pid $(pgrep -ox ringcast)\n"
    "  ringcast-bench fanout --subscribers 1000 --rate 100 --duration 30 --json\n"
    "  ringcast-bench fanout --publishers 1000 --subscribers 1000 --topics 1000 --window 1\n"
    "  ringcast-bench fanout --subscribers 15000 --processes 2 --source 127.0.0.1 127.0.0.2\n"
    "  ringcast-bench fanout --protocol raw --url ws://127.0.0.1:9000/\n\n"
    "WAMP protocols publish without acknowledgement to bench.topic.N. raw is for plain WebSocket "
    "servers:\n"
    "publishers connect with ?role=pub, subscribers with ?role=sub (with several topics also "
    "&topic=N), and\n"
    "the server sends each message of a publisher to all subscribers (of its topic).\n\n"
    "With --window a publisher has so many broadcasts in flight; one is done when all its "
    "subscribers have\n"
    "it. With --rate, publications of all publishers together have fixed times to be sent at, and "
    "latency\n"
    "counts from those even if sending had to wait.\n\n"
    "Exit codes: 0 done, all checks passed; 1 the connection failed or was lost; 2 usage; 3 the "
    "server\n"
    "refused a connection or a subscription; 4 messages were lost, duplicated, out of order, "
    "misdelivered\n"
    "or corrupt.";

int report(const client::Failure& failure) {
  fmt::print(stderr, "ringcast-bench: {}{}{}\n", failure.cause,
             failure.remedy.empty() ? "" : "\n  ", failure.remedy);
  if (failure.kind == client::Failure::Kind::input) return kExitUsage;
  return failure.kind == client::Failure::Kind::refused ? kExitRefused : kExitFailure;
}

// What all modes have.
struct Flags {
  std::string url = "ws://127.0.0.1:8080/ws";
  bool json = false;
  bool percentiles = false;
  std::string plot;  // a file; empty: none
};

constexpr std::uint32_t kConnectionsMost = 60'000;

const std::map<std::string, Protocol> kProtocols = {{"msgpack", Protocol::msgpack},
                                                    {"json", Protocol::json},
                                                    {"raw", Protocol::raw},
                                                    {"nats", Protocol::nats},
                                                    {"mqtt", Protocol::mqtt}};

void add_common(CLI::App& command, FanoutOptions& options, Flags& flags) {
  command.add_option("--url", flags.url, "the server")
      ->capture_default_str()
      ->envname("RINGCAST_URL");
  command.add_option("--realm", options.realm, "the realm to join")->capture_default_str();
  command
      .add_option_function<std::string>(
          "--protocol",
          [&options](const std::string& name) { options.protocol = kProtocols.at(name); },
          "msgpack (the default) and json speak WAMP, raw is plain WebSocket, nats and mqtt are "
          "those protocols over WebSocket")
      ->type_name("PROTOCOL")
      ->check(CLI::IsMember({"msgpack", "json", "raw", "nats", "mqtt"}));
  command.add_option("--duration", options.duration_s, "seconds that are measured")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--warmup", options.warmup_s, "seconds of load before")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--connect-timeout", options.connect_timeout_s, "seconds for all connections")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option(
      "--pid", options.server_pids,
      "processes whose CPU time and memory, with those of all their descendants, is the server's");
  command.add_option("--tcp-congestion", options.congestion,
                     "congestion control of the generator's sockets");
  command.add_option("--source", options.sources,
                     "addresses that connections come from in turn: each has its own local ports");
  command.add_flag("--spin", options.spin,
                   "poll without sleeping, so that the server never pays for waking the "
                   "generator; wants a core of its own");
  CLI::Option* json = command.add_flag("--json", flags.json, "write the result as one JSON object");
  command
      .add_flag("--percentiles", flags.percentiles,
                "with the whole distribution of latencies in it")
      ->needs(json);
  command.add_option("--plot", flags.plot, "write a page with plots to this file")
      ->type_name("FILE.html");
}

std::optional<client::Failure> write_plot(const std::string& path, const std::string& page) {
  std::ofstream file(path, std::ios::binary);
  file << page;
  file.close();
  if (file) return std::nullopt;
  return client::Failure{client::Failure::Kind::input,
                         fmt::format("cannot write {}: {}", path, std::strerror(errno)),
                         "give --plot a file in a directory that you may write to"};
}

void add_publishing(CLI::App& command, FanoutOptions& options) {
  command.add_option("--publishers,-P", options.publishers, "connections that send")
      ->capture_default_str()
      ->check(CLI::Range(1u, kConnectionsMost));
  command.add_option("--topics,-T", options.topics, "topics, shared out evenly")
      ->capture_default_str()
      ->check(CLI::Range(1u, kConnectionsMost));
  CLI::Option* payload =
      command.add_option("--payload,-B", options.payload_bytes, "bytes of each message")
          ->capture_default_str()
          ->check(CLI::Range(std::size_t{1}, std::size_t{16} << 20));
  command
      .add_option("--replay", options.replay,
                  "a file whose records are published in turn: a JSON array, or lines")
      ->excludes(payload);
  command
      .add_option("--zipf", options.zipf,
                  "choose topics by a Zipf law with this exponent, not in turn")
      ->check(CLI::PositiveNumber);
  command.add_option("--window,-K", options.window, "broadcasts in flight per publisher")
      ->capture_default_str()
      ->check(CLI::Range(1u, 1u << 20));
  command.add_option("--bytes", options.bytes_max,
                     "end after so many bytes of payload have been published, not by --duration");
  command
      .add_option("--stall-timeout", options.stall_s,
                  "seconds without any delivery that end the run")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--processes", options.processes, "processes that share the connections")
      ->capture_default_str()
      ->check(CLI::Range(1u, 64u));
  command.add_flag("--allow-disconnects", options.allow_disconnects,
                   "lost connections are counted but are no failure");
}

CLI::App* add_fanout(CLI::App& app, FanoutOptions& options, Flags& flags) {
  CLI::App* command =
      app.add_subcommand("fanout", "publishers send to topics, subscribers receive");
  command->footer(kFooter);
  add_common(*command, options, flags);
  add_publishing(*command, options);
  command->add_option("--subscribers,-S", options.subscribers, "connections that receive")
      ->capture_default_str()
      ->check(CLI::Range(1u, kConnectionsMost));
  command
      ->add_option("--rate,-R", options.rate_per_s,
                   "publications per second, of all publishers together, instead of a window")
      ->check(CLI::PositiveNumber)
      ->excludes("--window");
  command
      ->add_option("--stalled", options.stalled,
                   "further subscribers that do not read once they have subscribed")
      ->check(CLI::Range(1u, kConnectionsMost));
  command
      ->add_option("--churn", options.churn_rate,
                   "further connections per second that subscribe, receive a little, and end in "
                   "different ways")
      ->check(CLI::PositiveNumber);
  command->add_option("--churners", options.churners, "the most of them at a time")
      ->capture_default_str()
      ->check(CLI::Range(1u, kConnectionsMost));
  return command;
}

CLI::App* add_ingest(CLI::App& app, FanoutOptions& options, Flags& flags) {
  CLI::App* command = app.add_subcommand("ingest", "publishers send, nobody receives");
  command->footer(
      "A publication is done when the server has answered a ping that was sent behind it\n"
      "(WebSocket ping, NATS PING, MQTT PINGREQ).");
  add_common(*command, options, flags);
  add_publishing(*command, options);
  return command;
}

CLI::App* add_idle(CLI::App& app, FanoutOptions& options, Flags& flags) {
  CLI::App* command =
      app.add_subcommand("idle", "connections that have subscribed, and wait: the server's memory");
  add_common(*command, options, flags);
  command->add_option("--subscribers,-S", options.subscribers, "connections")
      ->capture_default_str()
      ->check(CLI::Range(1u, kConnectionsMost));
  command->add_option("--topics,-T", options.topics, "topics (default: each connection its own)")
      ->check(CLI::Range(1u, kConnectionsMost));
  return command;
}

CLI::App* add_connect(CLI::App& app, FanoutOptions& options, Flags& flags) {
  CLI::App* command = app.add_subcommand(
      "connect", "opens connections, with WELCOME where there is one, and closes them");
  add_common(*command, options, flags);
  command->add_option("--concurrency", options.concurrency, "connections at a time")
      ->capture_default_str()
      ->check(CLI::Range(1u, kConnectionsMost));
  command
      ->add_option("--stall-timeout", options.stall_s,
                   "seconds without any connection that end the run")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  return command;
}

std::variant<RunResult, client::Failure> run(const FanoutOptions& options, Mode mode) {
  if (mode == Mode::idle) return run_idle(options);
  if (mode == Mode::connect) return run_connect(options);
  return run_load(options, mode);
}

int run_and_report(FanoutOptions& options, Mode mode, const Flags& flags) {
  auto url = client::parse_ws_url(flags.url);
  if (const auto* failure = std::get_if<client::Failure>(&url)) return report(*failure);
  options.url = std::get<client::WsUrl>(url);
  options.progress = ::isatty(STDERR_FILENO) == 1;
  if (const auto failure = check(options, mode)) return report(*failure);
  if (!options.replay.empty()) {
    const auto records = read_records(options.replay, options.protocol);
    if (const auto* failure = std::get_if<client::Failure>(&records)) return report(*failure);
    options.payload_bytes =
        mean_payload_bytes(std::get<std::vector<std::string>>(records), options.protocol);
  }
  const auto outcome = run(options, mode);
  if (const auto* failure = std::get_if<client::Failure>(&outcome)) return report(*failure);
  const auto& result = std::get<RunResult>(outcome);
  fmt::print("{}",
             flags.json ? as_json(options, result, flags.percentiles) : as_table(options, result));
  if (!flags.plot.empty()) {
    if (const auto failure = write_plot(flags.plot, as_plot(options, result)))
      return report(*failure);
  }
  if (!result.counts.all_zero()) return kExitChecksFailed;
  if (result.disconnects > 0 && !options.allow_disconnects) {
    return report(
        {client::Failure::Kind::network,
         fmt::format("{} connections were lost: {}", result.disconnects, result.first_disconnect),
         "the server's log has the reason; --allow-disconnects tolerates it"});
  }
  if (result.stalled) {
    return report({client::Failure::Kind::timeout, "the server stopped delivering",
                   "see whether it is alive, or give a longer --stall-timeout"});
  }
  return 0;
}

int main(int argc, char** argv) {
  CLI::App app("Puts load on a WAMP router or WebSocket server and checks every delivery.",
               "ringcast-bench");
  app.set_version_flag("--version", "ringcast-bench " RINGCAST_VERSION);
  app.require_subcommand(1);
  FanoutOptions options;
  Flags flags;
  add_fanout(app, options, flags);
  const CLI::App* ingest = add_ingest(app, options, flags);
  const CLI::App* idle = add_idle(app, options, flags);
  const CLI::App* connect = add_connect(app, options, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  Mode mode = Mode::fanout;
  if (ingest->parsed()) {
    mode = Mode::ingest;
    options.subscribers = 0;
  } else if (idle->parsed()) {
    mode = Mode::idle;
    options.publishers = 0;
    if (idle->count("--topics") == 0) options.topics = options.subscribers;
  } else if (connect->parsed()) {
    mode = Mode::connect;
  }
  return run_and_report(options, mode, flags);
}

}  // namespace
}  // namespace ringcast::bench

int main(int argc, char** argv) { return ringcast::bench::main(argc, argv); }
