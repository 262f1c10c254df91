// One login under way: the challenge of its method, and what is checked when the answer comes. It
// goes the same way for a principal that exists and for one that does not (auth/decoy.h).
//
// No I/O, no clock. Owned by a worker's Login, used by that worker's thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "auth/cryptosign.h"
#include "auth/scram.h"
#include "auth/wampcra.h"
#include "wire/message.h"
#include "worker/identity.h"
#include "worker/realm.h"

namespace ringcast::worker {

// Text or a number, by its name, for CHALLENGE.Extra and WELCOME.Details.authextra.
struct ExtraMember {
  std::string name;
  std::variant<std::string, std::uint64_t> value;
};
using Extra = std::vector<ExtraMember>;

class LoginAttempt {
 public:
  struct Request {
    const Realm& realm;  // outlives the attempt
    auth::Method method = auth::Method::ticket;
    std::string_view authid;  // empty: the client names none
    wire::Serializer serializer = wire::Serializer::json;
    wire::Bytes authextra;      // serialized; empty: none
    std::uint64_t session = 0;  // the id that the session will have
    const auth::Bytes32& decoy_key;
    std::int64_t unix_ms = 0;
  };

  // REQUIRES: realm.offers(method), and method is none without a challenge. Fails if HELLO lacks
  // what the method needs; the cause does not hang on who exists, so the client may be told.
  static auth::Result<LoginAttempt> begin(const Request& request);

  auth::Method method() const { return method_; }
  const Realm& realm() const { return *realm_; }
  const std::string& authid() const { return authid_; }  // that the client named
  const Extra& challenge() const { return challenge_; }

  // Of a ticket, what it is to be compared with, which costs a derivation; null if no principal of
  // the realm has any. Null for every other method.
  const auth::Credential* ticket_secret() const { return std::get_if<auth::Credential>(&proof_); }

  // Whether AUTHENTICATE proves what it should. REQUIRES: the method is not ticket.
  auth::Verdict verify(wire::Serializer serializer, const wire::Authenticate& answer);

  // Whether there is anybody to be. Where there is not, the answer is no, whatever was verified.
  bool known() const { return known_; }
  // REQUIRES: known(), and the proof was accepted.
  Identity take_identity() { return std::move(identity_); }
  // What WELCOME says besides. REQUIRES: as above.
  Extra welcome_extra() const;

 private:
  struct Key {
    auth::Bytes32 public_key;
    auth::Bytes32 challenge;
  };

  explicit LoginAttempt(const Request& request)
      : method_(request.method), realm_(&request.realm), authid_(request.authid) {}
  void set_principal(const Principal* principal);
  // Its credential for the method, or one that looks the same.
  auth::Credential secret_of(const Principal* principal, const auth::Bytes32& decoy_key) const;
  auth::Result<bool> begin_cryptosign(const Request& request);
  auth::Result<bool> begin_cra(const Request& request);
  auth::Result<bool> begin_scram(const Request& request);
  void begin_ticket(const Request& request);

  auth::Method method_;
  const Realm* realm_;
  std::string authid_;
  bool known_ = false;
  Identity identity_;  // who the session will be
  Extra challenge_;
  std::variant<std::monostate, auth::Credential, auth::CraServer, auth::ScramServer, Key> proof_;
};

}  // namespace ringcast::worker
