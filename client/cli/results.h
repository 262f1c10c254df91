// How results and errors of calls are shown. Stateless; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "client/cli/values.h"

namespace ringcast::cli {

enum class ResultStyle : std::uint8_t { value, full, raw };

// Appends one result with its newline.
//   value  the only argument as it is; null if there is nothing; anything else as `full`
//   full   {"args":[...],"kwargs":{...}}
//   raw    each argument on a line of its own, strings without quotes; then kwargs, if any, as one
//   object
void append_result(std::string& out, ResultStyle style, const Publication& content);

// "URI: text", the text being the error's first argument if that is a string, and in a second line
// whatever else it carries.
std::string error_text(std::string_view uri, const Publication& content);

// Writes all of it to standard output at once. False if that has failed, which was reported, unless
// the reader had enough.
bool write_output(std::string_view text);

}  // namespace ringcast::cli
