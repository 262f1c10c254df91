#include "auth/method.h"

#include <array>
#include <cstddef>
#include <variant>

namespace ringcast::auth {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 7> kNames{"anonymous",  "ticket", "wampcra", "cryptosign",
                                                 "wamp-scram", "scram",  "tls"};

}  // namespace

std::string_view method_name(Method method) { return kNames[static_cast<std::size_t>(method)]; }

std::optional<Method> method_by_name(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Method>(i);
  return std::nullopt;
}

bool serves(const Credential& credential, Method method) {
  const auto* scram = std::get_if<ScramKeys>(&credential);
  switch (method) {
    case Method::ticket:
      return true;
    case Method::wampcra:
      return std::holds_alternative<PlainSecret>(credential) ||
             std::holds_alternative<CraKey>(credential);
    case Method::wamp_scram:
      return scram != nullptr;
    case Method::scram:
      return scram != nullptr && (!scram->argon2 || scram->crossbar);
    case Method::anonymous:
    case Method::cryptosign:
    case Method::tls:
      return false;
  }
  return false;
}

}  // namespace ringcast::auth
