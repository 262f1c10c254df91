// Listening sockets from HOST:PORT. Made by the supervisor's main thread before anything else is
// started, so that an address that is in use is found out first.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "broker/config.h"

namespace ringcast::broker {

struct Listener {
  int fd = -1;
  std::string address;  // numeric, with the port that the kernel chose: "127.0.0.1:8080"
};

struct ListenError {
  int exit_code = 0;
  std::string message;  // cause and remedy
};

// All or none: on an error what had been opened is closed again.
std::variant<std::vector<Listener>, ListenError> open_listeners(const Config& config);

}  // namespace ringcast::broker
