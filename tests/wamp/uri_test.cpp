#include "wire/uri.h"

#include <gtest/gtest.h>

#include <string>

namespace ringcast::wire {
namespace {

struct Case {
  std::string uri;
  bool loose, strict, loose_prefix, strict_prefix, loose_wildcard, strict_wildcard;
};

const Case kCases[] = {
    {"a", true, true, true, true, true, true},
    {"com.myapp.topic1", true, true, true, true, true, true},
    {"com.my_app.0", true, true, true, true, true, true},
    {"", false, false, true, true, true, true},
    {".", false, false, false, false, true, true},
    {"a.", false, false, true, true, true, true},
    {".a", false, false, false, false, true, true},
    {"a..b", false, false, false, false, true, true},
    {"a..", false, false, false, false, true, true},
    {"com..topic.", false, false, false, false, true, true},
    {"com.My-App", true, false, true, false, true, false},
    {"Com.app.", false, false, true, false, true, false},
    {"com.größe.日本", true, false, true, false, true, false},
    {"a b", false, false, false, false, false, false},
    {"a.b#c", false, false, false, false, false, false},
    {"#", false, false, false, false, false, false},
    {"a\tb", false, false, false, false, false, false},
    {"a\n", false, false, false, false, false, false},
    {"a\v", false, false, false, false, false, false},
    {"a\f", false, false, false, false, false, false},
    {"a\r", false, false, false, false, false, false},
    {"a!$%&/()=?*+~<>|{}[]@", true, false, true, false, true, false},
    {std::string("a\0b", 3), true, false, true, false, true, false},
};

TEST(Uri, rules) {
  for (const Case& c : kCases) {
    EXPECT_EQ(uri_valid(c.uri, UriRule::loose), c.loose) << c.uri;
    EXPECT_EQ(uri_valid(c.uri, UriRule::strict), c.strict) << c.uri;
    EXPECT_EQ(uri_valid(c.uri, UriRule::loose, MatchPolicy::prefix), c.loose_prefix) << c.uri;
    EXPECT_EQ(uri_valid(c.uri, UriRule::strict, MatchPolicy::prefix), c.strict_prefix) << c.uri;
    EXPECT_EQ(uri_valid(c.uri, UriRule::loose, MatchPolicy::wildcard), c.loose_wildcard) << c.uri;
    EXPECT_EQ(uri_valid(c.uri, UriRule::strict, MatchPolicy::wildcard), c.strict_wildcard) << c.uri;
  }
}

TEST(Uri, unicode_white_space_is_refused_and_its_neighbours_are_not) {
  for (const char* space : {"\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
                            "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A",
                            "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"}) {
    EXPECT_FALSE(uri_valid(std::string("a") + space + "b", UriRule::loose)) << space;
    EXPECT_FALSE(uri_valid(space, UriRule::loose)) << space;
  }
  for (const char* other : {"\u0084", "\u0086", "\u00A1", "\u1681", "\u1FFF", "\u200B", "\u2027",
                            "\u202A", "\u2030", "\u205E", "\u2060", "\u3001", "\u2680", "🎈"}) {
    EXPECT_TRUE(uri_valid(std::string("a") + other, UriRule::loose)) << other;
  }
}

TEST(Uri, length_is_bounded) {
  EXPECT_TRUE(uri_valid(std::string(kUriSizeMax, 'a'), UriRule::strict));
  EXPECT_FALSE(uri_valid(std::string(kUriSizeMax + 1, 'a'), UriRule::loose));
}

TEST(Uri, the_routers_own) {
  for (const char* reserved : {"wamp", "wamp.", "wamp.session.on_join"})
    EXPECT_TRUE(uri_reserved(reserved));
  for (const char* free : {"", "wam", "wampy", "wampy.x", "com.wamp.x", "Wamp.x"})
    EXPECT_FALSE(uri_reserved(free));
}

}  // namespace
}  // namespace ringcast::wire
