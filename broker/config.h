// What the command line and the configuration file say. Values; made once by the main thread, and
// again in every worker process from the same arguments and the same text of the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "worker/options.h"

namespace ringcast::broker {

// Slots of a worker beyond its limit of connections: for those who are answered HTTP 503.
inline constexpr std::uint32_t kRefusalSlots = 64;

struct Config {
  std::vector<std::string> listen = {"127.0.0.1:8080"};  // HOST:PORT, [IPV6]:PORT
  std::uint32_t processes = 1;
  std::uint32_t threads = 1;  // per process
  bool allow_anonymous = false;
  std::string file;  // path of the configuration file; empty: none
  std::string log_level = "info";
  std::uint32_t worker_connections_max = 0;  // 0: as many as RLIMIT_NOFILE allows
  worker::WorkerOptions worker;

  std::uint32_t workers() const { return processes * threads; }
  // Bytes of each worker's frame arena: several of the largest messages.
  std::uint64_t arena_bytes() const;
  // Whether somebody may come in without saying who he is.
  bool lets_anonymous_in() const;
};

// The program is over before it began: --help, --version, or an error on standard error.
struct EarlyExit {
  int code = 0;
};

// Prints help, version or what is wrong with the arguments.
std::variant<Config, EarlyExit> parse_command_line(int argc, char** argv);

// Takes over what the configuration file says, of which `text` is the content; or prints what is
// wrong with it.
std::optional<EarlyExit> apply_file(Config& config, std::string_view text);

// Whether the files that the configuration names are there and valid; prints what is not.
std::optional<EarlyExit> check_named_files(const Config& config);

}  // namespace ringcast::broker
