#include "broker/config_login.h"

#include <filesystem>
#include <unordered_set>
#include <utility>

#include "auth/cryptosign.h"

namespace ringcast::broker {
namespace {

std::string with_remedy(const auth::Failure& failure) {
  return failure.remedy.empty() ? failure.cause : failure.cause + "; " + failure.remedy;
}

// What has to be unique in a realm.
struct Seen {
  std::unordered_set<std::string> authids;
  std::unordered_set<std::string> keys;
};

void read_secrets(ConfigTable& table, worker::Principal& principal) {
  const std::vector<std::string> secrets = table.texts("secrets");
  if (secrets.size() > kSecretsPerPrincipalMax) table.error("secrets", "more than 16 secrets");
  for (std::size_t at = 0; at < secrets.size(); ++at) {
    auto secret = auth::parse_credential(secrets[at]);
    if (secret) {
      principal.secrets.push_back(*std::move(secret));
    } else {
      table.error("secrets", at, with_remedy(secret.failure()));
    }
  }
}

void read_public_keys(ConfigTable& table, worker::Principal& principal, Seen& seen) {
  const std::vector<std::string> keys = table.texts("public_keys");
  if (keys.size() > kSecretsPerPrincipalMax) table.error("public_keys", "more than 16 keys");
  for (std::size_t at = 0; at < keys.size(); ++at) {
    const auto key = auth::parse_hex32(keys[at]);
    if (!key) {
      table.error("public_keys", at, with_remedy(key.failure()));
    } else if (!seen.keys.emplace(auth::view(*key)).second) {
      table.error("public_keys", at, "is the key of another principal of this realm too");
    } else {
      principal.public_keys.push_back(*key);
    }
  }
}

worker::Principal read_principal(ConfigTable& table, const worker::Realm& realm, Seen& seen) {
  worker::Principal principal;
  principal.authid = table.required_text("authid");
  if (!seen.authids.insert(principal.authid).second) {
    table.error("authid", "\"" + principal.authid + "\" is another principal of this realm too");
  }
  if (principal.authid.size() > auth::kJwtNameSizeMax) {
    table.error("authid", "longer than " + std::to_string(auth::kJwtNameSizeMax) + " bytes");
  }
  principal.role = read_role_name(table, "role", realm);
  read_secrets(table, principal);
  read_public_keys(table, principal, seen);
  if (!table.has("secrets") && !table.has("public_keys")) {
    table.error("", "neither secrets nor public_keys: this principal could not log in");
  }
  table.finish();
  return principal;
}

void read_principals(ConfigTable& table, worker::Realm& realm) {
  std::vector<ConfigTable> tables = table.tables("principal");
  if (tables.size() > kPrincipalsPerRealmMax) {
    return table.error("principal", "more than " + std::to_string(kPrincipalsPerRealmMax) +
                                        " principals; tokens ([realm.jwt]) need none");
  }
  Seen seen;
  std::vector<worker::Principal> principals;
  for (ConfigTable& principal : tables) {
    principals.push_back(read_principal(principal, realm, seen));
  }
  realm.principals = worker::Principals(std::move(principals));
}

std::string path_in(const std::string& directory, const std::string& path) {
  return (std::filesystem::path(directory) / path).string();
}

void read_jwt(ConfigTable& table, const std::string& directory, worker::Realm& realm) {
  worker::JwtSource source;
  for (const std::string& path : table.texts("key_files")) {
    source.key_files.push_back(path_in(directory, path));
  }
  const std::string jwks = table.text("jwks_file");
  if (!jwks.empty()) source.jwks_file = path_in(directory, jwks);
  if (source.key_files.empty() && jwks.empty()) {
    table.error("", "neither key_files nor jwks_file: no token could be verified");
  }
  auth::JwtRules& rules = source.rules;
  if (table.has("issuer")) rules.issuer = table.required_text("issuer");
  if (table.has("audience")) rules.audience = table.required_text("audience");
  // Asked for in any case, so that they are known.
  table.text("issuer");
  table.text("audience");
  rules.role_claim = table.text("role_claim", rules.role_claim);
  rules.expiry_required = table.boolean("expiry_required", rules.expiry_required);
  constexpr std::uint64_t kLeewayMax_s = 3600;
  rules.leeway_s = static_cast<std::int64_t>(
      table.integer("leeway_s", static_cast<std::uint64_t>(rules.leeway_s), 0, kLeewayMax_s));
  rules.default_role = table.text("default_role");
  if (table.has("default_role")) read_role_name(table, "default_role", realm);
  table.finish();
  realm.jwt = std::move(source);
}

}  // namespace

std::uint16_t read_role_name(ConfigTable& table, std::string_view key, const worker::Realm& realm) {
  const std::string name = table.required_text(key);
  if (name.empty()) return worker::Realm::kNoRole;
  const std::uint16_t role = realm.find_role(name);
  if (role == worker::Realm::kNoRole) {
    std::vector<std::string_view> names;
    for (const worker::Role& known : realm.roles) names.push_back(known.name);
    table.error(key, "\"" + name + "\" is no role of this realm; its roles: " +
                         (names.empty() ? "none" : listed(names)));
  }
  return role;
}

void read_logins(ConfigTable& table, const std::string& directory, worker::Realm& realm) {
  read_principals(table, realm);
  for (ConfigTable& jwt : table.table("jwt")) read_jwt(jwt, directory, realm);
}

void read_authentication(ConfigTable& file, worker::WorkerOptions& options) {
  for (ConfigTable& table : file.table("authentication")) {
    options.attempts_burst = static_cast<std::uint32_t>(
        table.integer("attempts_burst", options.attempts_burst, 0, 1'000'000));
    options.attempt_interval_ms = static_cast<std::uint32_t>(
        table.integer("attempt_interval_ms", options.attempt_interval_ms, 1, 86'400'000));
    options.refusal_delay_ms =
        table.integer("refusal_delay_ms", options.refusal_delay_ms, 0, 60'000);
    if (const std::string key = table.text("decoy_key"); !key.empty()) {
      const auto parsed = auth::parse_hex32(key);
      if (parsed) {
        options.decoy_key = *parsed;
      } else {
        table.error("decoy_key", "is not 64 hex digits, such as 'openssl rand -hex 32' gives");
      }
    }
    table.finish();
  }
}

}  // namespace ringcast::broker
