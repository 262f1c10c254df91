// `ringcast-cli publish`: one message, or a stream of records, into topics.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/connect_options.h"
#include "client/cli/records.h"

namespace ringcast::cli {

struct PublishOptions {
  ConnectOptions connect;
  std::string topic;
  std::vector<std::string> args;
  std::string kwargs;  // JSON text of an object; empty: none
  std::string from;    // a file's name, "-" for standard input; empty: args and kwargs
  std::optional<InputFormat> format;
  std::string topic_field;   // empty: all go to `topic`
  double rate_per_s = 0;     // 0: as fast as the broker takes them
  std::size_t count = 0;     // 0: one message, or all records
  std::size_t window = 256;  // acknowledgements awaited at most
  bool acknowledge = true;
};

// Runs until everything is published or something fails; returns the exit code.
int run_publish(const PublishOptions& options);

}  // namespace ringcast::cli
