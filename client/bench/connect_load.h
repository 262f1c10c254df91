// Mode connect: opens and closes connections as fast as so many at a time allow.
#pragma once

#include <variant>

#include "client/bench/fanout_options.h"
#include "client/bench/result.h"
#include "client/failure.h"

namespace ringcast::bench {

std::variant<RunResult, client::Failure> run_connect(const FanoutOptions& options);

}  // namespace ringcast::bench
