#include "auth/permissions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "tests/auth/support.h"

namespace ringcast::auth {
namespace {

using test::must;

Rule rule(UriMatch match, std::string uri, Actions allow, Disclosure disclose = Disclosure::asked) {
  return {std::move(uri), match, allow, disclose};
}
Rule exact(std::string uri, Actions allow = Actions::all()) {
  return rule(UriMatch::exact, std::move(uri), allow);
}
Rule prefix(std::string uri, Actions allow = Actions::all()) {
  return rule(UriMatch::prefix, std::move(uri), allow);
}
Rule wildcard(std::string uri, Actions allow = Actions::all()) {
  return rule(UriMatch::wildcard, std::move(uri), allow);
}

bool may(const RoleRules& rules, Action action, std::string_view uri) {
  return rules.check(action, uri).allowed;
}
bool may_subscribe(const RoleRules& rules, UriMatch match, std::string_view uri) {
  return rules.check_pattern(Action::subscribe, {uri, match}).allowed;
}

TEST(Permissions, DenyWhatNoRuleAllows) {
  const RoleRules none;
  EXPECT_FALSE(may(none, Action::publish, "com.app.x"));
  EXPECT_FALSE(may_subscribe(none, UriMatch::prefix, ""));
  const auto rules = must(RoleRules::build({exact("com.app.x"), prefix("com.lib.")}));
  EXPECT_FALSE(may(rules, Action::publish, "com.app.y"));
  EXPECT_FALSE(may(rules, Action::publish, "com.app"));
  EXPECT_FALSE(may(rules, Action::publish, "com.lib"));
  EXPECT_FALSE(may(rules, Action::publish, ""));
}

TEST(Permissions, AllowEachActionByItself) {
  for (const Action granted :
       {Action::publish, Action::subscribe, Action::call, Action::register_}) {
    const auto rules = must(RoleRules::build({prefix("com.", {granted})}));
    for (const Action asked : {Action::publish, Action::subscribe, Action::call, Action::register_})
      EXPECT_EQ(may(rules, asked, "com.x"), asked == granted);
  }
}

TEST(Permissions, TheDecidingRuleSaysWhoIsDisclosed) {
  const auto rules =
      must(RoleRules::build({rule(UriMatch::prefix, "com.", {Action::call}, Disclosure::always),
                             exact("com.x", {Action::call})}));
  EXPECT_EQ(rules.check(Action::call, "com.y"), (Grant{true, Disclosure::always}));
  EXPECT_EQ(rules.check(Action::call, "com.x"), (Grant{true, Disclosure::asked}));
}

TEST(Permissions, ExactComesBeforeEveryPattern) {
  const auto rules =
      must(RoleRules::build({exact("com.app.x", {}), prefix("com.app."), wildcard("com..x")}));
  EXPECT_FALSE(may(rules, Action::call, "com.app.x"));
  EXPECT_TRUE(may(rules, Action::call, "com.app.y"));
  EXPECT_TRUE(may(rules, Action::call, "com.lib.x"));
}

TEST(Permissions, TheLongerPrefixDecides) {
  const auto rules = must(RoleRules::build(
      {prefix(""), prefix("com.", {}), prefix("com.app."), prefix("com.app.secret", {})}));
  EXPECT_TRUE(may(rules, Action::call, "org"));
  EXPECT_FALSE(may(rules, Action::call, "com.x"));
  EXPECT_TRUE(may(rules, Action::call, "com.app.x"));
  EXPECT_FALSE(may(rules, Action::call, "com.app.secrets"));
  EXPECT_TRUE(may(rules, Action::call, "com.app.secre"));
}

TEST(Permissions, AWildcardTakesAPartOutOfAWiderPrefix) {
  const auto rules = must(RoleRules::build({prefix("com."), wildcard("com..secret", {})}));
  EXPECT_TRUE(may(rules, Action::call, "com.app.open"));
  EXPECT_FALSE(may(rules, Action::call, "com.app.secret"));
  EXPECT_TRUE(may(rules, Action::call, "com.app.secret.x"));
}

TEST(Permissions, APrefixThatSpellsOutMoreDecidesBeforeAWildcard) {
  const auto rules = must(RoleRules::build({prefix("com.app.users."), wildcard("com...", {})}));
  EXPECT_TRUE(may(rules, Action::call, "com.app.users.x"));
  EXPECT_FALSE(may(rules, Action::call, "com.app.orders.x"));
}

TEST(Permissions, AtATieTheWildcardDecides) {
  const auto rules = must(RoleRules::build({prefix("com.app."), wildcard("com..x", {})}));
  EXPECT_FALSE(may(rules, Action::call, "com.app.x"));
}

TEST(Permissions, OfTwoWildcardsTheOneThatSpellsOutMoreOrEarlier) {
  const auto rules = must(RoleRules::build(
      {wildcard("a..", {}), wildcard(".b."), wildcard("a..c"), wildcard("a.b.c", {})}));
  EXPECT_FALSE(may(rules, Action::call, "a.b.x")) << "a.. spells out the first component";
  EXPECT_TRUE(may(rules, Action::call, "x.b.x"));
  EXPECT_TRUE(may(rules, Action::call, "a.x.c"));
  EXPECT_FALSE(may(rules, Action::call, "a.b.c"));
}

TEST(Permissions, AskingWithAPatternNeedsARuleForAllOfIt) {
  const auto rules = must(RoleRules::build({prefix("com.app."), exact("org.x")}));
  EXPECT_TRUE(may_subscribe(rules, UriMatch::prefix, "com.app."));
  EXPECT_TRUE(may_subscribe(rules, UriMatch::prefix, "com.app.users"));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::prefix, "com.app"));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::prefix, "com."));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::prefix, ""));
  EXPECT_TRUE(may_subscribe(rules, UriMatch::wildcard, "com.app."));
  EXPECT_TRUE(may_subscribe(rules, UriMatch::wildcard, "com.app..x"));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::wildcard, "com..x"));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::prefix, "org.x"));
  EXPECT_TRUE(may_subscribe(rules, UriMatch::wildcard, "org.x"));
  EXPECT_TRUE(may_subscribe(rules, UriMatch::exact, "org.x"));
}

TEST(Permissions, APatternReachesAroundNoDenial) {
  const auto rules = must(
      RoleRules::build({prefix("com."), prefix("com.app.secret.", {}), wildcard("com..key", {})}));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::prefix, "com."));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::prefix, "com.app."));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::prefix, "com.app.secret.x"));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::wildcard, "com.app."));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::wildcard, "com.app..x"));
  EXPECT_TRUE(may_subscribe(rules, UriMatch::wildcard, "com..open"));
  EXPECT_FALSE(may_subscribe(rules, UriMatch::prefix, "com.lib."));
  EXPECT_TRUE(may_subscribe(rules, UriMatch::prefix, "com.lib.users."));
}

TEST(Permissions, LessSpecificDenialsDoNotCount) {
  const auto rules = must(RoleRules::build({prefix("", {}), prefix("com.app.")}));
  EXPECT_TRUE(may_subscribe(rules, UriMatch::prefix, "com.app.x"));
}

TEST(Permissions, RefuseRulesThatAreNone) {
  EXPECT_FALSE(RoleRules::build({exact("")}));
  EXPECT_FALSE(RoleRules::build({exact("a..b")}));
  EXPECT_FALSE(RoleRules::build({prefix("a b")}));
  EXPECT_FALSE(RoleRules::build({exact("a"), exact("a")}));
  EXPECT_FALSE(RoleRules::build({prefix("a"), exact("b"), prefix("a", {})}));
  EXPECT_FALSE(RoleRules::build({wildcard("a."), wildcard("a.", {})}));
  EXPECT_TRUE(RoleRules::build({exact("a"), prefix("a"), wildcard("a")}));
  EXPECT_FALSE(RoleRules::build(std::vector<Rule>(kRulesPerRoleMax + 1, prefix("a"))));
}

TEST(Permissions, SurviveBeingMoved) {
  auto first = must(RoleRules::build({exact("a.b"), prefix("c.")}));
  const RoleRules second = std::move(first);
  EXPECT_TRUE(may(second, Action::call, "a.b"));
  EXPECT_TRUE(may(second, Action::call, "c.d"));
}

// ---- Against the definition, for thousands of random rules ----

std::size_t spelled(const Rule& one) {
  std::vector<std::string> components{""};
  for (const char c : one.uri) {
    if (c == '.') {
      components.emplace_back();
    } else {
      components.back() += c;
    }
  }
  if (one.match == UriMatch::prefix) components.pop_back();
  return static_cast<std::size_t>(std::count_if(components.begin(), components.end(),
                                                [](const auto& c) { return !c.empty(); }));
}

class RandomRules : public ::testing::TestWithParam<unsigned> {
 protected:
  std::string uri(bool gaps) {
    std::string out;
    const auto size = 1 + random_() % 4;
    for (std::size_t i = 0; i < size; ++i) {
      if (i != 0) out += '.';
      if (!gaps || random_() % 3 != 0) out += names_[random_() % 3];
    }
    return out;
  }
  std::vector<Rule> rules() {
    std::vector<Rule> out;
    while (out.size() < 30) {
      const auto match = static_cast<UriMatch>(random_() % 3);
      std::string text = uri(match == UriMatch::wildcard);
      if (match == UriMatch::prefix) text.resize(random_() % (text.size() + 1));
      const bool known = std::any_of(out.begin(), out.end(), [&](const Rule& one) {
        return one.match == match && one.uri == text;
      });
      if (known || !pattern_valid({text, match})) continue;
      out.push_back(rule(match, text, random_() % 2 == 0 ? Actions::all() : Actions{}));
    }
    return out;
  }
  std::mt19937 random_{GetParam()};
  const char* names_[3] = {"a", "ab", "b"};
};

TEST_P(RandomRules, TheMostSpecificOfThoseThatMatchDecides) {
  const auto list = rules();
  const auto built = must(RoleRules::build(list));
  for (int i = 0; i < 1000; ++i) {
    const std::string asked = uri(false);
    // (exact, components, wildcard, length): the greatest decides. Ties among wildcards are left
    // to the tests above: they are skipped if the rules disagree.
    std::tuple<bool, std::size_t, bool, std::size_t> best{};
    int allowed = -1;
    for (const Rule& one : list) {
      if (!pattern_matches({one.uri, one.match}, asked)) continue;
      const bool is_wildcard = one.match == UriMatch::wildcard;
      const std::tuple rank{one.match == UriMatch::exact, spelled(one), is_wildcard,
                            is_wildcard ? 0 : one.uri.size()};
      const int allows = one.allow.contains(Action::call) ? 1 : 0;
      if (allowed < 0 || rank > best) {
        best = rank;
        allowed = allows;
      } else if (rank == best && allows != allowed) {
        allowed = 2;
      }
    }
    if (allowed == 2) continue;
    EXPECT_EQ(may(built, Action::call, asked), allowed == 1) << asked;
  }
}

// Whoever may subscribe with a pattern may subscribe to every URI that it matches.
TEST_P(RandomRules, APatternGivesNothingThatItsUrisDoNot) {
  const auto built = must(RoleRules::build(rules()));
  for (int i = 0; i < 1000; ++i) {
    const bool prefixed = random_() % 2 == 0;
    const std::string asked = uri(!prefixed) + (prefixed && random_() % 2 == 0 ? "." : "");
    const UriPattern pattern{asked, prefixed ? UriMatch::prefix : UriMatch::wildcard};
    if (!built.check_pattern(Action::subscribe, pattern).allowed) continue;
    for (int j = 0; j < 300; ++j) {
      const std::string one = prefixed && j % 2 == 0 ? asked + uri(false) : uri(false);
      if (pattern_matches(pattern, one)) {
        EXPECT_TRUE(may(built, Action::subscribe, one)) << asked << " gives " << one;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomRules, ::testing::Range(0u, 5u));

}  // namespace
}  // namespace ringcast::auth
