#include "broker/config_file.h"

#include <algorithm>

#include "broker/config_login.h"
#include "ring/segment.h"

namespace ringcast::broker {
namespace {

using RealmList = std::vector<std::shared_ptr<const worker::Realm>>;

// All [[realm]], or all [[realm_template]].
RealmList read_realms(ConfigTable& file, RealmKind kind, std::size_t max,
                      const std::string& directory) {
  const std::string_view key = kind == RealmKind::realm ? "realm" : "realm_template";
  RealmList realms;
  std::vector<ConfigTable> tables = file.tables(key);
  if (tables.size() > max) {
    file.error(key, "more than " + std::to_string(max) + " of them");
    return realms;
  }
  for (ConfigTable& table : tables) {
    std::shared_ptr<worker::Realm> realm = read_realm(table, kind, directory);
    const bool twice = std::any_of(realms.begin(), realms.end(),
                                   [&](const auto& other) { return other->name == realm->name; });
    if (twice) table.error("name", "\"" + realm->name + "\" is the name of another one too");
    realms.push_back(std::move(realm));
  }
  return realms;
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
    options.realms = read_realms(file, RealmKind::realm, ring::kRealmsConfiguredMax, directory);
    options.realm_templates =
        read_realms(file, RealmKind::template_, kRealmTemplatesMax, directory);
    if (!file.has("realm") && !file.has("realm_template")) {
      file.error("", "no [[realm]] and no [[realm_template]]: nobody could log in");
    }
    read_authentication(file, options);
    file.finish();
  } catch (const toml::parse_error& error) {
    errors.add(error.source().begin.line, "", std::string(error.description()));
  }
  return errors;
}

}  // namespace ringcast::broker
