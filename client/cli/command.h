// One command of ringcast-cli: what the command line knows of it, and what it does. Each command's
// header has a function that makes one.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace ringcast::cli {

struct Command {
  CLI::App* app;             // told the command line whether this is the one that was given
  std::function<int()> run;  // returns the program's exit code; owns the options that were parsed
};

}  // namespace ringcast::cli
