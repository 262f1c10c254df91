#include "auth/permissions.h"

#include <algorithm>
#include <utility>

namespace ringcast::auth {
namespace {

std::size_t dots_in(std::string_view uri) {
  return static_cast<std::size_t>(std::count(uri.begin(), uri.end(), '.'));
}

std::size_t empty_components(std::string_view uri) {
  std::size_t empty = uri.empty() || uri.front() == '.' ? 1 : 0;
  for (std::size_t i = 0; i < uri.size(); ++i)
    if (uri[i] == '.' && (i + 1 == uri.size() || uri[i + 1] == '.')) ++empty;
  return empty;
}

// Whole components that a pattern spells out. The last one of a prefix is never whole.
std::size_t components_spelled(const Rule& rule) {
  const std::size_t dots = dots_in(rule.uri);
  return rule.match == UriMatch::prefix ? dots : dots + 1 - empty_components(rule.uri);
}

// Of two wildcards that spell out equally many components: whether the first that differs is
// spelled out in `a`. Sorting needs an order for any two, so text decides in the end.
bool spells_earlier(std::string_view a, std::string_view b) {
  const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (left == a.end() || right == b.end()) return a.size() > b.size();
  // A dot here ends a component in which the other goes on; it is empty if it begins here.
  if (*left == '.' || *right == '.') return *right == '.';
  return *left < *right;
}

bool more_specific(const Rule& a, const Rule& b) {
  const bool a_exact = a.match == UriMatch::exact;
  const bool b_exact = b.match == UriMatch::exact;
  if (a_exact || b_exact) return a_exact != b_exact ? a_exact : a.uri < b.uri;
  const std::size_t a_spelled = components_spelled(a);
  const std::size_t b_spelled = components_spelled(b);
  if (a_spelled != b_spelled) return a_spelled > b_spelled;
  if (a.match != b.match) return a.match == UriMatch::wildcard;
  if (a.match == UriMatch::wildcard) return spells_earlier(a.uri, b.uri);
  return a.uri.size() != b.uri.size() ? a.uri.size() > b.uri.size() : a.uri < b.uri;
}

Failure bad_rule(const Rule& rule, std::string_view what) {
  return {"the rule for \"" + rule.uri + "\" " + std::string(what), "correct it, or take it out"};
}

}  // namespace

Result<RoleRules> RoleRules::build(std::vector<Rule> rules) {
  if (rules.size() > kRulesPerRoleMax)
    return Failure{"a role with more than " + std::to_string(kRulesPerRoleMax) + " rules",
                   "use patterns, or a dynamic authorizer"};
  for (const Rule& rule : rules) {
    if (!pattern_valid({rule.uri, rule.match}))
      return bad_rule(rule, "has a URI that its kind of match can't have");
  }
  std::sort(rules.begin(), rules.end(), more_specific);
  const auto twice = std::adjacent_find(
      rules.begin(), rules.end(),
      [](const Rule& a, const Rule& b) { return a.match == b.match && a.uri == b.uri; });
  if (twice != rules.end()) return bad_rule(*twice, "is there twice");
  RoleRules out;
  out.rules_ = std::move(rules);
  out.index();
  return out;
}

void RoleRules::index() {
  for (std::uint32_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    switch (rule.match) {
      case UriMatch::exact:
        exact_.emplace(rule.uri, i);
        break;
      case UriMatch::prefix:
        prefixes_.push_back({i, kNone});
        break;
      case UriMatch::wildcard:
        wildcards_[dots_in(rule.uri)].push_back(i);
        break;
    }
  }
  link_prefixes();
}

void RoleRules::link_prefixes() {
  std::sort(prefixes_.begin(), prefixes_.end(), [&](const Prefix& a, const Prefix& b) {
    return rules_[a.rule].uri < rules_[b.rule].uri;
  });
  // What a prefix begins with stands before it, and so does everything else that begins with that.
  for (std::uint32_t i = 1; i < prefixes_.size(); ++i) {
    const std::string_view uri = rules_[prefixes_[i].rule].uri;
    std::uint32_t before = i - 1;
    while (before != kNone && !uri.starts_with(rules_[prefixes_[before].rule].uri))
      before = prefixes_[before].shorter;
    prefixes_[i].shorter = before;
  }
}

std::uint32_t RoleRules::longest_prefix(std::string_view uri) const {
  const auto after = std::upper_bound(
      prefixes_.begin(), prefixes_.end(), uri,
      [&](std::string_view text, const Prefix& prefix) { return text < rules_[prefix.rule].uri; });
  auto at = after == prefixes_.begin() ? kNone
                                       : static_cast<std::uint32_t>(after - prefixes_.begin() - 1);
  while (at != kNone && !uri.starts_with(rules_[prefixes_[at].rule].uri))
    at = prefixes_[at].shorter;
  return at == kNone ? kNone : prefixes_[at].rule;
}

std::uint32_t RoleRules::first_wildcard(std::string_view uri) const {
  if (wildcards_.empty()) return kNone;
  const auto group = wildcards_.find(dots_in(uri));
  if (group == wildcards_.end()) return kNone;
  for (const std::uint32_t rule : group->second)
    if (pattern_matches({rules_[rule].uri, UriMatch::wildcard}, uri)) return rule;
  return kNone;
}

std::uint32_t RoleRules::deciding_rule(std::string_view uri) const {
  const auto exact = exact_.find(uri);
  if (exact != exact_.end()) return exact->second;
  return std::min(longest_prefix(uri), first_wildcard(uri));
}

Grant RoleRules::check(Action action, std::string_view uri) const {
  const std::uint32_t rule = deciding_rule(uri);
  if (rule == kNone) return {};
  return {rules_[rule].allow.contains(action), rules_[rule].disclose};
}

Grant RoleRules::check_pattern(Action action, UriPattern pattern) const {
  if (pattern.match == UriMatch::exact) return check(action, pattern.uri);
  for (const Rule& rule : rules_) {
    const UriPattern own{rule.uri, rule.match};
    if (!patterns_overlap(own, pattern)) continue;
    if (!rule.allow.contains(action)) return {};
    if (pattern_covers(own, pattern)) return {true, rule.disclose};
  }
  return {};
}

}  // namespace ringcast::auth
