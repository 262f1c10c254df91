// ringcast-bench: puts load on a server, checks every delivery, and reports. Runs what the command
// line asks for, and turns the result into text and an exit code.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/bench/command_line.h"
#include "client/bench/connect_load.h"
#include "client/bench/fanout_options.h"
#include "client/bench/idle.h"
#include "client/bench/load.h"
#include "client/bench/replay.h"
#include "client/bench/report.h"
#include "client/bench/rpc_load.h"

namespace ringcast::bench {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;
constexpr int kExitRefused = 3;
constexpr int kExitChecksFailed = 4;

int report(const client::Failure& failure) {
  fmt::print(stderr, "ringcast-bench: {}{}{}\n", failure.cause,
             failure.remedy.empty() ? "" : "\n  ", failure.remedy);
  if (failure.kind == client::Failure::Kind::input) return kExitUsage;
  return failure.kind == client::Failure::Kind::refused ? kExitRefused : kExitFailure;
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

std::variant<RunResult, client::Failure> run(const FanoutOptions& options, Mode mode) {
  if (mode == Mode::idle) return run_idle(options);
  if (mode == Mode::connect) return run_connect(options);
  if (mode == Mode::rpc) return run_rpc(options);
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
  if (!result.counts.all_zero() || (result.calls && result.calls->errors > 0))
    return kExitChecksFailed;
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
  auto parsed = parse_command_line(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code == 0 ? 0 : kExitUsage;
  auto& command = std::get<CommandLine>(parsed);
  return run_and_report(command.options, command.mode, command.flags);
}

}  // namespace
}  // namespace ringcast::bench

int main(int argc, char** argv) { return ringcast::bench::main(argc, argv); }
