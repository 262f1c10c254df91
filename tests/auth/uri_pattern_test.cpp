#include "auth/uri_pattern.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ringcast::auth {
namespace {

constexpr UriPattern exact(std::string_view uri) { return {uri, UriMatch::exact}; }
constexpr UriPattern prefix(std::string_view uri) { return {uri, UriMatch::prefix}; }
constexpr UriPattern wildcard(std::string_view uri) { return {uri, UriMatch::wildcard}; }

// Every URI of one to four components of these names: enough to tell any two of the patterns apart.
std::vector<std::string> universe() {
  const std::vector<std::string> names{"a", "b", "ab", "abc"};
  std::vector<std::string> all;
  std::vector<std::string> longest{""};
  for (int size = 1; size <= 4; ++size) {
    std::vector<std::string> next;
    for (const std::string& start : longest)
      for (const std::string& name : names)
        next.push_back(start.empty() ? name : start + "." + name);
    all.insert(all.end(), next.begin(), next.end());
    longest = std::move(next);
  }
  return all;
}

std::vector<UriPattern> patterns() {
  return {exact("a"),         exact("a.b"),       exact("ab.abc.a"), prefix(""),
          prefix("a"),        prefix("ab"),       prefix("a."),      prefix("a.b"),
          prefix("a.b."),     prefix("ab.a"),     prefix("a.b.a"),   wildcard(""),
          wildcard("a"),      wildcard("."),      wildcard("a."),    wildcard(".a"),
          wildcard("a.b"),    wildcard("a..b"),   wildcard(".b."),   wildcard("a.b."),
          wildcard("..b"),    wildcard("a.."),    wildcard(".."),    wildcard("ab..a."),
          wildcard("...abc"), wildcard("a...abc")};
}

std::string name_of(UriPattern pattern) {
  const char* kinds[] = {"exact ", "prefix ", "wildcard "};
  return kinds[static_cast<int>(pattern.match)] + std::string(pattern.uri);
}

TEST(UriPattern, MatchesAsWampSays) {
  EXPECT_TRUE(pattern_matches(exact("a.b"), "a.b"));
  EXPECT_FALSE(pattern_matches(exact("a.b"), "a.b.c"));
  EXPECT_TRUE(pattern_matches(prefix("com.app"), "com.app"));
  EXPECT_TRUE(pattern_matches(prefix("com.app"), "com.application.x"));
  EXPECT_FALSE(pattern_matches(prefix("com.app."), "com.app"));
  EXPECT_TRUE(pattern_matches(wildcard("com..x"), "com.app.x"));
  EXPECT_FALSE(pattern_matches(wildcard("com..x"), "com.app.y"));
  EXPECT_FALSE(pattern_matches(wildcard("com..x"), "com.x"));
  EXPECT_FALSE(pattern_matches(wildcard("com..x"), "com.a.x.y"));
  EXPECT_FALSE(pattern_matches(wildcard("com..x"), "com.a.b.x"));
  EXPECT_TRUE(pattern_matches(wildcard("com.."), "com.a.b"));
  EXPECT_FALSE(pattern_matches(wildcard("com.."), "com.a"));
  EXPECT_TRUE(pattern_matches(wildcard(""), "com"));
}

TEST(UriPattern, OverlapIsWhatSomeUriShows) {
  const auto uris = universe();
  for (const UriPattern a : patterns()) {
    for (const UriPattern b : patterns()) {
      bool shown = false;
      for (const std::string& uri : uris)
        shown = shown || (pattern_matches(a, uri) && pattern_matches(b, uri));
      EXPECT_EQ(patterns_overlap(a, b), shown) << name_of(a) << " and " << name_of(b);
    }
  }
}

TEST(UriPattern, CoverIsWhatNoUriDenies) {
  const auto uris = universe();
  for (const UriPattern outer : patterns()) {
    for (const UriPattern inner : patterns()) {
      bool denied = false;
      for (const std::string& uri : uris)
        denied = denied || (pattern_matches(inner, uri) && !pattern_matches(outer, uri));
      // Every URI of the universe has at most four components, real ones have more.
      EXPECT_EQ(pattern_covers(outer, inner), !denied)
          << name_of(outer) << " and " << name_of(inner);
    }
  }
}

TEST(UriPattern, KnowsWhatCanBeAPattern) {
  for (const UriPattern good : {exact("a.b"), exact("com.\u00E9"), prefix(""), prefix("a"),
                                prefix("a."), wildcard(""), wildcard("a..b"), wildcard("..")})
    EXPECT_TRUE(pattern_valid(good)) << name_of(good);
  for (const UriPattern bad :
       {exact(""), exact("a..b"), exact(".a"), exact("a."), exact("a b"), exact("a#"),
        prefix("a..b"), prefix("."), prefix(".a"), prefix("a\n"), wildcard("a. .b"),
        wildcard(std::string_view("a\0b", 3))})
    EXPECT_FALSE(pattern_valid(bad)) << name_of(bad);
  EXPECT_TRUE(pattern_valid(exact(std::string(kUriPatternSizeMax, 'a'))));
  const std::string endless(kUriPatternSizeMax + 1, 'a');
  EXPECT_FALSE(pattern_valid(exact(endless)));
}

}  // namespace
}  // namespace ringcast::auth
