// Mode idle: connections that have subscribed and wait; what the server needs for them.
#pragma once

#include <variant>

#include "client/bench/fanout_options.h"
#include "client/bench/result.h"
#include "client/failure.h"

namespace ringcast::bench {

std::variant<RunResult, client::Failure> run_idle(const FanoutOptions& options);

}  // namespace ringcast::bench
