// The configuration file: realms, and who may do what in them. docs/configuration.md describes it.
// Parsing reads no other file and has no effects: the same text always gives the same realms with
// the same numbers.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/config_table.h"
#include "worker/realm.h"

namespace ringcast::broker {

inline constexpr std::size_t kConfigFileSizeMax = 16u << 20;  // bytes
inline constexpr std::size_t kRealmsConfiguredMax = 1024;
inline constexpr std::size_t kRolesPerRealmMax = 1024;
// No more than a realm may have wildcard patterns of different shapes, so none of them is refused.
inline constexpr std::size_t kHistoriesPerRealmMax = 128;

struct ConfigFile {
  std::vector<std::shared_ptr<const worker::Realm>> realms;  // at least one, by number
};

// Or everything that is wrong with it, at least one thing.
std::variant<ConfigFile, ConfigErrors> parse_config_file(std::string_view text);

// One [[realm]].
std::shared_ptr<worker::Realm> read_realm(ConfigTable table);

}  // namespace ringcast::broker
