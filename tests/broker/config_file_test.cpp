#include "broker/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/broker/support.h"

namespace ringcast::broker {
namespace {

using test::errors_of;
using test::parsed;
using testing::HasSubstr;
using worker::Realm;

TEST(ConfigFileTest, RealmsAreNumberedInTheirOrder) {
  const worker::WorkerOptions file =
      parsed("[[realm]]\nname = \"one\"\n[[realm]]\nname = \"com.example.two\"\n");
  ASSERT_EQ(file.realms.size(), 2u);
  EXPECT_EQ(file.realms[0]->name, "one");
  EXPECT_EQ(file.realms[1]->name, "com.example.two");
}

TEST(ConfigFileTest, NobodyIsLetInUnlessTheFileSaysSo) {
  const worker::WorkerOptions file = parsed("[[realm]]\nname = \"one\"\n");
  EXPECT_EQ(file.realms[0]->anonymous_role, Realm::kNoRole);
  EXPECT_EQ(file.realms[0]->anonymous_role_name(), "");
}

TEST(ConfigFileTest, RolesHaveRulesOrAreUnrestricted) {
  const worker::WorkerOptions file = parsed(R"(
[[realm]]
name = "one"
anonymous = "guest"

[[realm.role]]
name = "admin"
unrestricted = true

[[realm.role]]
name = "guest"
rules = [
  { uri = "com.example.", match = "prefix", allow = ["subscribe", "call"] },
  { uri = "com..chat", match = "wildcard", allow = ["publish"], disclose = true },
  { uri = "com.example.secret" },
  { uri = "com.example.quiet", allow = ["call"], disclose = false },
]
)");
  const Realm& realm = *file.realms[0];
  ASSERT_EQ(realm.roles.size(), 2u);
  EXPECT_TRUE(realm.roles[0].unrestricted);
  EXPECT_EQ(realm.anonymous_role, 1);
  const auth::RoleRules& rules = realm.roles[1].rules;
  using auth::Action;
  EXPECT_TRUE(rules.check(Action::subscribe, "com.example.a").allowed);
  EXPECT_FALSE(rules.check(Action::publish, "com.example.a").allowed);
  EXPECT_FALSE(rules.check(Action::subscribe, "com.example.secret").allowed);
  EXPECT_EQ(rules.check(Action::publish, "com.x.chat"),
            (auth::Grant{true, auth::Disclosure::always}));
  EXPECT_EQ(rules.check(Action::call, "com.example.a").disclose, auth::Disclosure::asked);
  EXPECT_EQ(rules.check(Action::call, "com.example.quiet").disclose, auth::Disclosure::never);
}

TEST(ConfigFileTest, ARoleMayHaveAnAuthorizerInsteadOfRules) {
  const std::string two_roles =
      "[[realm]]\nname = \"a\"\n[[realm.role]]\nname = \"r\"\n[[realm.role]]\nname = \"s\"\n";
  const worker::WorkerOptions file =
      parsed(two_roles + R"(authorizer = { procedure = "com.ask" })");
  EXPECT_FALSE(file.realms[0]->roles[0].authorizer);
  const auto& authorizer = file.realms[0]->roles[1].authorizer;
  ASSERT_TRUE(authorizer);
  EXPECT_EQ(authorizer->procedure, "com.ask");
  EXPECT_EQ(authorizer->timeout_ms, 5000u);
  EXPECT_EQ(authorizer->cache_ms, 0u);
  EXPECT_EQ(authorizer->scope, worker::DynamicAuthorizer::Scope::authid);

  const auto error_of = [&](std::string_view role) {
    return errors_of(two_roles + std::string(role));
  };
  EXPECT_THAT(error_of(R"(authorizer = { timeout_ms = 5 })"), HasSubstr("procedure"));
  EXPECT_THAT(error_of(R"(authorizer = { procedure = "wamp.ask" })"), HasSubstr("is no URI of a"));
  EXPECT_THAT(error_of(R"(authorizer = { procedure = "a", timeout_ms = 0 })"),
              HasSubstr("timeout_ms"));
  EXPECT_THAT(error_of(R"(authorizer = { procedure = "a", scope = "rol" })"),
              HasSubstr("did you mean role?"));
  EXPECT_THAT(error_of("unrestricted = true\nauthorizer = { procedure = \"a\" }"),
              HasSubstr("it decides alone"));
  EXPECT_THAT(errors_of("[[realm]]\nname = \"a\"\n[[realm.role]]\nname = \"r\"\n"
                        "authorizer = { procedure = \"a\" }"),
              HasSubstr("none is left that could register one"));
}

TEST(ConfigFileTest, HistoriesHaveLimitsOrTheDefaults) {
  const worker::WorkerOptions file = parsed(R"(
[[realm]]
name = "one"
[[realm.history]]
uri = "com.a"
[[realm.history]]
uri = "com.a."
match = "prefix"
events_max = 5
bytes_max = 1000
age_max_s = 60
)");
  const auto& histories = file.realms[0]->histories;
  ASSERT_EQ(histories.size(), 2u);
  EXPECT_EQ(histories[0].match, wire::MatchPolicy::exact);
  EXPECT_EQ(histories[0].limits.events_max, worker::HistoryLimits{}.events_max);
  EXPECT_EQ(histories[0].limits.age_max_ms, worker::HistoryLimits{}.age_max_ms);
  EXPECT_EQ(histories[1].uri, "com.a.");
  EXPECT_EQ(histories[1].match, wire::MatchPolicy::prefix);
  EXPECT_EQ(histories[1].limits.events_max, 5u);
  EXPECT_EQ(histories[1].limits.bytes_max, 1000u);
  EXPECT_EQ(histories[1].limits.age_max_ms, 60'000);
}

TEST(ConfigFileTest, SaysWhereAndWhatIsAllowed) {
  const std::string errors = errors_of(R"([[realm]]
name = "one"
anonymous = "gest"
[[realm.role]]
name = "guest"
rules = [
  { uri = "a.b", allow = ["publsh"] },
  { uri = "a.c", match = "prefx" },
  { uri = "a..c" },
  { match = "exact" },
]
)");
  EXPECT_THAT(errors,
              HasSubstr("file:3: realm[0].anonymous: \"gest\" is no role of this realm; its "
                        "roles: guest\n"));
  EXPECT_THAT(errors, HasSubstr("file:7: realm[0].role[0].rules[0].allow[0]: \"publsh\" (did you "
                                "mean publish?) is none of: publish, subscribe, call, register\n"));
  EXPECT_THAT(errors, HasSubstr("file:8: realm[0].role[0].rules[1].match: \"prefx\" (did you mean "
                                "prefix?) is none of: exact, prefix, wildcard\n"));
  EXPECT_THAT(errors, HasSubstr("file:9: realm[0].role[0].rules[2].uri: \"a..c\" is no URI; empty "
                                "components need match"));
  EXPECT_THAT(errors, HasSubstr("file:10: realm[0].role[0].rules[3]: the key uri is missing"));
}

TEST(ConfigFileTest, ContradictionsAreErrors) {
  EXPECT_THAT(errors_of(""), HasSubstr("no [[realm]] and no [[realm_template]]"));
  EXPECT_THAT(errors_of("[[realm]]\nname = \"a\"\n[[realm]]\nname = \"a\"\n"),
              HasSubstr("file:4: realm[1].name: \"a\" is the name of another one too"));
  EXPECT_THAT(errors_of("[[realm]]\nname = \"a b\"\n"), HasSubstr("is no URI"));
  EXPECT_THAT(errors_of("[[realm]]\nname = \"a\"\n[[realm.role]]\nname = \"r\"\n"
                        "[[realm.role]]\nname = \"r\"\n"),
              HasSubstr("file:6: realm[0].role[1].name: \"r\" is the name of another role"));
  EXPECT_THAT(errors_of("[[realm]]\nname = \"a\"\n[[realm.role]]\nname = \"r\"\n"
                        "unrestricted = true\nrules = [{ uri = \"x\" }]\n"),
              HasSubstr("an unrestricted role has no rules"));
  EXPECT_THAT(errors_of("[[realm]]\nname = \"a\"\n[[realm.role]]\nname = \"r\"\n"
                        "rules = [{ uri = \"x\" }, { uri = \"x\" }]\n"),
              HasSubstr("file:5: realm[0].role[0].rules: "));
}

TEST(ConfigFileTest, TemplatesAreForRealmsOnDemand) {
  const worker::WorkerOptions file = parsed(
      "[[realm_template]]\nname = \"tenant.*\"\nsessions_max = 3\nanonymous = \"guest\"\n"
      "[[realm_template.role]]\nname = \"guest\"\nunrestricted = true\n");
  EXPECT_TRUE(file.realms.empty());
  ASSERT_EQ(file.realm_templates.size(), 1u);
  EXPECT_EQ(file.realm_templates[0]->sessions_max, 3u);
  EXPECT_EQ(file.realm_templates[0]->anonymous_role, 0);
  EXPECT_THAT(errors_of("[[realm_template]]\nname = \"tenant\"\n"), HasSubstr("not a pattern"));
  EXPECT_THAT(errors_of("[[realm]]\nname = \"tenant.*\"\n"),
              HasSubstr("that is for [[realm_template]]"));
  EXPECT_THAT(errors_of("[[realm]]\nname = \"a\"\nsessions_max = 0\n"),
              HasSubstr("0 is not from 1 to"));
}

TEST(ConfigFileTest, BrokenTomlNamesItsLine) {
  EXPECT_THAT(errors_of("[[realm]]\nname = \"one\n"), HasSubstr("file:2: "));
  EXPECT_THAT(errors_of("relm = 1\n"), HasSubstr("relm: unknown key; did you mean realm?"));
  EXPECT_THAT(errors_of(std::string(kConfigFileSizeMax + 1, '#')), HasSubstr("larger than"));
}

}  // namespace
}  // namespace ringcast::broker
