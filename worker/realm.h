// What the configuration says of one realm: a space of sessions, topics and procedures that sees
// nothing of the others, and the roles that its sessions may have. Immutable once built, so the
// workers of a process share it; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/permissions.h"

namespace ringcast::worker {

// What sessions of this role may do.
struct Role {
  std::string name;
  bool unrestricted = false;  // everything; then there are no rules to look at
  auth::RoleRules rules;      // otherwise these: without any nothing is allowed
};

struct Realm {
  static constexpr std::uint16_t kNoRole = UINT16_MAX;

  std::string name;
  std::vector<Role> roles;
  std::uint16_t anonymous_role = kNoRole;  // of who does not authenticate; kNoRole: is not let in

  std::string_view anonymous_role_name() const {
    return anonymous_role < roles.size() ? std::string_view(roles[anonymous_role].name) : "";
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
