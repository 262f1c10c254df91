// How `subscribe` writes an event: for people, as JSON lines for programs, or just what was
// published. Stateless; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/cli/values.h"

namespace ringcast::cli {

enum class OutputStyle : std::uint8_t { pretty, raw, json };

struct ReceivedEvent {
  std::string_view topic;
  std::uint64_t publication = 0;
  const Publication& content;
  std::chrono::system_clock::time_point at;
};

// Appends the event's lines, each with its newline.
//   pretty  12:34:56.789  topic  "arg" 2  name="value"     times are local
//   json    {"topic":...,"publication":...,"args":[...],"kwargs":{...}}
//   raw     each argument on a line of its own, strings without quotes; then kwargs, if any, as one
//   object
void append_event(std::string& out, OutputStyle style, const ReceivedEvent& event);

void append_raw(std::string& out, const Publication& content);

}  // namespace ringcast::cli
