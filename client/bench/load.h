// Modes fanout and ingest: connects, publishes, checks and times deliveries, in one process or
// several.
#pragma once

#include <variant>

#include "client/bench/fanout_options.h"
#include "client/bench/result.h"
#include "client/failure.h"

namespace ringcast::bench {

// Ends early, with what was found until then, on SIGINT and SIGTERM, when nothing is delivered any
// more, and when all connections of a side are gone.
std::variant<RunResult, client::Failure> run_load(const FanoutOptions& options, Mode mode);

}  // namespace ringcast::bench
