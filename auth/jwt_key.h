// Keys that verify and sign JSON Web Tokens. A key is of one algorithm, and that is the key's
// property, never the token's: so no token can have an RSA key taken for an HMAC secret.
// Keys are immutable and may be shared between threads; loading is stateless.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/result.h"

namespace ringcast::auth {

enum class JwtAlgorithm : std::uint8_t { hs256, rs256, es256, eddsa };

std::string_view jwt_algorithm_name(JwtAlgorithm algorithm);  // as in a token's header

inline constexpr std::size_t kJwtKeysMax = 32;
inline constexpr std::size_t kKeyDocumentSizeMax = 64 * 1024;  // bytes of PEM text or JWKS
inline constexpr std::size_t kHs256SecretSizeMin = 32;         // bytes (RFC 7518 section 3.2)
inline constexpr std::size_t kHs256SecretSizeMax = 1024;
inline constexpr int kRsaBitsMin = 2048;  // RFC 7518 section 3.3
inline constexpr int kRsaBitsMax = 8192;

class JwtKey {
 public:
  // RSA gives RS256, EC on P-256 ES256, Ed25519 EdDSA; anything else fails. Takes a reference.
  static Result<JwtKey> from_evp(EVP_PKEY* key, std::string kid);
  static Result<JwtKey> from_secret(std::string secret, std::string kid);  // HS256

  JwtAlgorithm algorithm() const { return algorithm_; }
  const std::string& kid() const { return kid_; }  // empty if it has none

  // Whether `signature` (its bytes, as RFC 7518 section 3 forms them) is of `signing_input`.
  bool verify(std::string_view signing_input, std::string_view signature) const;
  // Nothing if the key has no private part.
  std::optional<std::string> sign(std::string_view signing_input) const;

 private:
  JwtKey() = default;
  JwtAlgorithm algorithm_ = JwtAlgorithm::hs256;
  std::string kid_;
  std::string secret_;             // HS256
  std::shared_ptr<EVP_PKEY> evp_;  // the others
};

// One or more "BEGIN PUBLIC KEY" blocks. A private key is refused: it has no business on a router.
Result<std::vector<JwtKey>> jwt_keys_from_pem(std::string_view pem);

// A JWK Set (RFC 7517): kty RSA, EC with P-256, OKP with Ed25519, oct. Keys of other kinds, for
// other algorithms or for encryption are passed over, as RFC 7517 section 5 demands; a document
// without any usable key fails, and so does one in which a key of ours is broken.
Result<std::vector<JwtKey>> jwt_keys_from_jwks(std::string_view json);

// For whoever issues tokens: one "BEGIN PRIVATE KEY" block, not encrypted.
Result<JwtKey> jwt_private_key_from_pem(std::string_view pem, std::string kid);

}  // namespace ringcast::auth
