// What the main() of every check does with its verdict.
#pragma once

#include <cstdio>
#include <exception>

#include "tests/stress/verdict.h"

namespace ringcast::stress {

// Runs `check`, says how it ended, and returns the exit code.
template <typename Check>
int run_check(const char* name, Check&& check) {
  try {
    check();
    fmt::print("{}: passed\n", name);
    return static_cast<int>(Exit::passed);
  } catch (const Verdict& verdict) {
    std::fflush(stdout);
    fmt::print(stderr, "{}: {}: {}\n", name,
               verdict.exit() == Exit::misdelivered ? "MISDELIVERED" : "FAILED", verdict.what());
    return static_cast<int>(verdict.exit());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: FAILED: {}\n", name, error.what());
    return static_cast<int>(Exit::failed);
  }
}

}  // namespace ringcast::stress
