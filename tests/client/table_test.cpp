#include "client/cli/table.h"

#include <gtest/gtest.h>

namespace ringcast::test {
namespace {

using cli::table;

TEST(Table, AlignsColumnsNumbersOnTheRight) {
  EXPECT_EQ(table({{"ID", "NAME", "N"}, {"7", "a", "10"}, {"123", "long", "9"}}),
            " ID  NAME   N\n"
            "  7  a     10\n"
            "123  long   9\n");
}

TEST(Table, CountsCodePointsAndLeavesNoSpaceAtTheEnd) {
  EXPECT_EQ(table({{"A", "B"}, {"äö", "x"}, {"abc", ""}}), "A    B\näö   x\nabc\n");
}

TEST(Table, ShowsNoControlCharacters) {
  EXPECT_EQ(table({{"A"}, {"x\x1b[31m\n"}}), "A\nx?[31m?\n");
}

TEST(Table, AHeadingAloneIsATableToo) { EXPECT_EQ(table({{"A", "BC"}}), "A  BC\n"); }

}  // namespace
}  // namespace ringcast::test
