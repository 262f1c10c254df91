// The command line of ringcast-bench: its modes, their options, and what values these may have.
// One thread.
#pragma once

#include <string>
#include <variant>

#include "client/bench/fanout_options.h"
#include "client/bench/result.h"

namespace ringcast::bench {

// Where a run is to go, and how its result is to be shown.
struct Flags {
  std::string url = "ws://127.0.0.1:8080/ws";
  bool json = false;
  bool percentiles = false;
  std::string plot;  // a file; empty: none
};

struct CommandLine {
  Mode mode = Mode::fanout;
  FanoutOptions options;
  Flags flags;
};

// Where there is nothing to run, says why: 0 after --help and --version, else what was wrong.
std::variant<CommandLine, int> parse_command_line(int argc, char** argv);

}  // namespace ringcast::bench
