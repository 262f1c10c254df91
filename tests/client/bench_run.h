// ringcast-bench started by a test, and what its report says.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/client/program.h"

namespace ringcast::test {

// `more` beside the options, in the place of those that it names again.
std::vector<std::string> with_options(std::vector<std::string> options,
                                      const std::vector<std::string>& more);

// Runs it with its result as JSON.
Outcome bench(const std::string& mode, const std::string& url,
              const std::vector<std::string>& options);

nlohmann::json report_of(const Outcome& outcome);  // null if there is none

// The checks that counted something, by name.
std::map<std::string, std::uint64_t> failed_checks(const Outcome& outcome);

}  // namespace ringcast::test
