#include "broker/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "broker/config_file.h"
#include "broker/exit_code.h"
#include "ring/connection_id.h"
#include "worker/jwt_keys.h"

namespace ringcast::broker {
namespace {

constexpr const char* kDescription =
    "Ringcast: a multi-process WebSocket broker that speaks WAMP v2.\n"
    "Clients connect to ws://HOST:PORT/PATH with subprotocol wamp.2.msgpack or wamp.2.json.";

constexpr const char* kFooter =
    "Signals: SIGTERM and SIGINT stop gracefully, SIGUSR1 logs every worker's counters,\n"
    "         SIGHUP reads the keys for tokens again.\n"
    "Exit codes: 0 stopped, 1 internal, 2 invalid flags or configuration, 3 cannot listen,\n"
    "            4 io_uring refused, 5 too few file descriptors,\n"
    "            6 anonymous access beyond loopback not allowed.";

struct Seconds {
  double handshake, ping_interval, ping_timeout, drain;
};

std::uint64_t to_ms(double seconds) { return static_cast<std::uint64_t>(seconds * 1000); }

void default_layout(Config& config, bool processes_given, bool threads_given) {
  const std::uint32_t cores =
      std::clamp(std::thread::hardware_concurrency(), 1u, ring::kWorkersMax);
  if (!processes_given && !threads_given) {
    config.processes = std::min(cores, 4u);
    config.threads = cores / config.processes;
  }
}

const char* path_error(const std::string& path) {
  if (path.empty() || path[0] != '/') return "must begin with '/'";
  if (path.find_first_of("?# ") != std::string::npos) return "must not contain '?', '#' or a blank";
  return nullptr;
}

// What CLI11 can't see: how one flag depends on another. Empty: all is well.
std::string contradiction(const Config& config) {
  if (std::uint64_t{config.processes} * config.threads > ring::kWorkersMax) {
    return "--processes times --threads must be at most " + std::to_string(ring::kWorkersMax);
  }
  if (const char* wrong = path_error(config.worker.websocket_path)) {
    return std::string("--path ") + wrong;
  }
  if (config.worker.echo_path.empty()) return {};
  if (const char* wrong = path_error(config.worker.echo_path)) {
    return std::string("--echo-path ") + wrong;
  }
  if (config.worker.echo_path == config.worker.websocket_path) {
    return "--echo-path and --path must differ";
  }
  return {};
}

void add_limits(CLI::App& app, Config& config, Seconds& seconds) {
  constexpr const char* kGroup = "Limits";
  const CLI::Range timeout(0.05, 86400.0);
  app.add_option("--handshake-timeout", seconds.handshake,
                 "seconds for the upgrade, and then for HELLO")
      ->check(timeout)
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--ping-interval", seconds.ping_interval, "seconds of silence before a ping")
      ->check(timeout)
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--ping-timeout", seconds.ping_timeout, "seconds to answer a ping")
      ->check(timeout)
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--drain-timeout", seconds.drain, "seconds for what is queued when stopping")
      ->check(timeout)
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--queue-bytes-max", config.worker.queue_bytes_max,
                 "outbound bytes queued for one connection before it is a slow reader")
      ->check(CLI::Range(4096.0, 1073741824.0))
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--message-bytes-max", config.worker.message_bytes_max,
                 "bytes of one message from a client")
      ->check(CLI::Range(1024.0, 67108864.0))
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--worker-connections-max", config.worker_connections_max,
                 "connections of one worker thread (default: by the limit of file descriptors)")
      ->check(CLI::Range(1.0, 250000.0))
      ->group(kGroup);
}

}  // namespace

std::uint64_t Config::arena_bytes() const {
  constexpr std::uint64_t kPage = 4096;
  const std::uint64_t wanted =
      std::max<std::uint64_t>(16u << 20, 5 * (worker.message_bytes_max + kPage));
  return (wanted + kPage - 1) / kPage * kPage;
}

bool Config::lets_anonymous_in() const {
  const auto realms = worker.all_realms();
  return std::any_of(realms.begin(), realms.end(), [](const auto& realm) {
    return realm->anonymous_role != worker::Realm::kNoRole;
  });
}

std::optional<EarlyExit> apply_file(Config& config, std::string_view text) {
  const std::string directory = std::filesystem::path(config.file).parent_path().string();
  const ConfigErrors errors = parse_config_file(text, directory, config.worker);
  if (errors.empty()) return std::nullopt;
  std::fprintf(stderr, "ringcast: the configuration file is not valid\n%s",
               errors.to_text(config.file).c_str());
  return EarlyExit{kExitUsage};
}

std::optional<EarlyExit> check_named_files(const Config& config) {
  for (const auto& realm : config.worker.all_realms()) {
    if (!realm->jwt) continue;
    const auto keys = worker::read_jwt_keys(*realm->jwt, nullptr);
    if (keys) continue;
    std::fprintf(stderr, "ringcast: %s: realm %s: %s; %s\n", config.file.c_str(),
                 realm->name.c_str(), keys.failure().cause.c_str(), keys.failure().remedy.c_str());
    return EarlyExit{kExitUsage};
  }
  return std::nullopt;
}

std::variant<Config, EarlyExit> parse_command_line(int argc, char** argv) {
  Config config;
  Seconds seconds{.handshake = 10, .ping_interval = 30, .ping_timeout = 10, .drain = 5};
  std::string realm = config.worker.realms.front()->name;
  CLI::App app{kDescription, "ringcast"};
  app.footer(kFooter);
  app.set_version_flag("--version", "ringcast " RINGCAST_VERSION);
  app.add_option("--listen", config.listen, "address to listen on, HOST:PORT; may be repeated")
      ->capture_default_str();
  app.add_option("--path", config.worker.websocket_path, "path of the WebSocket endpoint")
      ->capture_default_str();
  auto* realm_option = app.add_option("--realm", realm, "name of the realm that is served");
  realm_option->capture_default_str();
  app.add_option("--config", config.file,
                 "configuration file: realms, and who may do what (docs/configuration.md)")
      ->excludes(realm_option);
  auto* processes = app.add_option("--processes", config.processes,
                                   "worker processes (default: one per core, up to four)")
                        ->check(CLI::Range(1u, ring::kWorkersMax));
  auto* threads = app.add_option("--threads", config.threads, "worker threads per process")
                      ->check(CLI::Range(1u, ring::kWorkersMax));
  app.add_option("--busy-poll", config.worker.busy_poll_us,
                 "microseconds that an idle worker looks for work before it sleeps, if that pays")
      ->check(CLI::Range(0u, worker::kBusyPollMaxUs))
      ->capture_default_str();
  app.add_option("--echo-path", config.worker.echo_path,
                 "diagnostics: a second endpoint that echoes messages");
  app.add_flag("--allow-anonymous", config.allow_anonymous,
               "serve anonymous clients on addresses beyond loopback");
  app.add_option("--log-level", config.log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  add_limits(app, config, seconds);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return EarlyExit{app.exit(error) == 0 ? kExitDone : kExitUsage};
  }
  config.worker.realms = {worker::open_realm(realm)};
  config.worker.handshake_timeout_ms = to_ms(seconds.handshake);
  config.worker.ping_interval_ms = to_ms(seconds.ping_interval);
  config.worker.ping_timeout_ms = to_ms(seconds.ping_timeout);
  config.worker.drain_timeout_ms = to_ms(seconds.drain);
  default_layout(config, processes->count() != 0, threads->count() != 0);
  if (const std::string wrong = contradiction(config); !wrong.empty()) {
    std::fprintf(stderr, "ringcast: %s\nRun with --help for the flags.\n", wrong.c_str());
    return EarlyExit{kExitUsage};
  }
  return config;
}

}  // namespace ringcast::broker
