// What the tests of the configuration share: a file that is right, and the errors of one that is
// not.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "broker/config_file.h"

namespace ringcast::broker::test {

inline worker::WorkerOptions parsed(std::string_view text) {
  worker::WorkerOptions options;
  const ConfigErrors errors = parse_config_file(text, "/etc/ringcast", options);
  EXPECT_TRUE(errors.empty()) << errors.to_text("file");
  return options;
}

// "file:LINE: KEY: MESSAGE" of each error; empty if there are none.
inline std::string errors_of(std::string_view text) {
  worker::WorkerOptions options;
  return parse_config_file(text, "/etc/ringcast", options).to_text("file");
}

}  // namespace ringcast::broker::test
