// SASLprep (RFC 4013), the form in which WAMP-SCRAM compares passwords (WAMP specification,
// "Username/Password String Normalization"). Stateless; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "auth/result.h"

namespace ringcast::auth {

inline constexpr std::size_t kPasswordSizeMax = 1024;  // bytes

// Fails for what RFC 4013 prohibits (control characters, private use, mixed
// directions), for invalid UTF-8, and above kPasswordSizeMax. Code points that Unicode 3.2 did not
// know yet are kept, on both sides of an authentication [decision]: RFC 4013 refuses them where a
// password is set, which would forbid every emoji.
Result<std::string> saslprep(std::string_view text);

}  // namespace ringcast::auth
