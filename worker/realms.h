// The realms of a node by number, the same in every worker: what travels in descriptors, and what
// sessions keep. Owned and used by one worker thread.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/realm.h"
#include "worker/session.h"

namespace ringcast::worker {

class Realms {
 public:
  explicit Realms(std::vector<std::shared_ptr<const Realm>> configured)
      : realms_(std::move(configured)) {}

  // The number of the realm with this name.
  std::optional<std::uint16_t> find(std::string_view name) const {
    for (std::size_t at = 0; at < realms_.size(); ++at) {
      if (realms_[at]->name == name) return static_cast<std::uint16_t>(at);
    }
    return std::nullopt;
  }

  std::size_t size() const { return realms_.size(); }

  // Whether a number that came from another worker is one.
  bool contains(std::uint16_t number) const { return number < realms_.size(); }

  // What a session of this realm may do, by its role: nothing, if it has none.
  const Role& role_of(const Session& session) const {
    static const Role kNothing;
    const Realm& realm = (*this)[session.realm];
    const std::uint16_t role =
        session.identity != nullptr ? session.identity->role : realm.anonymous_role;
    return role < realm.roles.size() ? realm.roles[role] : kNothing;
  }

  // REQUIRES: contains(number).
  const Realm& operator[](std::uint16_t number) const {
    assert(contains(number));
    return *realms_[number];
  }

 private:
  std::vector<std::shared_ptr<const Realm>> realms_;
};

}  // namespace ringcast::worker
