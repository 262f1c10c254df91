#include "client/cli/exit_code.h"

#include <fmt/format.h>

#include <cstdio>

namespace ringcast::cli {

int report(const client::Failure& failure) {
  fmt::print(stderr, "ringcast-cli: {}{}{}\n", failure.cause, failure.remedy.empty() ? "" : "\n  ",
             failure.remedy);
  switch (failure.kind) {
    case client::Failure::Kind::input:
      return kExitUsage;
    case client::Failure::Kind::refused:
      return kExitRefused;
    default:
      return kExitFailure;
  }
}

}  // namespace ringcast::cli
