// JSON Web Tokens as tickets (RFC 7519, RFC 7515 compact form; RFC 8725 where it says more).
// Stateless; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "auth/jwt_key.h"
#include "auth/result.h"

namespace ringcast::auth {

inline constexpr std::size_t kJwtSizeMax = 8192;     // bytes of a token
inline constexpr std::size_t kJwtNameSizeMax = 256;  // bytes of sub and role

struct JwtRules {
  std::optional<std::string> issuer;    // iss has to be this
  std::optional<std::string> audience;  // aud has to be this, or a list that has it
  std::string role_claim = "role";
  std::string default_role;     // for tokens without role; empty: they are refused
  bool expiry_required = true;  // refuse tokens without exp
  std::int64_t leeway_s = 60;   // how far the issuer's clock may be off
};

struct JwtIdentity {
  std::string authid;    // sub
  std::string authrole;  // role
  // Unix time at which the session has to end: exp and the leeway.
  std::optional<std::int64_t> ends_at_s;
};

// Who the token says that its bearer is. Checks the signature first, with the keys whose kid is the
// token's (a key without kid fits any token) and whose algorithm it names; then exp, nbf, iat, iss,
// aud. A token that names a critical extension, or a member twice, is refused. `now_s` is Unix
// time. The failure is for the log alone.
Result<JwtIdentity> verify_jwt(std::string_view token, std::span<const JwtKey> keys,
                               const JwtRules& rules, std::int64_t now_s);

// A token with these claims (JSON text of an object). Fails if they are none, or if the key has no
// private part.
Result<std::string> sign_jwt(std::string_view claims, const JwtKey& key);

}  // namespace ringcast::auth
