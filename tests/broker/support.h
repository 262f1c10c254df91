// What the tests of the configuration share: a file that is right, and the errors of one that is
// not.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "broker/config_file.h"

namespace ringcast::broker::test {

inline ConfigFile parsed(std::string_view text) {
  auto result = parse_config_file(text);
  if (const auto* errors = std::get_if<ConfigErrors>(&result)) {
    ADD_FAILURE() << errors->to_text("file");
    return {};
  }
  return std::get<ConfigFile>(std::move(result));
}

// "LINE: KEY: MESSAGE" of each error; empty if there are none.
inline std::string errors_of(std::string_view text) {
  auto result = parse_config_file(text);
  const auto* errors = std::get_if<ConfigErrors>(&result);
  return errors != nullptr ? errors->to_text("file") : std::string();
}

}  // namespace ringcast::broker::test
