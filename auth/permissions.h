// What a role may do: static authorisation rules, and their evaluation. Immutable once built, so
// workers may share one; any thread.
//
// For a URI one rule decides: the most specific of those that match. Exact comes before pattern;
// among patterns the one that spells out more whole components, at a tie the wildcard (which fixes
// their number too) before the prefix, then the longer prefix, then the wildcard whose first
// component that differs is spelled out. [decision] Where none matches the answer is no, and a role
// without rules may do nothing. A rule decides for all four actions: what it does not allow it
// denies, so a rule that allows nothing takes a part out of a wider one.
//
// Who subscribes or registers with a pattern asks for many URIs at once. That is allowed only if
// the action is allowed for each of them, by a rule that covers the whole pattern, and by every
// more specific rule that could decide for some of the URIs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/result.h"
#include "auth/uri_pattern.h"

namespace ringcast::auth {

enum class Action : std::uint8_t { publish = 1, subscribe = 2, call = 4, register_ = 8 };

// A set of actions.
class Actions {
 public:
  constexpr Actions() = default;
  constexpr Actions(std::initializer_list<Action> actions) {
    for (const Action action : actions) bits_ |= static_cast<std::uint8_t>(action);
  }
  static constexpr Actions all() {
    return {Action::publish, Action::subscribe, Action::call, Action::register_};
  }
  constexpr void insert(Action action) { bits_ |= static_cast<std::uint8_t>(action); }
  constexpr bool contains(Action action) const {
    return (bits_ & static_cast<std::uint8_t>(action)) != 0;
  }

 private:
  std::uint8_t bits_ = 0;
};

// Whether who publishes or calls is named to the receivers.
enum class Disclosure : std::uint8_t {
  asked,   // if the message asks for it (disclose_me), or its callee does (disclose_caller)
  always,  // asked or not
  never,   // whoever asks; a message that does is refused
};

struct Rule {
  std::string uri;
  UriMatch match = UriMatch::exact;
  Actions allow;
  Disclosure disclose = Disclosure::asked;
};

struct Grant {
  bool allowed = false;
  Disclosure disclose = Disclosure::asked;
  bool operator==(const Grant&) const = default;
};

inline constexpr std::size_t kRulesPerRoleMax = 16'384;

class RoleRules {
 public:
  // Fails for a URI that is none, for the same URI and match twice, and for more rules than
  // kRulesPerRoleMax.
  static Result<RoleRules> build(std::vector<Rule> rules);

  RoleRules() = default;  // no rules: nothing is allowed
  // Not copied: its indices view its own rules.
  RoleRules(RoleRules&&) = default;
  RoleRules& operator=(RoleRules&&) = default;

  // `uri` names one topic or procedure. Costs one hash, a binary search among prefixes, and a look
  // at each wildcard rule with the URI's number of components; allocates nothing.
  Grant check(Action action, std::string_view uri) const;

  // `pattern` is what SUBSCRIBE or REGISTER asks for. Looks at every rule unless it is exact.
  Grant check_pattern(Action action, UriPattern pattern) const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Prefix {
    std::uint32_t rule = kNone;
    std::uint32_t shorter = kNone;  // the longest other one that this one begins with
  };

  // Indices into rules_: the lower one is the more specific.
  std::uint32_t deciding_rule(std::string_view uri) const;
  std::uint32_t longest_prefix(std::string_view uri) const;
  std::uint32_t first_wildcard(std::string_view uri) const;
  void index();
  void link_prefixes();

  std::vector<Rule> rules_;  // most specific first
  std::unordered_map<std::string_view, std::uint32_t> exact_;
  std::vector<Prefix> prefixes_;  // by URI
  // By the number of their components, each most specific first.
  std::map<std::size_t, std::vector<std::uint32_t>> wildcards_;
};

}  // namespace ringcast::auth
