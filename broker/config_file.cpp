#include "broker/config_file.h"

#include <algorithm>

#include "broker/config_login.h"

namespace ringcast::broker {
namespace {

void read_realms(ConfigTable& file, const std::string& directory, worker::WorkerOptions& options) {
  options.realms.clear();
  std::vector<ConfigTable> tables = file.tables("realm");
  if (tables.empty()) return file.error("", "no [[realm]]: without one nobody could log in");
  if (tables.size() > kRealmsConfiguredMax) {
    return file.error("realm", "more than " + std::to_string(kRealmsConfiguredMax) + " realms");
  }
  for (ConfigTable& table : tables) {
    std::shared_ptr<worker::Realm> realm = read_realm(table, directory);
    const bool twice = std::any_of(options.realms.begin(), options.realms.end(),
                                   [&](const auto& other) { return other->name == realm->name; });
    if (twice) table.error("name", "\"" + realm->name + "\" is the name of another realm too");
    options.realms.push_back(std::move(realm));
  }
}

}  // namespace

ConfigErrors parse_config_file(std::string_view text, const std::string& directory,
                               worker::WorkerOptions& options) {
  ConfigErrors errors;
  if (text.size() > kConfigFileSizeMax) {
    errors.add(0, "", "larger than " + std::to_string(kConfigFileSizeMax) + " bytes");
    return errors;
  }
  try {
    const toml::table document = toml::parse(text);
    ConfigTable file(document, "", errors);
    read_realms(file, directory, options);
    read_authentication(file, options);
    file.finish();
  } catch (const toml::parse_error& error) {
    errors.add(error.source().begin.line, "", std::string(error.description()));
  }
  return errors;
}

}  // namespace ringcast::broker
