// What is kept of a secret instead of the secret, and its text form in configurations and files.
// Stateless; any thread.
//
// | text                                                    | serves                              |
// |---------------------------------------------------------|-------------------------------------|
// | $argon2id$v=19$m=…,t=…,p=…$salt$hash                    | ticket                              |
// | $pbkdf2-sha256$i=…,l=…$salt$hash                        | ticket                              |
// | $wampcra$i=…,l=…$salt$key                               | wampcra (salted), ticket            |
// | $scram-argon2id$v=19$m=…,t=…,p=1$salt$keys              | wamp-scram, scram, ticket           |
// | $scram-pbkdf2-sha256$i=…$salt$keys                      | wamp-scram, scram, ticket           |
// | $plain$secret                                           | wampcra (not salted), ticket        |
//
// Salts, hashes, keys and secrets are base64 without padding. "keys" is StoredKey and ServerKey
// (RFC 5802 section 3), with argon2id followed by the same two for the older "scram" (see scram.h).
// $wampcra and $plain suffice to log in: who reads them needs no password. The others do not, but
// for what RFC 5802 section 9 says of one who has listened as well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "auth/crypto.h"
#include "auth/result.h"

namespace ringcast::auth {

// What a hash may cost. Beyond these a text is refused, so that a wrong figure in a file can't
// hold up a node for minutes.
inline constexpr std::uint32_t kPbkdf2IterationsMax = 10'000'000;
inline constexpr std::uint32_t kArgon2MemoryMaxKib = 256 * 1024;
inline constexpr std::uint32_t kArgon2LanesMax = 16;
inline constexpr std::uint64_t kArgon2WorkMaxKib = 4 * 1024 * 1024;  // memory times iterations
bool argon2_cost_allowed(const Argon2Cost& cost);

// What `genhash` uses unless told otherwise: RFC 9106 section 4 (second choice) with one lane, as
// WAMP-SCRAM demands; OWASP's figure for PBKDF2; and what clients in JavaScript can bear for
// WAMP-CRA, where each login of each client derives the key anew.
inline constexpr Argon2Cost kArgon2CostDefault{64 * 1024, 3, 1};
inline constexpr std::uint32_t kPbkdf2IterationsDefault = 600'000;
inline constexpr std::uint32_t kCraIterationsDefault = 10'000;

struct PlainSecret {
  std::string secret;
};

struct Argon2idHash {
  Argon2Cost cost;
  std::string salt;  // 8 to 64 bytes
  std::string hash;  // 16 to 64 bytes
};

struct Pbkdf2Hash {
  std::uint32_t iterations = 0;
  std::string salt;
  std::string hash;
};

struct CraKey {
  std::uint32_t iterations = 0;
  std::string salt;  // goes on the wire as it is: UTF-8 text
  std::string key;   // what PBKDF2 gave, 16 to 64 bytes, a multiple of 4 (autobahn-js counts words)
};

struct ScramKeyPair {
  Bytes32 stored_key;
  Bytes32 server_key;
};

struct ScramKeys {
  std::optional<Argon2Cost> argon2;     // lanes 1. Without it the function is PBKDF2, with
  std::uint32_t pbkdf2_iterations = 0;  // so many iterations
  std::string salt;
  ScramKeyPair keys;
  std::optional<ScramKeyPair> crossbar;  // with argon2 only; see ScramDialect
};

using Credential = std::variant<PlainSecret, Argon2idHash, Pbkdf2Hash, CraKey, ScramKeys>;

Result<Credential> parse_credential(std::string_view text);
std::string to_text(const Credential& credential);

// Whether `password` (a ticket) is the one of which `credential` was made. Longer ones than
// kPasswordSizeMax are refused. Costs a derivation, except for $plain.
Verdict verify_password(const Credential& credential, std::string_view password);

// New credentials. Salts: 8 to 64 bytes, best 16 random ones; that of WAMP-CRA is text. A failure
// names what is wrong with the password or the cost.
Result<Credential> make_plain(std::string_view secret);
Result<Credential> make_argon2id(std::string_view password, const Argon2Cost& cost,
                                 std::string_view salt);
Result<Credential> make_pbkdf2(std::string_view password, std::uint32_t iterations,
                               std::string_view salt);
Result<Credential> make_cra_key(std::string_view password, std::uint32_t iterations,
                                std::string_view salt_text);
Result<Credential> make_scram_argon2id(std::string_view password, const Argon2Cost& cost,
                                       std::string_view salt);
Result<Credential> make_scram_pbkdf2(std::string_view password, std::uint32_t iterations,
                                     std::string_view salt);

// StoredKey and ServerKey of a SaltedPassword (RFC 5802 section 3).
ScramKeyPair scram_key_pair(std::string_view salted_password);
// With argon2id the SaltedPassword of the older "scram" is the text of the hash, as PHC strings
// show it, where the specification takes its bytes (autobahn-python, _hash_argon2id13_secret).
std::string crossbar_salted_password(std::string_view argon2_hash);

}  // namespace ringcast::auth
