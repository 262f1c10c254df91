// The option --match of the commands that take patterns.
#pragma once

#include <CLI/CLI.hpp>

#include "wire/options.h"

namespace ringcast::cli {

// `policy` outlives the parsing.
inline void add_match_option(CLI::App& command, wire::MatchPolicy& policy) {
  command
      .add_option_function<std::string>(
          "--match",
          [&policy](const std::string& name) {
            policy = name == "prefix"     ? wire::MatchPolicy::prefix
                     : name == "wildcard" ? wire::MatchPolicy::wildcard
                                          : wire::MatchPolicy::exact;
          },
          "exact (the default), prefix, or wildcard, where an empty component stands for any")
      ->type_name("POLICY")
      ->check(CLI::IsMember({"exact", "prefix", "wildcard"}));
}

}  // namespace ringcast::cli
