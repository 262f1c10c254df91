// WAMP-CRA, both sides (WAMP specification, "Challenge Response Authentication"). Stateless but for
// CraServer, which is one attempt of one session; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/credential.h"
#include "auth/result.h"

namespace ringcast::auth {

// What the challenge says: who the session will be once it is answered.
struct CraIdentity {
  std::string_view authid;
  std::string_view authrole;
  std::string_view authprovider;
  std::uint64_t session = 0;
};

// CHALLENGE.Extra.challenge: JSON text. `nonce` is random text that was never used before;
// `now_ms` is Unix time. Bytes that are not UTF-8 are replaced.
std::string cra_challenge(const CraIdentity& identity, std::string_view nonce, std::int64_t now_ms);

// CHALLENGE.Extra of a salted secret.
struct CraSalting {
  std::string salt;  // text, taken as the UTF-8 bytes it is
  std::uint32_t iterations = 0;
  std::uint32_t keylen = 0;  // bytes
};

// The key that signs: without salting the secret itself, with it the base64 text of what PBKDF2
// gives, as all clients have it. Fails where a router asks for more than kPbkdf2IterationsMax or
// for a key beyond 64 bytes.
Result<std::string> cra_key(std::string_view secret, const std::optional<CraSalting>& salting);

// AUTHENTICATE.Signature: base64(HMAC-SHA256(key, challenge)).
std::string cra_sign(std::string_view key, std::string_view challenge);

// The router's side of one attempt.
class CraServer {
 public:
  // `credential` is $plain or $wampcra; anything else, with a Failure, can't be used with WAMP-CRA.
  static Result<CraServer> begin(const Credential& credential, std::string challenge);

  const std::string& challenge() const { return challenge_; }
  const std::optional<CraSalting>& salting() const { return salting_; }  // none: leave the keys out

  Verdict verify(std::string_view signature) const;

 private:
  CraServer() = default;
  std::string key_;
  std::string challenge_;
  std::optional<CraSalting> salting_;
};

}  // namespace ringcast::auth
