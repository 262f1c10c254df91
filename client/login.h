// How a session proves who it is: the client's half of ticket, wampcra, cryptosign and SCRAM (WAMP
// specification, "Authentication Methods"; the methods themselves are in auth/). One object is one
// attempt of one session: HELLO's details, then the answer to CHALLENGE, then a look at WELCOME.
//
// Belongs to the session's thread. answer() derives keys where the method wants it, which takes as
// long as the broker's challenge says, up to seconds.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "auth/cryptosign.h"
#include "auth/method.h"
#include "auth/scram.h"
#include "client/failure.h"
#include "wire/message.h"

namespace ringcast::client {

struct Ticket {
  std::string text;  // a password shared with the broker, or a JWT: goes over the wire as it is
};
struct Password {
  std::string text;  // never leaves the process: wamp-scram, scram, wampcra
};
struct PrivateKey {
  auth::Bytes32 seed;  // Ed25519: cryptosign
};

struct Principal {
  std::string authid;
  std::variant<Ticket, Password, PrivateKey> proof;
  std::optional<auth::Method> only;  // offer this method, instead of all that the proof serves
};

class Login {
 public:
  // Fails, with kind input, if the proof does not serve the method that is asked for, or if the
  // method cannot take the authid or the password.
  static std::variant<std::unique_ptr<Login>, Failure> begin(Principal principal);

  // authid, authmethods and authextra. Valid until the next call of this.
  wire::HelloDetails hello(wire::Serializer serializer);

  // Appends AUTHENTICATE to `out`, or says why this challenge is not answered: it is of a method
  // that was not offered, or breaks that method's rules.
  std::optional<Failure> answer(std::string& out, wire::Serializer serializer,
                                const wire::Challenge& challenge);

  // A broker that let us in unasked did not check who we are; with SCRAM it has to show that it
  // knows the password's keys.
  std::optional<Failure> check(wire::Serializer serializer, const wire::Welcome& welcome) const;

 private:
  explicit Login(Principal principal) : principal_(std::move(principal)) {}

  std::optional<Failure> choose_methods();
  std::optional<Failure> begin_scram(auth::Method method);
  std::optional<Failure> answer_cra(std::string& out, wire::Serializer serializer,
                                    wire::Bytes extra) const;
  std::optional<Failure> answer_cryptosign(std::string& out, wire::Serializer serializer,
                                           wire::Bytes extra) const;
  std::optional<Failure> answer_scram(std::string& out, wire::Serializer serializer,
                                      wire::Bytes extra, auth::Method method);

  Principal principal_;
  std::vector<auth::Method> methods_;  // offered, in the order of preference
  std::string nonce_;                  // SCRAM: 16 random bytes
  std::optional<auth::ScramClient> standard_;
  std::optional<auth::ScramClient> crossbar_;
  std::optional<auth::Method> challenged_;  // set once a challenge was answered
  std::string authmethods_;                 // what hello() shows
  std::string authextra_;
};

}  // namespace ringcast::client
