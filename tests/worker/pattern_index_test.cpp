// Patterns of URIs: the specification's own examples, what a naive matcher says of random patterns
// and URIs, and the bounds that a hostile set of patterns meets.
#include "worker/pattern_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

using ring::test::below;
using ring::test::Random;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::MatchPolicy;

constexpr std::uint64_t kSeed = 0x2545F4914F6CDD1D;
using Index = PatternIndex<int>;

std::vector<std::string> matches(Index& index, std::uint16_t realm, std::string_view uri) {
  std::vector<std::string> found;
  index.match(realm, uri, [&](Index::Entry& entry) {
    const char* policy = entry.match == MatchPolicy::prefix ? "prefix " : "wildcard ";
    found.push_back(policy + std::string(entry.uri()));
  });
  return found;
}

std::string best(Index& index, std::string_view uri) {
  Index::Entry* entry = index.best(0, uri);
  return entry == nullptr ? "none" : std::string(entry->uri());
}

TEST(PatternIndex, AnEmptyOneMatchesNothing) {
  Index index(kSeed);
  EXPECT_THAT(matches(index, 0, "com.example"), IsEmpty());
  EXPECT_EQ(index.best(0, "com.example"), nullptr);
  EXPECT_EQ(index.find(0, MatchPolicy::prefix, ""), nullptr);
  EXPECT_EQ(index.size(), 0u);
}

// "Pattern-based Subscriptions", "Prefix Matching".
TEST(PatternIndex, APrefixIsOneOfTheString) {
  Index index(kSeed);
  index.insert(0, MatchPolicy::prefix, "com.myapp.topic.emergency");
  for (const char* uri :
       {"com.myapp.topic.emergency.11", "com.myapp.topic.emergency-low",
        "com.myapp.topic.emergency.category.severe", "com.myapp.topic.emergency"}) {
    EXPECT_THAT(matches(index, 0, uri), ElementsAre("prefix com.myapp.topic.emergency")) << uri;
  }
  EXPECT_THAT(matches(index, 0, "com.myapp.topic.emerge"), IsEmpty());
}

// "Pattern-based Subscriptions", "Wildcard Matching".
TEST(PatternIndex, AWildcardStandsForOneWholeComponent) {
  Index index(kSeed);
  index.insert(0, MatchPolicy::wildcard, "com.myapp..userevent");
  for (const char* uri :
       {"com.myapp.foo.userevent", "com.myapp.bar.userevent", "com.myapp.a12.userevent"}) {
    EXPECT_THAT(matches(index, 0, uri), ElementsAre("wildcard com.myapp..userevent")) << uri;
  }
  for (const char* uri :
       {"com.myapp.foo.userevent.bar", "com.myapp.foo.user", "com.myapp2.foo.userevent"}) {
    EXPECT_THAT(matches(index, 0, uri), IsEmpty()) << uri;
  }
}

TEST(PatternIndex, AWildcardPatternWithoutWildcardsMatchesItself) {
  Index index(kSeed);
  index.insert(0, MatchPolicy::wildcard, "a.b");
  EXPECT_THAT(matches(index, 0, "a.b"), ElementsAre("wildcard a.b"));
  EXPECT_THAT(matches(index, 0, "a.c"), IsEmpty());
}

TEST(PatternIndex, TheEmptyPrefixMatchesAllAndTheEmptyWildcardWhatHasOneComponent) {
  Index index(kSeed);
  index.insert(0, MatchPolicy::prefix, "");
  index.insert(0, MatchPolicy::wildcard, "");
  EXPECT_THAT(matches(index, 0, "a"), ElementsAre("prefix ", "wildcard "));
  EXPECT_THAT(matches(index, 0, "a.b"), ElementsAre("prefix "));
}

TEST(PatternIndex, EveryMatchIsVisitedOncePrefixesFromTheShortest) {
  Index index(kSeed);
  for (const char* pattern : {"a.bcdefgh", "", "a.bcdefghijklmnop.q", "a", "a.bcdef", "b"})
    index.insert(0, MatchPolicy::prefix, pattern);
  for (const char* pattern : {"a.", ".", ".bcdefghi"})
    index.insert(0, MatchPolicy::wildcard, pattern);
  EXPECT_THAT(matches(index, 0, "a.bcdefghi"),
              ElementsAre("prefix ", "prefix a", "prefix a.bcdef", "prefix a.bcdefgh",
                          "wildcard a.", "wildcard .bcdefghi", "wildcard ."));
}

TEST(PatternIndex, RealmsKnowNothingOfEachOther) {
  Index index(kSeed);
  index.insert(1, MatchPolicy::prefix, "a");
  index.insert(1, MatchPolicy::wildcard, "a.");
  index.insert(500, MatchPolicy::prefix, "a.b");
  EXPECT_THAT(matches(index, 1, "a.b"), ElementsAre("prefix a", "wildcard a."));
  EXPECT_THAT(matches(index, 500, "a.b"), ElementsAre("prefix a.b"));
  EXPECT_THAT(matches(index, 2, "a.b"), IsEmpty());
  EXPECT_EQ(index.find(2, MatchPolicy::prefix, "a"), nullptr);
}

TEST(PatternIndex, FindsByPolicyAndPatternAndKeepsTheValueInPlace) {
  Index index(kSeed);
  Index::Entry* prefix = index.insert(0, MatchPolicy::prefix, "a.b").entry;
  Index::Entry* wildcard = index.insert(0, MatchPolicy::wildcard, "a.b").entry;
  ASSERT_NE(prefix, wildcard);
  prefix->value = 7;
  for (int i = 0; i < 1000; ++i) index.insert(0, MatchPolicy::prefix, std::to_string(i));
  EXPECT_EQ(index.find(0, MatchPolicy::prefix, "a.b"), prefix);
  EXPECT_EQ(index.find(0, MatchPolicy::wildcard, "a.b"), wildcard);
  EXPECT_EQ(index.find(0, MatchPolicy::exact, "a.b"), nullptr);
  EXPECT_EQ(index.find(0, MatchPolicy::wildcard, "a."), nullptr);
  EXPECT_EQ(prefix->value, 7);
  const Index::Inserted again = index.insert(0, MatchPolicy::prefix, "a.b");
  EXPECT_EQ(again.outcome, PatternInsert::present);
  EXPECT_EQ(again.entry, prefix);
  EXPECT_EQ(index.size(), 1002u);
}

// "Pattern-based Registrations", "Calls matching multiple registrations", its example but for the
// exact registration.
TEST(PatternIndex, TheBestRegistrationIsTheSpecificationsOne) {
  Index index(kSeed);
  index.insert(0, MatchPolicy::prefix, "a1.b2.c3");
  index.insert(0, MatchPolicy::prefix, "a1.b2.c3.d4");
  for (const char* pattern :
       {"a1.b2..d4.e5", "a1.b2.c33..e5", "a1.b2..d4.e5..g7", "a1.b2..d4..f6.g7"})
    index.insert(0, MatchPolicy::wildcard, pattern);
  EXPECT_EQ(best(index, "a1.b2.c3.d98.e74"), "a1.b2.c3");
  EXPECT_EQ(best(index, "a1.b2.c3.d4.e325"), "a1.b2.c3.d4");
  EXPECT_EQ(best(index, "a1.b2.c55.d4.e5"), "a1.b2..d4.e5");
  // The specification has RPC 5 here; its URI has the prefix a1.b2.c3 as a string, though.
  EXPECT_EQ(best(index, "a1.b2.c33.d4.e5"), "a1.b2.c3");
  EXPECT_EQ(best(index, "a1.b2.c88.d4.e5.f6.g7"), "a1.b2..d4.e5..g7");
  EXPECT_EQ(best(index, "a2.b2.c2.d2.e2"), "none");

  index.erase(*index.find(0, MatchPolicy::prefix, "a1.b2.c3"));
  EXPECT_EQ(best(index, "a1.b2.c33.d4.e5"), "a1.b2.c33..e5");
}

TEST(PatternIndex, OnlyTheFirstSixtyFourComponentsCanBeWildcards) {
  Index index(kSeed);
  const std::string deepest(kWildcardComponentsMax - 1, '.');
  EXPECT_EQ(index.insert(0, MatchPolicy::wildcard, deepest).outcome, PatternInsert::inserted);
  std::string uri = "x";
  for (std::size_t i = 1; i < kWildcardComponentsMax; ++i) uri += ".x";
  EXPECT_EQ(matches(index, 0, uri).size(), 1u);
  EXPECT_EQ(matches(index, 0, uri + ".x").size(), 0u);

  const Index::Inserted refused = index.insert(0, MatchPolicy::wildcard, deepest + ".");
  EXPECT_EQ(refused.outcome, PatternInsert::too_deep);
  EXPECT_EQ(refused.entry, nullptr);
  EXPECT_EQ(index.find(0, MatchPolicy::wildcard, deepest + "."), nullptr);
  EXPECT_EQ(index.insert(0, MatchPolicy::prefix, deepest + ".").outcome, PatternInsert::inserted);
  EXPECT_EQ(index.size(), 2u);
}

// Eight components, those with a set bit being wildcards.
std::string shaped(unsigned bits, const std::string& literal) {
  std::string pattern;
  for (unsigned i = 0; i < 8; ++i) {
    if (i != 0) pattern += '.';
    if ((bits >> i & 1) == 0) pattern += literal;
  }
  return pattern;
}

TEST(PatternIndex, OneShapeTooManyIsRefusedAndLeavesNothingBehind) {
  Index index(kSeed);
  for (unsigned i = 0; i < kWildcardShapesMax; ++i) {
    ASSERT_EQ(index.insert(0, MatchPolicy::wildcard, shaped(i, "a")).outcome,
              PatternInsert::inserted);
  }
  const std::string surplus = shaped(kWildcardShapesMax, "a");
  const Index::Inserted refused = index.insert(0, MatchPolicy::wildcard, surplus);
  EXPECT_EQ(refused.outcome, PatternInsert::too_many_shapes);
  EXPECT_EQ(refused.entry, nullptr);
  EXPECT_FALSE(describe(refused.outcome).empty());
  EXPECT_EQ(index.size(), kWildcardShapesMax);

  // Shapes that are there, other depths, other realms and prefixes are not concerned.
  EXPECT_EQ(index.insert(0, MatchPolicy::wildcard, shaped(3, "b")).outcome,
            PatternInsert::inserted);
  EXPECT_EQ(index.insert(0, MatchPolicy::wildcard, surplus + ".").outcome, PatternInsert::inserted);
  EXPECT_EQ(index.insert(1, MatchPolicy::wildcard, surplus).outcome, PatternInsert::inserted);
  EXPECT_EQ(index.insert(0, MatchPolicy::prefix, surplus).outcome, PatternInsert::inserted);

  // Once nobody has one of the shapes any more there is room: two patterns have this one.
  index.erase(*index.find(0, MatchPolicy::wildcard, shaped(3, "a")));
  EXPECT_EQ(index.insert(0, MatchPolicy::wildcard, surplus).outcome,
            PatternInsert::too_many_shapes);
  index.erase(*index.find(0, MatchPolicy::wildcard, shaped(3, "b")));
  EXPECT_EQ(index.insert(0, MatchPolicy::wildcard, surplus).outcome, PatternInsert::inserted);
}

TEST(PatternIndex, SevenComponentsHaveRoomForEveryShape) {
  Index index(kSeed);
  for (unsigned bits = 0; bits < 1u << 7; ++bits) {
    const std::string pattern = shaped(bits, "a");
    ASSERT_EQ(index.insert(0, MatchPolicy::wildcard, pattern.substr(0, pattern.rfind('.'))).outcome,
              PatternInsert::inserted);
  }
  EXPECT_EQ(matches(index, 0, "a.a.a.a.a.a.a").size(), 128u);
  EXPECT_EQ(matches(index, 0, "a.a.b.a.a.a.a").size(), 64u);
}

TEST(PatternIndex, EveryLengthOfPrefixIsFoundAndNoOther) {
  Index index(kSeed);
  std::string uri;
  Random random(3);
  while (uri.size() < wire::kUriSizeMax) uri += static_cast<char>('a' + below(random, 26));
  for (std::size_t size = 0; size <= uri.size(); ++size) {
    index.insert(0, MatchPolicy::prefix, uri.substr(0, size));
    // One that differs in its last byte only.
    if (size != 0) index.insert(0, MatchPolicy::prefix, uri.substr(0, size - 1) + '#');
  }
  EXPECT_EQ(matches(index, 0, uri).size(), wire::kUriSizeMax + 1);
  EXPECT_EQ(matches(index, 0, std::string_view(uri).substr(0, 100)).size(), 101u);
  EXPECT_EQ(index.best(0, uri)->uri(), uri);
}

// Bytes that end a word of the hash, or are zero there, make no two prefixes the same.
TEST(PatternIndex, PrefixesThatDifferByZeroBytesOnlyAreDifferent) {
  Index index(kSeed);
  for (std::size_t size = 0; size < 40; ++size)
    index.insert(0, MatchPolicy::prefix, std::string(size, '\0'));
  EXPECT_EQ(index.size(), 40u);
  const PatternHash hash(kSeed);
  std::map<std::uint64_t, std::size_t> seen;
  for (std::size_t size = 0; size < 40; ++size) {
    for (const char last : {'\0', '\1'}) {
      std::string prefix(size, '\0');
      prefix += last;
      ++seen[hash.prefix(0, prefix)];
    }
  }
  EXPECT_EQ(seen.size(), 80u);
}

// Wherever components stand they count as others; clients choose them.
TEST(PatternIndex, PatternsOfTheSameComponentsInAnotherOrderHashApart) {
  const PatternHash hash(kSeed);
  EXPECT_NE(hash.wildcard(0, "a.b."), hash.wildcard(0, "b.a."));
  EXPECT_NE(hash.wildcard(0, "a.."), hash.wildcard(0, ".a."));
  EXPECT_NE(hash.wildcard(0, "a."), hash.wildcard(0, "a.."));
  EXPECT_NE(hash.wildcard(0, "a."), hash.wildcard(1, "a."));
  EXPECT_NE(hash.wildcard(0, "a."), PatternHash(kSeed + 1).wildcard(0, "a."));
}

// ---- Against a naive matcher ----

using Known = std::tuple<std::uint16_t, MatchPolicy, std::string>;

std::vector<std::string> split(const std::string& uri) {
  std::vector<std::string> parts(1);
  for (const char c : uri) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool naive_match(const Known& pattern, const std::string& uri) {
  const auto& [realm, match, text] = pattern;
  if (match == MatchPolicy::prefix) return uri.compare(0, text.size(), text) == 0;
  const auto wanted = split(text);
  const auto given = split(uri);
  if (wanted.size() != given.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i].empty() && wanted[i] != given[i]) return false;
  }
  return true;
}

// The number of components before the first wildcard, between it and the second, and so on.
std::vector<std::size_t> portions(const std::string& pattern) {
  std::vector<std::size_t> lengths(1);
  for (const std::string& part : split(pattern)) {
    if (part.empty()) {
      lengths.push_back(0);
    } else {
      ++lengths.back();
    }
  }
  return lengths;
}

bool naive_better(const Known& a, const Known& b) {
  const auto& [realm_a, match_a, text_a] = a;
  const auto& [realm_b, match_b, text_b] = b;
  if (match_a != match_b) return match_a == MatchPolicy::prefix;
  if (match_a == MatchPolicy::prefix) return text_a.size() > text_b.size();
  return portions(text_a) > portions(text_b);
}

std::string random_uri(Random& random, std::size_t components_max, bool may_be_empty) {
  static const std::vector<std::string> kParts = {
      "a", "b", "aa", "ab", "component", "é", "日本語", "\xF0\x9F\x8C\x8A", "a-b_c", "A", "0"};
  std::string uri;
  const std::size_t components = 1 + below(random, components_max);
  for (std::size_t i = 0; i < components; ++i) {
    if (i != 0) uri += '.';
    if (!may_be_empty || below(random, 3) != 0) {
      // Mostly the same few, so that patterns and URIs meet.
      uri += kParts[below(random, below(random, 4) == 0 ? kParts.size() : 2)];
    }
  }
  return uri;
}

Known random_pattern(Random& random, std::size_t components_max) {
  const auto realm = static_cast<std::uint16_t>(below(random, 2));
  if (below(random, 2) == 0) {
    std::string text = random_uri(random, components_max, false);
    text.resize(below(random, text.size() + 1));  // in the middle of a character, too
    return {realm, MatchPolicy::prefix, text};
  }
  return {realm, MatchPolicy::wildcard, random_uri(random, components_max, true)};
}

// One that matches some known pattern, or came about without.
std::string random_uri_for(Random& random, const std::map<Known, int>& known,
                           std::size_t components_max) {
  if (known.empty() || below(random, 2) == 0)
    return random_uri(random, components_max, below(random, 4) == 0);
  const auto chosen =
      std::next(known.begin(), static_cast<std::ptrdiff_t>(below(random, known.size())));
  const auto& [realm, match, text] = chosen->first;
  if (match == MatchPolicy::prefix) return text + random_uri(random, 2, false);
  std::string uri;
  for (const std::string& part : split(text)) {
    uri += part.empty() ? random_uri(random, 1, false) : part;
    uri += '.';
  }
  uri.pop_back();
  return uri;
}

void expect_as_naive(Index& index, const std::map<Known, int>& known, std::uint16_t realm,
                     const std::string& uri) {
  std::map<Known, int> expected;
  const Known* expected_best = nullptr;
  for (const auto& [pattern, value] : known) {
    if (std::get<0>(pattern) != realm || !naive_match(pattern, uri)) continue;
    expected.emplace(pattern, value);
    if (expected_best == nullptr || naive_better(pattern, *expected_best)) expected_best = &pattern;
  }
  std::map<Known, int> found;
  index.match(realm, uri, [&](Index::Entry& entry) {
    const bool first =
        found.emplace(Known{entry.realm, entry.match, entry.uri()}, entry.value).second;
    EXPECT_TRUE(first) << entry.uri() << " was visited twice";
  });
  ASSERT_EQ(found, expected) << uri;
  const Index::Entry* best = index.best(realm, uri);
  ASSERT_EQ(best == nullptr, expected_best == nullptr) << uri;
  if (best != nullptr) {
    ASSERT_EQ((Known{best->realm, best->match, best->uri()}), *expected_best) << uri;
  }
}

void expect_as_naive_over_changes(std::size_t components_max, std::size_t patterns_max, int steps) {
  Random random(components_max);
  Index index(random());
  std::map<Known, int> known;
  std::size_t refused = 0;
  for (int step = 0; step < steps; ++step) {
    const Known pattern = random_pattern(random, components_max);
    const auto& [realm, match, text] = pattern;
    Index::Entry* entry = index.find(realm, match, text);
    ASSERT_EQ(entry != nullptr, known.count(pattern) == 1) << text;
    if (entry != nullptr) {
      ASSERT_EQ(entry->value, known[pattern]);
      index.erase(*entry);
      known.erase(pattern);
    } else if (known.size() < patterns_max) {
      const Index::Inserted inserted = index.insert(realm, match, text);
      if (inserted.outcome == PatternInsert::inserted) {
        inserted.entry->value = step;
        known[pattern] = step;
      } else {
        ++refused;
      }
    } else {  // down to nothing now and then, so that lengths and shapes go
      const std::size_t left = below(random, 2) == 0 ? 0 : patterns_max / 2;
      while (known.size() > left) {
        const auto victim =
            std::next(known.begin(), static_cast<std::ptrdiff_t>(below(random, known.size())));
        const auto& [r, m, t] = victim->first;
        index.erase(*index.find(r, m, t));
        known.erase(victim);
      }
    }
    ASSERT_EQ(index.size(), known.size());
    const auto asked = static_cast<std::uint16_t>(below(random, 3));
    ASSERT_NO_FATAL_FAILURE(
        expect_as_naive(index, known, asked, random_uri_for(random, known, components_max)));
  }
  std::size_t visited = 0;
  index.for_each([&](Index::Entry& entry) {
    ++visited;
    EXPECT_EQ(known.count({entry.realm, entry.match, std::string(entry.uri())}), 1u);
  });
  EXPECT_EQ(visited, known.size());
  EXPECT_EQ(refused != 0, components_max > kWildcardComponentsMax);
}

TEST(PatternIndex, AgreesWithANaiveMatcherOnShortUris) {
  expect_as_naive_over_changes(3, 60, 20000);
}

TEST(PatternIndex, AgreesWithANaiveMatcherOnUsualUris) {
  expect_as_naive_over_changes(6, 300, 8000);
}

TEST(PatternIndex, AgreesWithANaiveMatcherOnDeepUris) {
  expect_as_naive_over_changes(80, 120, 4000);
}

}  // namespace
}  // namespace ringcast::worker
