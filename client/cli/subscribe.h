// `ringcast-cli subscribe`: prints the events of one or more topics.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "client/cli/connect_options.h"
#include "client/cli/event_format.h"

namespace ringcast::cli {

struct SubscribeOptions {
  ConnectOptions connect;
  std::vector<std::string> topics;
  OutputStyle output = OutputStyle::pretty;
  std::size_t count = 0;  // events to wait for; 0: no limit
  double timeout_s = 0;   // 0: none
};

// Runs until count, timeout or a signal ends it, or something fails; returns the exit code.
int run_subscribe(const SubscribeOptions& options);

}  // namespace ringcast::cli
