// The configuration file: realms, and who may do what in them. docs/configuration.md describes it.
// Parsing reads no other file and has no effects: the same text always gives the same realms with
// the same numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "broker/config_table.h"
#include "worker/options.h"

namespace ringcast::broker {

inline constexpr std::size_t kConfigFileSizeMax = 16u << 20;  // bytes
inline constexpr std::size_t kRealmTemplatesMax = 255;
inline constexpr std::size_t kRolesPerRealmMax = 1024;
// No more than a realm may have wildcard patterns of different shapes, so none of them is refused.
inline constexpr std::size_t kHistoriesPerRealmMax = 128;

// Parses a file's text and puts what it says into `options`: the realms, at least one, by number;
// and how clients authenticate. Paths of other files are relative to `directory`. Answers with
// everything that is wrong; then `options` are not to be used.
ConfigErrors parse_config_file(std::string_view text, const std::string& directory,
                               worker::WorkerOptions& options);

// One [[realm]], or one [[realm_template]], whose name is a pattern.
enum class RealmKind : std::uint8_t { realm, template_ };
std::shared_ptr<worker::Realm> read_realm(ConfigTable table, RealmKind kind,
                                          const std::string& directory);

}  // namespace ringcast::broker
