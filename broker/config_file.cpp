#include "broker/config_file.h"

#include <algorithm>

namespace ringcast::broker {
namespace {

void read_realms(ConfigTable& file, ConfigFile& config) {
  std::vector<ConfigTable> tables = file.tables("realm");
  if (tables.empty()) return file.error("", "no [[realm]]: without one nobody could log in");
  if (tables.size() > kRealmsConfiguredMax) {
    return file.error("realm", "more than " + std::to_string(kRealmsConfiguredMax) + " realms");
  }
  for (ConfigTable& table : tables) {
    std::shared_ptr<worker::Realm> realm = read_realm(table);
    const bool twice = std::any_of(config.realms.begin(), config.realms.end(),
                                   [&](const auto& other) { return other->name == realm->name; });
    if (twice) table.error("name", "\"" + realm->name + "\" is the name of another realm too");
    config.realms.push_back(std::move(realm));
  }
}

}  // namespace

std::variant<ConfigFile, ConfigErrors> parse_config_file(std::string_view text) {
  ConfigErrors errors;
  if (text.size() > kConfigFileSizeMax) {
    errors.add(0, "", "larger than " + std::to_string(kConfigFileSizeMax) + " bytes");
    return errors;
  }
  try {
    const toml::table document = toml::parse(text);
    ConfigTable file(document, "", errors);
    ConfigFile config;
    read_realms(file, config);
    file.finish();
    if (errors.empty()) return config;
  } catch (const toml::parse_error& error) {
    errors.add(error.source().begin.line, "", std::string(error.description()));
  }
  return errors;
}

}  // namespace ringcast::broker
