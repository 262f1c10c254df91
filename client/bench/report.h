// How a result is shown: a table for people, one JSON object for programs, a page with plots.
// Stateless; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/bench/fanout_options.h"
#include "client/bench/result.h"

namespace ringcast::bench {

std::string as_table(const FanoutOptions& options, const RunResult& result);

// `all_percentiles`: the whole distribution of latencies too, as HdrHistogram lists it.
std::string as_json(const FanoutOptions& options, const RunResult& result, bool all_percentiles);

// A page of HTML that needs nothing else.
std::string as_plot(const FanoutOptions& options, const RunResult& result);

// What all three call things.
std::string_view name_of(Mode mode);
// "100 subscribers, 1 publisher, …": what was asked for, in one line.
std::string load_text(const FanoutOptions& options, const RunResult& result);
// What the reader has to know before believing the figures; a sentence each.
std::vector<std::string> notes(const RunResult& result);

}  // namespace ringcast::bench
