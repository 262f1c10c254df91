#include "client/bench/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <map>

namespace ringcast::bench {
namespace {

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

constexpr std::uint32_t kConnectionsMost = 60'000;
constexpr double kSecondsLeast = 1e-3;
constexpr double kSecondsMost = 1e6;

// As CLI::Range, which "nan" passes.
CLI::Validator within(double least, double most) {
  const auto check = [least, most](std::string& text) {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most)
      return std::string();
    return fmt::format("Value {} not in range {:g} to {:g}", text, least, most);
  };
  return {check, fmt::format("in [{:g} - {:g}]", least, most)};
}
CLI::Validator seconds() { return within(kSecondsLeast, kSecondsMost); }

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
      ->check(seconds());
  command.add_option("--warmup", options.warmup_s, "seconds of load before")
      ->capture_default_str()
      ->check(within(0, kSecondsMost));
  command.add_option(
      "--pid", options.server_pids,
      "processes whose CPU time and memory, with those of all their descendants, is the server's");
  command.add_option("--tcp-congestion", options.congestion,
                     "congestion control of the generator's sockets");
  command.add_option("--source", options.sources,
                     "addresses that connections come from in turn: each has its own local ports");
  command.add_flag("--json", flags.json, "write the result as one JSON object");
  command.add_option("--plot", flags.plot, "write a page with plots to this file")
      ->type_name("FILE.html");
}

void add_spin(CLI::App& command, FanoutOptions& options) {
  command.add_flag("--spin", options.spin,
                   "poll without sleeping, so that the server never pays for waking the "
                   "generator; wants a core of its own");
}

void add_connect_timeout(CLI::App& command, FanoutOptions& options) {
  command.add_option("--connect-timeout", options.connect_timeout_s, "seconds for all connections")
      ->capture_default_str()
      ->check(seconds());
}

void add_publishing(CLI::App& command, FanoutOptions& options) {
  add_spin(command, options);
  add_connect_timeout(command, options);
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
      ->check(within(1e-3, 100));
  command.add_option("--window,-K", options.window, "broadcasts in flight per publisher")
      ->capture_default_str()
      ->check(CLI::Range(1u, 1u << 20));
  command
      .add_option("--bytes", options.bytes_max,
                  "end after so many bytes of payload have been published, not by --duration")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 50));
  command
      .add_option("--stall-timeout", options.stall_s,
                  "seconds without any delivery that end the run")
      ->capture_default_str()
      ->check(seconds());
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
  command
      ->add_flag("--percentiles", flags.percentiles,
                 "with the whole distribution of latencies in the JSON object")
      ->needs(command->get_option("--json"));
  command->add_option("--subscribers,-S", options.subscribers, "connections that receive")
      ->capture_default_str()
      ->check(CLI::Range(1u, kConnectionsMost));
  command
      ->add_option("--rate,-R", options.rate_per_s,
                   "publications per second, of all publishers together, instead of a window")
      ->check(within(1e-3, 1e8))
      ->excludes("--window");
  command
      ->add_option("--stalled", options.stalled,
                   "further subscribers that do not read once they have subscribed")
      ->check(CLI::Range(1u, kConnectionsMost));
  command
      ->add_option("--churn", options.churn_rate,
                   "further connections per second that subscribe, receive a little, and end in "
                   "different ways")
      ->check(within(1e-3, 1e6));
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
  add_connect_timeout(*command, options);
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
  add_spin(*command, options);
  command->add_option("--concurrency", options.concurrency, "connections at a time")
      ->capture_default_str()
      ->check(CLI::Range(1u, kConnectionsMost));
  command
      ->add_option("--stall-timeout", options.stall_s,
                   "seconds without any connection that end the run")
      ->capture_default_str()
      ->check(seconds());
  return command;
}

CLI::App* add_rpc(CLI::App& app, FanoutOptions& options, Flags& flags) {
  CLI::App* command = app.add_subcommand("rpc", "callers call, callees answer: WAMP routers");
  command->footer(
      "Examples:\n"
      "  ringcast-bench rpc --callers 50 --callees 4 --pid $(pgrep -ox ringcast)\n"
      "  ringcast-bench rpc --callers 50 --rate 2000 --duration 30 --json\n\n"
      "Each callee has a procedure, bench.rpc.RUN.N, and answers with what it was called with; "
      "callers call them in\n"
      "turn. Every call must be answered exactly once, with its own payload, and every callee be "
      "invoked in the\n"
      "order of each caller's calls. With --rate, calls of all callers together have fixed times "
      "to be made at,\n"
      "and latency counts from those even if sending had to wait. Exit codes are those of fanout; "
      "a call that is\n"
      "answered with an ERROR counts as a failed check.");
  add_common(*command, options, flags);
  add_spin(*command, options);
  add_connect_timeout(*command, options);
  command
      ->add_flag("--percentiles", flags.percentiles,
                 "with the whole distribution of latencies in the JSON object")
      ->needs(command->get_option("--json"));
  command->add_option("--callers,-C", options.callers, "connections that call")
      ->capture_default_str()
      ->check(CLI::Range(1u, kConnectionsMost));
  command->add_option("--callees,-E", options.callees, "connections that answer")
      ->capture_default_str()
      ->check(CLI::Range(1u, 1024u));
  command->add_flag("--callees-apart", options.callees_apart, "callees in a process of their own");
  command->add_option("--payload,-B", options.payload_bytes, "bytes of each call and answer")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{16} << 20));
  CLI::Option* window =
      command->add_option("--window,-K", options.window, "calls in flight per caller")
          ->default_str("1")
          ->check(CLI::Range(1u, 1u << 20));
  command
      ->add_option("--rate,-R", options.rate_per_s,
                   "calls per second, of all callers together, instead of a window")
      ->check(within(1e-3, 1e8))
      ->excludes(window);
  command
      ->add_option("--stall-timeout", options.stall_s,
                   "seconds without any answer that end the run")
      ->capture_default_str()
      ->check(seconds());
  command->add_flag("--allow-disconnects", options.allow_disconnects,
                    "lost connections are counted but are no failure");
  return command;
}

}  // namespace

std::variant<CommandLine, int> parse_command_line(int argc, char** argv) {
  CLI::App app("Puts load on a WAMP router or WebSocket server and checks every delivery.",
               "ringcast-bench");
  app.set_version_flag("--version", "ringcast-bench " RINGCAST_VERSION);
  app.require_subcommand(1);
  CommandLine command;
  FanoutOptions& options = command.options;
  Flags& flags = command.flags;
  add_fanout(app, options, flags);
  const CLI::App* ingest = add_ingest(app, options, flags);
  const CLI::App* idle = add_idle(app, options, flags);
  const CLI::App* connect = add_connect(app, options, flags);
  const CLI::App* rpc = add_rpc(app, options, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (ingest->parsed()) {
    command.mode = Mode::ingest;
    options.subscribers = 0;
  } else if (idle->parsed()) {
    command.mode = Mode::idle;
    options.publishers = 0;
    if (idle->count("--topics") == 0) options.topics = options.subscribers;
  } else if (connect->parsed()) {
    command.mode = Mode::connect;
  } else if (rpc->parsed()) {
    command.mode = Mode::rpc;
    if (rpc->count("--window") == 0) options.window = 1;
  }
  return command;
}

}  // namespace ringcast::bench
