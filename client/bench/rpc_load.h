// Mode rpc: callers call, callees answer, every call is checked and timed.
#pragma once

#include <variant>

#include "client/bench/fanout_options.h"
#include "client/bench/result.h"
#include "client/failure.h"

namespace ringcast::bench {

// Ends early, with what was found until then, on SIGINT and SIGTERM, when nothing is answered any
// more, and when all callers are gone.
std::variant<RunResult, client::Failure> run_rpc(const FanoutOptions& options);

}  // namespace ringcast::bench
