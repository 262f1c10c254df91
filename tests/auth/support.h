// What the tests of auth/ share.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "auth/crypto.h"
#include "auth/encoding.h"
#include "auth/result.h"

namespace ringcast::auth::test {

inline std::string unhex(std::string_view text) { return from_hex(text).value(); }
inline Bytes32 unhex32(std::string_view text) { return bytes32(unhex(text)).value(); }

// The value, or the end of the test: for what is not under test.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.failure().cause);
  return *std::move(result);
}

// Cheap ones: what tests derive has to be right, not safe.
inline constexpr Argon2Cost kCheapArgon2{8192, 1, 1};
inline constexpr std::uint32_t kCheapIterations = 4096;
inline constexpr std::string_view kSalt = "0123456789abcdef";

}  // namespace ringcast::auth::test
