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

#include "client/bench/fanout.h"
#include "client/bench/fanout_options.h"
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
    "  ringcast-bench fanout --publishers 50 --subscribers 0 --window 1000\n"
    "  ringcast-bench fanout --protocol raw --url ws://127.0.0.1:9000/\n\n"
    "WAMP protocols publish without acknowledgement to bench.topic.N. raw is for plain WebSocket "
    "servers:\n"
    "publishers connect with ?role=pub, subscribers with ?role=sub (with several topics also "
    "&topic=N), and\n"
    "the server sends each message of a publisher to all subscribers (of its topic). Without "
    "subscribers,\n"
    "a publication is done when a pong has shown that the server took it.\n\n"
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

struct FanoutFlags {
  std::string url = "ws://127.0.0.1:8080/ws";
  bool json = false;
  bool percentiles = false;
  std::string plot;  // a file; empty: none
};

const std::map<std::string, Protocol> kProtocols = {
    {"msgpack", Protocol::msgpack}, {"json", Protocol::json}, {"raw", Protocol::raw}};

void add_fanout(CLI::App& app, FanoutOptions& options, FanoutFlags& flags) {
  CLI::App* command =
      app.add_subcommand("fanout", "publishers send to topics, subscribers receive");
  command->footer(kFooter);
  constexpr std::uint32_t kMost = 60'000;
  command->add_option("--url", flags.url, "the server")
      ->capture_default_str()
      ->envname("RINGCAST_URL");
  command->add_option("--realm", options.realm, "the realm to join")->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--protocol",
          [&options](const std::string& name) { options.protocol = kProtocols.at(name); },
          "msgpack (the default) and json speak WAMP, raw is plain WebSocket")
      ->type_name("PROTOCOL")
      ->check(CLI::IsMember({"msgpack", "json", "raw"}));
  command->add_option("--subscribers,-S", options.subscribers, "connections that receive")
      ->capture_default_str()
      ->check(CLI::Range(0u, kMost));
  command->add_option("--publishers,-P", options.publishers, "connections that send")
      ->capture_default_str()
      ->check(CLI::Range(1u, kMost));
  command->add_option("--topics,-T", options.topics, "topics, shared out evenly")
      ->capture_default_str()
      ->check(CLI::Range(1u, kMost));
  command->add_option("--payload,-B", options.payload_bytes, "bytes of each message")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{16} << 20));
  CLI::Option* window =
      command->add_option("--window,-K", options.window, "broadcasts in flight per publisher")
          ->capture_default_str()
          ->check(CLI::Range(1u, 1u << 20));
  command
      ->add_option("--rate,-R", options.rate_per_s,
                   "publications per second, of all publishers together")
      ->check(CLI::PositiveNumber)
      ->excludes(window);
  command->add_option("--duration", options.duration_s, "seconds that are measured")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--warmup", options.warmup_s, "seconds of load before")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--stall-timeout", options.stall_s,
                   "seconds without any delivery that end the run")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--connect-timeout", options.connect_timeout_s, "seconds for all connections")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--pid", options.server_pids,
                      "processes whose CPU time, with all their descendants, is the server's");
  command->add_option("--tcp-congestion", options.congestion,
                      "congestion control of the generator's sockets");
  command->add_flag("--allow-disconnects", options.allow_disconnects,
                    "lost connections are counted but are no failure");
  command->add_flag("--spin", options.spin,
                    "poll without sleeping, so that the server never pays for waking the "
                    "generator; wants a core of its own");
  CLI::Option* json =
      command->add_flag("--json", flags.json, "write the result as one JSON object");
  command
      ->add_flag("--percentiles", flags.percentiles,
                 "with the whole distribution of latencies in it")
      ->needs(json);
  command->add_option("--plot", flags.plot, "write a page with plots to this file")
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

int fanout(FanoutOptions& options, const FanoutFlags& flags) {
  auto url = client::parse_ws_url(flags.url);
  if (const auto* failure = std::get_if<client::Failure>(&url)) return report(*failure);
  options.url = std::get<client::WsUrl>(url);
  options.progress = ::isatty(STDERR_FILENO) == 1;
  if (const auto failure = check(options)) return report(*failure);
  const auto outcome = run_fanout(options);
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
  FanoutFlags flags;
  add_fanout(app, options, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return fanout(options, flags);
}

}  // namespace
}  // namespace ringcast::bench

int main(int argc, char** argv) { return ringcast::bench::main(argc, argv); }
