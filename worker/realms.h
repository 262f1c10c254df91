// The realms of a node by number, the same in every worker: what travels in descriptors, and what
// sessions keep. Configured realms come first; behind them those that come into being on demand, by
// their place in a table of the shared segment (ring/realm_table.h). Owned and used by one worker
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ring/segment.h"
#include "worker/options.h"
#include "worker/realm.h"
#include "worker/session.h"

namespace ringcast::worker {

// Whether a realm of this name is one of the template's, whose '*' stands for any part of one
// component of a URI.
bool realm_name_matches(std::string_view pattern, std::string_view name);

class Realms {
 public:
  Realms(const WorkerOptions& options, const ring::Segment& segment);

  // What serves a realm of this name: itself, if it is configured, or the first template that it
  // matches. Null if nothing does.
  const Realm* serving(std::string_view name) const;

  // The number of the realm with this name, which comes into being if it has to. REQUIRES:
  // serving(name). Nothing if there are as many realms as there can be.
  std::optional<std::uint16_t> number(std::string_view name);

  // How many are configured: these have the numbers from 0.
  std::size_t configured() const { return configured_.size(); }

  // Whether a number that came from another worker is one.
  bool contains(std::uint16_t number) const {
    return number < configured_.size() || template_of(number) != nullptr;
  }

  // What a session of this realm may do, by its role: nothing, if it has none.
  const Role& role_of(const Session& session) const {
    static const Role kNothing;
    const Realm& realm = (*this)[session.realm];
    const std::uint16_t role =
        session.identity != nullptr ? session.identity->role : realm.anonymous_role;
    return role < realm.roles.size() ? realm.roles[role] : kNothing;
  }

  // Of a realm on demand, its template. REQUIRES: contains(number).
  const Realm& operator[](std::uint16_t number) const {
    if (number < configured_.size()) return *configured_[number];
    return *template_of(number);
  }

  // Of a realm on demand that no session of this worker was ever in, its template's. REQUIRES:
  // contains(number).
  std::string_view name(std::uint16_t number) const;

 private:
  std::optional<std::uint16_t> find_configured(std::string_view name) const;
  // Its index, from 0; templates_.size() if there is none.
  std::size_t find_template(std::string_view name) const;
  const Realm* template_of(std::uint16_t number) const;

  std::vector<std::shared_ptr<const Realm>> configured_;
  std::vector<std::shared_ptr<const Realm>> templates_;
  ring::RealmTable& on_demand_;
  ring::SessionKey key_;
  std::unordered_map<std::uint16_t, std::string> names_;  // on demand; at most ring::kRealmPlaces
};

}  // namespace ringcast::worker
