// WAMP-SCRAM, both sides (WAMP specification, "Salted Challenge Response Authentication"; RFC 5802,
// RFC 7677). One object is one attempt of one session; no I/O, no clock. Any thread, one at a time.
//
//   client.hello() -> HELLO -> ScramServer::begin -> challenge() -> CHALLENGE -> client.answer()
//   -> AUTHENTICATE -> server.verify() -> verifier() -> WELCOME -> client.check()
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/credential.h"
#include "auth/result.h"

namespace ringcast::auth {

// Two protocols by two names. What Crossbar and autobahn-python call "scram" (an early draft)
// differs from the specification: the authid stands normalised and unescaped in what is signed,
// "c=" is empty, AUTHENTICATE.Extra is empty, argon2id's result is taken as text, and names differ.
enum class ScramDialect : std::uint8_t {
  standard,  // method "wamp-scram"
  crossbar,  // method "scram"
};

// The member of WELCOME.Details.authextra that holds ScramServer::verifier().
std::string_view scram_verifier_name(ScramDialect dialect);

// A property of the connection that both ends see: type "tls-unique", "tls-server-end-point"
// (RFC 5929) or "tls-exporter" (RFC 9266) and its bytes.
struct ChannelBinding {
  std::string type;
  std::string data;
};

struct ScramHello {  // HELLO.Details
  std::string authid;
  std::string nonce;                           // authextra.nonce
  std::optional<std::string> channel_binding;  // authextra.channel_binding; null and absent alike
};

struct ScramChallenge {  // CHALLENGE.Extra
  std::string nonce;
  std::string salt;  // base64
  std::string kdf;
  std::uint32_t iterations = 0;
  std::optional<std::uint32_t> memory_kib;  // memory: leave out if empty (a client takes no null)
};

struct ScramProof {  // AUTHENTICATE
  std::string signature;
  // Extra; the older dialect has none of them.
  std::optional<std::string> nonce;
  std::optional<std::string> channel_binding;
  std::optional<std::string> cbind_data;  // base64
};

// Octets of a nonce before it is base64: 16 are recommended, the specification's example has 8.
inline constexpr std::size_t kScramNonceMin = 8;
inline constexpr std::size_t kScramNonceMax = 64;

class ScramServer {
 public:
  // `server_nonce`: 16 random bytes, drawn for this attempt. `binding`: of this connection, if
  // `hello` asks for one and the transport has one of that type. Fails if the nonce breaks the
  // rules, if the binding that is asked for is not there (the specification demands ABORT), or if
  // `keys` do not serve the dialect.
  static Result<ScramServer> begin(ScramDialect dialect, const ScramHello& hello,
                                   const ScramKeys& keys, std::string_view server_nonce,
                                   std::optional<ChannelBinding> binding);

  const ScramChallenge& challenge() const { return challenge_; }

  Verdict verify(const ScramProof& proof);

  // base64(ServerSignature) for WELCOME, so that the client knows that we know its keys. Only after
  // verify() has accepted: nobody else may have it.
  const std::string& verifier() const { return verifier_; }

 private:
  ScramServer() = default;
  ScramDialect dialect_ = ScramDialect::standard;
  ScramKeyPair keys_{};
  ScramChallenge challenge_;
  std::optional<ChannelBinding> binding_;
  std::string auth_message_;
  std::string verifier_;
};

class ScramClient {
 public:
  // `nonce`: 16 random bytes, drawn for this attempt. Fails if SASLprep does not allow authid or
  // password.
  static Result<ScramClient> begin(ScramDialect dialect, std::string_view authid,
                                   std::string_view password, std::string_view nonce,
                                   std::optional<ChannelBinding> binding);

  const ScramHello& hello() const { return hello_; }

  // Derives the key: costs what the challenge says, within the limits of credential.h. Fails if the
  // router broke the protocol, or asks for a derivation so cheap that only an attacker would
  // (kScramIterationsMin, kScramArgon2WorkMinKib), or so dear that nobody should.
  Result<ScramProof> answer(const ScramChallenge& challenge);

  // `verifier` from WELCOME, with or without the "v=" that the specification's example shows.
  // Refused: the router does not know the keys of this password; leave.
  Verdict check(std::string_view verifier) const;

 private:
  ScramClient() = default;
  ScramDialect dialect_ = ScramDialect::standard;
  ScramHello hello_;
  std::string password_;
  std::optional<ChannelBinding> binding_;
  std::string server_signature_;  // empty before answer()
};

inline constexpr std::uint32_t kScramIterationsMin = 4096;     // RFC 7677 section 4
inline constexpr std::uint64_t kScramArgon2WorkMinKib = 8192;  // memory times iterations

// The parts of the above that RFC 7677 has test vectors for.
struct ScramTranscript {
  std::string_view authid;  // as it was sent
  std::string_view client_nonce;
  std::string_view nonce;  // client's and server's
  std::string_view salt;   // base64
  std::uint32_t iterations = 0;
  const ChannelBinding* binding = nullptr;
};
std::string scram_auth_message(ScramDialect dialect, const ScramTranscript& transcript);
// base64(ClientKey XOR ClientSignature), from the SaltedPassword.
std::string scram_client_proof(std::string_view salted_password, std::string_view auth_message);
Verdict scram_verify_proof(const Bytes32& stored_key, std::string_view auth_message,
                           std::string_view proof);
std::string scram_server_signature(const Bytes32& server_key, std::string_view auth_message);

}  // namespace ringcast::auth
