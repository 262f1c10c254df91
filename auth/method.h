// The authentication methods by their names in HELLO.Details.authmethods. Stateless; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "auth/credential.h"

namespace ringcast::auth {

enum class Method : std::uint8_t {
  anonymous,
  ticket,
  wampcra,
  cryptosign,
  wamp_scram,
  scram,  // what Crossbar and autobahn-python made of an early draft of wamp-scram
  tls,    // by the client's certificate, without a challenge
};

std::string_view method_name(Method method);
std::optional<Method> method_by_name(std::string_view name);

// Whether a client that proves itself by `method` can be checked against `credential`. Never true
// for anonymous, cryptosign and tls, which know no secret.
bool serves(const Credential& credential, Method method);

}  // namespace ringcast::auth
