// How a result is shown: a table for people, one JSON object for programs. Stateless; any thread.
#pragma once

#include <string>

#include "client/bench/fanout_options.h"
#include "client/bench/result.h"

namespace ringcast::bench {

std::string as_table(const FanoutOptions& options, const RunResult& result);
std::string as_json(const FanoutOptions& options, const RunResult& result);

}  // namespace ringcast::bench
