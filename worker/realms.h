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

  // Whether a number that came from another worker is one.
  bool contains(std::uint16_t number) const { return number < realms_.size(); }

  // REQUIRES: contains(number).
  const Realm& operator[](std::uint16_t number) const {
    assert(contains(number));
    return *realms_[number];
  }

 private:
  std::vector<std::shared_ptr<const Realm>> realms_;
};

}  // namespace ringcast::worker
