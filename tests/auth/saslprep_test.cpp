#include "auth/saslprep.h"

#include <gtest/gtest.h>

#include "tests/auth/support.h"

namespace ringcast::auth {
namespace {

TEST(Saslprep, GivesTheExamplesOfRfc4013) {
  EXPECT_EQ(*saslprep("I\u00ADX"), "IX");  // a soft hyphen is mapped to nothing
  EXPECT_EQ(*saslprep("user"), "user");
  EXPECT_EQ(*saslprep("USER"), "USER");    // case is kept
  EXPECT_EQ(*saslprep("\u00AA"), "a");     // NFKC
  EXPECT_EQ(*saslprep("\u2168"), "IX");    // NFKC
  EXPECT_FALSE(saslprep("\u0007"));        // prohibited
  EXPECT_FALSE(saslprep("\u0627\u0031"));  // a character of the other direction at its end
}

TEST(Saslprep, ComposesWhatWasTypedInTwoWays) {
  EXPECT_EQ(*saslprep("e\u0301"), "\u00E9");
  EXPECT_EQ(*saslprep("a\u00A0b"), "a b");
}

TEST(Saslprep, KeepsWhatUnicode32DidNotKnow) { EXPECT_EQ(*saslprep("\U0001F511"), "\U0001F511"); }

TEST(Saslprep, RefusesWhatIsNoText) {
  EXPECT_FALSE(saslprep("\xFF"));
  EXPECT_FALSE(saslprep("a\xC3"));
  EXPECT_FALSE(saslprep("\xC0\xAF"));
  EXPECT_FALSE(saslprep(std::string_view("a\0b", 3)));
  EXPECT_FALSE(saslprep(std::string_view("\u00E9\0b", 4)));
}

TEST(Saslprep, RefusesBeyondItsLimit) {
  EXPECT_TRUE(saslprep(std::string(kPasswordSizeMax, 'a')));
  EXPECT_FALSE(saslprep(std::string(kPasswordSizeMax + 1, 'a')));
}

}  // namespace
}  // namespace ringcast::auth
