// A fan-out run from its first connection to its result. Uses the calling thread throughout.
#pragma once

#include <variant>

#include "client/bench/fanout_options.h"
#include "client/bench/result.h"
#include "client/failure.h"

namespace ringcast::bench {

// Options have passed check(). SIGINT and SIGTERM end the run early, with a result.
std::variant<RunResult, client::Failure> run_fanout(const FanoutOptions& options);

}  // namespace ringcast::bench
