// ringcast: the broker's program. One binary, two roles: the supervisor that a user starts, and the
// worker processes that it starts from itself.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "broker/config.h"
#include "broker/config_source.h"
#include "broker/exit_code.h"
#include "broker/supervisor.h"
#include "broker/worker_process.h"

namespace {

void set_up_log(const std::string& level) {
  auto log = spdlog::stderr_logger_mt("ringcast");
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  log->set_level(spdlog::level::from_str(level));
  log->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(log));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace ringcast::broker;
  auto parsed = parse_command_line(argc, argv);
  if (const auto* early = std::get_if<EarlyExit>(&parsed)) return early->code;
  auto& config = std::get<Config>(parsed);
  set_up_log(config.log_level);
  const auto channels = WorkerProcessChannels::from_environment();
  std::string file_text;
  if (!config.file.empty()) {
    auto read = channels ? read_sealed_text(channels->config_fd) : read_text_file(config.file);
    if (!read) {
      std::fprintf(stderr, "ringcast: %s; %s\n", read.failure().cause.c_str(),
                   read.failure().remedy.c_str());
      return kExitUsage;
    }
    file_text = *std::move(read);
    if (const auto early = apply_file(config, file_text)) return early->code;
  }
  if (channels) return run_worker_process(config, *channels);
  if (const auto early = check_named_files(config)) return early->code;
  Supervisor supervisor(config, std::vector<std::string>(argv, argv + argc), file_text);
  return supervisor.run();
}
