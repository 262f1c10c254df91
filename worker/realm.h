// What the configuration says of one realm: a space of sessions, topics and procedures that sees
// nothing of the others, and the roles that its sessions may have. Immutable once built, so the
// workers of a process share it; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt.h"
#include "auth/method.h"
#include "auth/permissions.h"
#include "wire/options.h"
#include "worker/event_store.h"
#include "worker/principals.h"

namespace ringcast::worker {

// A procedure of the realm that decides what the sessions of a role may do. What it is given, and
// what it answers: docs/authorization.md.
struct DynamicAuthorizer {
  // Whose sessions an answer that may be kept is good for, and a call can be shared by.
  enum class Scope : std::uint8_t { session, authid, role };

  std::string procedure;             // never empty
  std::uint64_t timeout_ms = 5'000;  // from 1: until the answer is no
  std::uint64_t cache_ms = 0;        // for how long an answer that may be kept is; 0: not at all
  Scope scope = Scope::authid;
};

// What sessions of this role may do.
struct Role {
  std::string name;
  bool unrestricted = false;  // everything; then there is nothing to look at
  // Otherwise what this answers, or if there is none, what the rules say: without any nothing is
  // allowed.
  std::optional<DynamicAuthorizer> authorizer;
  auth::RoleRules rules;
};

// A subscription whose events are kept (WAMP, "Event History").
struct HistoryRule {
  std::string uri;
  wire::MatchPolicy match = wire::MatchPolicy::exact;
  HistoryLimits limits;
};

// Tokens (JWT) that log in by the method ticket, and the files of the keys that verify them.
struct JwtSource {
  std::vector<std::string> key_files;  // PEM
  std::string jwks_file;               // a JWK Set; empty: none
  auth::JwtRules rules;
};

struct Realm {
  static constexpr std::uint16_t kNoRole = UINT16_MAX;

  std::string name;
  std::vector<Role> roles;
  std::vector<HistoryRule> histories;
  std::uint16_t anonymous_role = kNoRole;  // of who does not authenticate; kNoRole: is not let in
  std::uint32_t sessions_max = 0;          // at a time, of all workers together; 0: as many as come
  Principals principals;
  std::optional<JwtSource> jwt;

  std::string_view anonymous_role_name() const {
    return anonymous_role < roles.size() ? std::string_view(roles[anonymous_role].name) : "";
  }
  // Whether a client can log in by this method at all.
  bool offers(auth::Method method) const {
    if (method == auth::Method::anonymous) return anonymous_role != kNoRole;
    if (method == auth::Method::ticket && jwt) return true;
    return principals.offer(method);
  }
  // kNoRole if there is none of this name.
  std::uint16_t find_role(std::string_view role) const {
    for (std::size_t at = 0; at < roles.size(); ++at) {
      if (roles[at].name == role) return static_cast<std::uint16_t>(at);
    }
    return kNoRole;
  }
};

// A realm without a configuration: everybody may come in, and do everything.
inline std::shared_ptr<const Realm> open_realm(std::string name) {
  auto realm = std::make_shared<Realm>();
  realm->name = std::move(name);
  realm->roles.emplace_back();
  realm->roles.back().name = "anonymous";
  realm->roles.back().unrestricted = true;
  realm->anonymous_role = 0;
  return realm;
}

}  // namespace ringcast::worker
