#include "worker/principals.h"

#include <map>
#include <utility>
#include <variant>

namespace ringcast::worker {
namespace {

// What a derivation costs and a challenge shows of a secret: its kind, costs and sizes.
struct Shape {
  std::string operator()(const auth::PlainSecret&) const { return {}; }
  std::string operator()(const auth::Argon2idHash& hash) const {
    return joined({hash.cost.memory_kib, hash.cost.iterations, hash.cost.lanes, hash.salt.size(),
                   hash.hash.size()});
  }
  std::string operator()(const auth::Pbkdf2Hash& hash) const {
    return joined({hash.iterations, hash.salt.size(), hash.hash.size()});
  }
  std::string operator()(const auth::CraKey& key) const {
    return joined({key.iterations, key.salt.size(), key.key.size()});
  }
  std::string operator()(const auth::ScramKeys& keys) const {
    const auth::Argon2Cost cost = keys.argon2.value_or(auth::Argon2Cost{});
    return joined({cost.memory_kib, cost.iterations, keys.pbkdf2_iterations, keys.salt.size()});
  }
  static std::string joined(std::initializer_list<std::size_t> numbers) {
    std::string text;
    for (const std::size_t number : numbers) text += std::to_string(number) + ',';
    return text;
  }
};

}  // namespace

const auth::Credential* Principal::secret_for(auth::Method method) const {
  for (const auth::Credential& secret : secrets) {
    if (auth::serves(secret, method)) return &secret;
  }
  return nullptr;
}

Principals::Principals(std::vector<Principal> principals) : principals_(std::move(principals)) {
  for (const Principal& principal : principals_) {
    by_authid_.emplace(principal.authid, &principal);
    for (const auth::Bytes32& key : principal.public_keys) {
      by_key_.emplace(auth::view(key), &principal);
    }
  }
  for (const auth::Method method : {auth::Method::ticket, auth::Method::wampcra,
                                    auth::Method::wamp_scram, auth::Method::scram}) {
    find_usual_secret(method);
  }
  find_usual_role();
}

void Principals::find_usual_secret(auth::Method method) {
  std::map<std::pair<std::size_t, std::string>, std::size_t> counts;
  std::size_t most = 0;
  for (const Principal& principal : principals_) {
    const auth::Credential* secret = principal.secret_for(method);
    if (secret == nullptr) continue;
    const std::size_t count = ++counts[{secret->index(), std::visit(Shape{}, *secret)}];
    if (count <= most) continue;
    most = count;
    usual_secrets_[at(method)] = secret;
  }
}

void Principals::find_usual_role() {
  std::map<std::uint16_t, std::size_t> counts;
  std::size_t most = 0;
  for (const Principal& principal : principals_) {
    const std::size_t count = ++counts[principal.role];
    if (count <= most) continue;
    most = count;
    usual_role_ = principal.role;
  }
}

const Principal* Principals::find(std::string_view authid) const {
  const auto found = by_authid_.find(authid);
  return found != by_authid_.end() ? found->second : nullptr;
}

const Principal* Principals::find_key(const auth::Bytes32& public_key) const {
  const auto found = by_key_.find(auth::view(public_key));
  return found != by_key_.end() ? found->second : nullptr;
}

bool Principals::offer(auth::Method method) const {
  if (method == auth::Method::cryptosign) return !by_key_.empty();
  return usual_secret(method) != nullptr;
}

const auth::Credential* Principals::usual_secret(auth::Method method) const {
  return usual_secrets_[at(method)];
}

}  // namespace ringcast::worker
