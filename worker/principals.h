// Who may log in to a realm with a secret or a key of his own: the principals of its configuration.
// Immutable once built, so the workers of a process share them; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/credential.h"
#include "auth/crypto.h"
#include "auth/method.h"

namespace ringcast::worker {

struct Principal {
  std::string authid;
  std::uint16_t role = 0;                  // its number in the realm
  std::vector<auth::Credential> secrets;   // for a method the first that serves it counts
  std::vector<auth::Bytes32> public_keys;  // of cryptosign

  // What the client is checked against; null if it can't log in by this method.
  const auth::Credential* secret_for(auth::Method method) const;
};

class Principals {
 public:
  Principals() = default;
  // REQUIRES: no authid and no public key twice.
  explicit Principals(std::vector<Principal> principals);
  // Not copied: the indices view the principals.
  Principals(Principals&&) = default;
  Principals& operator=(Principals&&) = default;

  // Null if there is none.
  const Principal* find(std::string_view authid) const;
  const Principal* find_key(const auth::Bytes32& public_key) const;

  // Whether some principal can log in by this method.
  bool offer(auth::Method method) const;

  // What those who do not exist are given the like of, so that nobody can tell them from the others
  // (auth/decoy.h): the secret of the kind and cost that most have, none if no principal has any
  // for the method; and the role that most have.
  const auth::Credential* usual_secret(auth::Method method) const;
  std::uint16_t usual_role() const { return usual_role_; }

 private:
  static constexpr std::size_t kMethods = 7;
  static std::size_t at(auth::Method method) { return static_cast<std::size_t>(method); }
  void find_usual_secret(auth::Method method);
  void find_usual_role();

  std::vector<Principal> principals_;
  std::unordered_map<std::string_view, const Principal*> by_authid_;
  std::unordered_map<std::string_view, const Principal*> by_key_;
  std::array<const auth::Credential*, kMethods> usual_secrets_{};
  std::uint16_t usual_role_ = 0;
};

}  // namespace ringcast::worker
