// One realm of the configuration file.
#include <algorithm>
#include <optional>
#include <utility>

#include "broker/config_file.h"
#include "broker/config_login.h"
#include "wire/uri.h"
#include "worker/history.h"
#include "worker/pattern_shapes.h"

namespace ringcast::broker {
namespace {

template <typename T>
using Words = std::vector<std::pair<std::string_view, T>>;

const Words<auth::Action> kActions = {{"publish", auth::Action::publish},
                                      {"subscribe", auth::Action::subscribe},
                                      {"call", auth::Action::call},
                                      {"register", auth::Action::register_}};
const Words<auth::UriMatch> kMatches = {{"exact", auth::UriMatch::exact},
                                        {"prefix", auth::UriMatch::prefix},
                                        {"wildcard", auth::UriMatch::wildcard}};
const Words<wire::MatchPolicy> kMatchPolicies = {{"exact", wire::MatchPolicy::exact},
                                                 {"prefix", wire::MatchPolicy::prefix},
                                                 {"wildcard", wire::MatchPolicy::wildcard}};

const Words<worker::DynamicAuthorizer::Scope> kScopes = {
    {"session", worker::DynamicAuthorizer::Scope::session},
    {"authid", worker::DynamicAuthorizer::Scope::authid},
    {"role", worker::DynamicAuthorizer::Scope::role}};

template <typename T>
std::optional<T> meaning(const Words<T>& words, std::string_view word) {
  for (const auto& [name, value] : words) {
    if (name == word) return value;
  }
  return std::nullopt;
}

template <typename T>
std::string not_one_of(const Words<T>& words, std::string_view word) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : words) names.push_back(name);
  std::string text = "\"" + std::string(word) + "\"";
  const std::string_view near = nearest(word, names);
  if (!near.empty()) text.append(" (did you mean ").append(near).append("?)");
  return text + " is none of: " + listed(names);
}

std::string with_remedy(const auth::Failure& failure) {
  return failure.remedy.empty() ? failure.cause : failure.cause + "; " + failure.remedy;
}

auth::Rule read_rule(ConfigTable& table) {
  auth::Rule rule;
  rule.uri = table.text("uri");
  if (!table.has("uri")) table.error("", "the key uri is missing");
  const std::string match = table.text("match", "exact");
  if (const auto known = meaning(kMatches, match)) {
    rule.match = *known;
  } else {
    table.error("match", not_one_of(kMatches, match));
  }
  const std::vector<std::string> allow = table.texts("allow");
  for (std::size_t at = 0; at < allow.size(); ++at) {
    if (const auto action = meaning(kActions, allow[at])) {
      rule.allow.insert(*action);
    } else {
      table.error("allow", at, not_one_of(kActions, allow[at]));
    }
  }
  if (table.has("disclose")) {
    const bool always = table.boolean("disclose", false);
    rule.disclose = always ? auth::Disclosure::always : auth::Disclosure::never;
  }
  if (!auth::pattern_valid({rule.uri, rule.match})) {
    table.error("uri", "\"" + rule.uri + "\" is no URI" +
                           (rule.match == auth::UriMatch::exact
                                ? "; empty components need match = \"prefix\" or \"wildcard\""
                                : " pattern"));
  }
  table.finish();
  return rule;
}

worker::DynamicAuthorizer read_authorizer(ConfigTable& table) {
  worker::DynamicAuthorizer authorizer;
  authorizer.procedure = table.required_text("procedure");
  if (!authorizer.procedure.empty() &&
      (!wire::uri_valid(authorizer.procedure, wire::UriRule::loose) ||
       wire::uri_reserved(authorizer.procedure))) {
    table.error("procedure", "\"" + authorizer.procedure +
                                 "\" is no URI of a procedure that sessions can register");
  }
  authorizer.timeout_ms = table.integer("timeout_ms", authorizer.timeout_ms, 1, 600'000);
  authorizer.cache_ms = table.integer("cache_ms", authorizer.cache_ms, 0, 86'400'000);
  const std::string scope = table.text("scope", "authid");
  if (const auto known = meaning(kScopes, scope)) {
    authorizer.scope = *known;
  } else {
    table.error("scope", not_one_of(kScopes, scope));
  }
  table.finish();
  return authorizer;
}

worker::HistoryRule read_history(ConfigTable& table) {
  worker::HistoryRule rule;
  rule.uri = table.text("uri");
  if (!table.has("uri")) table.error("", "the key uri is missing");
  const std::string match = table.text("match", "exact");
  if (const auto known = meaning(kMatchPolicies, match)) {
    rule.match = *known;
  } else {
    table.error("match", not_one_of(kMatchPolicies, match));
  }
  if (!wire::uri_valid(rule.uri, wire::UriRule::loose, rule.match) ||
      (rule.match == wire::MatchPolicy::wildcard &&
       worker::component_count(rule.uri) > worker::kWildcardComponentsMax)) {
    table.error("uri", "\"" + rule.uri + "\" is nothing that can be subscribed to");
  }
  worker::HistoryLimits& limits = rule.limits;
  limits.events_max =
      static_cast<std::uint32_t>(table.integer("events_max", limits.events_max, 1, 1'000'000));
  limits.bytes_max = table.integer("bytes_max", limits.bytes_max, 1, worker::History::kBytesMax);
  const auto age_max_s = static_cast<std::uint64_t>(limits.age_max_ms / 1000);
  constexpr std::uint64_t kYears10_s = 10ull * 366 * 24 * 3600;
  limits.age_max_ms =
      1000 * static_cast<std::int64_t>(table.integer("age_max_s", age_max_s, 1, kYears10_s));
  table.finish();
  return rule;
}

static_assert(kHistoriesPerRealmMax <= worker::kWildcardShapesMax);

void read_histories(ConfigTable& table, worker::Realm& realm) {
  std::vector<ConfigTable> histories = table.tables("history");
  if (histories.size() > kHistoriesPerRealmMax) {
    return table.error("history",
                       "more than " + std::to_string(kHistoriesPerRealmMax) + " histories");
  }
  for (ConfigTable& history : histories) {
    worker::HistoryRule read = read_history(history);
    const bool twice = std::any_of(
        realm.histories.begin(), realm.histories.end(),
        [&](const auto& other) { return other.uri == read.uri && other.match == read.match; });
    if (twice) history.error("uri", "there is a history of this subscription already");
    realm.histories.push_back(std::move(read));
  }
}

worker::Role read_role(ConfigTable& table) {
  worker::Role role;
  role.name = table.required_text("name");
  role.unrestricted = table.boolean("unrestricted", false);
  std::vector<auth::Rule> rules;
  for (ConfigTable& rule : table.tables("rules")) rules.push_back(read_rule(rule));
  for (ConfigTable& authorizer : table.table("authorizer")) {
    role.authorizer = read_authorizer(authorizer);
  }
  if (role.unrestricted && !rules.empty()) {
    table.error("rules", "an unrestricted role has no rules: leave out one of the two");
  }
  if (role.authorizer && (role.unrestricted || !rules.empty())) {
    table.error("authorizer", "it decides alone: leave out unrestricted and rules, or this");
  }
  auto built = auth::RoleRules::build(std::move(rules));
  if (built) {
    role.rules = *std::move(built);
  } else {
    table.error("rules", with_remedy(built.failure()));
  }
  table.finish();
  return role;
}

void read_roles(ConfigTable& table, worker::Realm& realm) {
  std::vector<ConfigTable> roles = table.tables("role");
  if (roles.size() > kRolesPerRealmMax) {
    return table.error("role", "more than " + std::to_string(kRolesPerRealmMax) + " roles");
  }
  for (ConfigTable& role : roles) {
    worker::Role read = read_role(role);
    if (realm.find_role(read.name) != worker::Realm::kNoRole) {
      role.error("name", "\"" + read.name + "\" is the name of another role of this realm too");
    }
    realm.roles.push_back(std::move(read));
  }
  const auto asks = [](const worker::Role& role) { return role.authorizer.has_value(); };
  if (!realm.roles.empty() && std::all_of(realm.roles.begin(), realm.roles.end(), asks)) {
    table.error("role",
                "every role has an authorizer, so that none is left that could register one");
  }
}

void check_name(ConfigTable& table, RealmKind kind, const std::string& name) {
  if (name.empty()) return;
  const bool pattern = name.find('*') != std::string::npos;
  if (!wire::uri_valid(name, wire::UriRule::loose)) {
    table.error("name", "\"" + name + "\" is no URI, which names of realms have to be");
  } else if (pattern && kind == RealmKind::realm) {
    table.error("name", "a pattern: that is for [[realm_template]]");
  } else if (!pattern && kind == RealmKind::template_) {
    table.error("name", "not a pattern: put '*' where the names of realms differ");
  }
}

}  // namespace

std::shared_ptr<worker::Realm> read_realm(ConfigTable table, RealmKind kind,
                                          const std::string& directory) {
  auto realm = std::make_shared<worker::Realm>();
  realm->name = table.required_text("name");
  check_name(table, kind, realm->name);
  realm->sessions_max = static_cast<std::uint32_t>(table.integer("sessions_max", 0, 1, UINT32_MAX));
  read_roles(table, *realm);
  // What is kept is kept from the start on, when realms on demand are not there yet.
  if (kind == RealmKind::realm) read_histories(table, *realm);
  table.text("anonymous");  // so that it is known
  if (table.has("anonymous")) realm->anonymous_role = read_role_name(table, "anonymous", *realm);
  read_logins(table, directory, *realm);
  table.finish();
  return realm;
}

}  // namespace ringcast::broker
