// Points in time in RFC 3339: the examples of its section 5.8, and what is none.
#include "worker/rfc3339.h"

#include <gtest/gtest.h>

namespace ringcast::worker {
namespace {

TEST(Rfc3339, WritesMillisecondsInUtc) {
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(482196050520), "1985-04-12T23:20:50.520Z");
  EXPECT_EQ(to_rfc3339(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339(951782400001), "2000-02-29T00:00:00.001Z");
}

TEST(Rfc3339, ReadsTheExamplesOfItsSection) {
  EXPECT_EQ(from_rfc3339("1985-04-12T23:20:50.52Z"), 482196050520);
  EXPECT_EQ(from_rfc3339("1996-12-19T16:39:57-08:00"), from_rfc3339("1996-12-20T00:39:57Z"));
  EXPECT_EQ(from_rfc3339("1990-12-31T23:59:60Z"), from_rfc3339("1991-01-01T00:00:00Z"));
  EXPECT_EQ(from_rfc3339("1990-12-31T15:59:60-08:00"), from_rfc3339("1991-01-01T00:00:00Z"));
  EXPECT_EQ(from_rfc3339("1937-01-01T12:00:27.87+00:20"), from_rfc3339("1937-01-01T11:40:27.87Z"));
}

TEST(Rfc3339, WhatIsWrittenIsReadAgain) {
  for (std::int64_t time_ms = -40'000'000'000'000; time_ms < 200'000'000'000'000;
       time_ms += 98'765'432'101) {
    ASSERT_EQ(from_rfc3339(to_rfc3339(time_ms)), time_ms);
  }
}

TEST(Rfc3339, LowerCaseASpaceAndLongFractionsAreAllowed) {
  EXPECT_EQ(from_rfc3339("1985-04-12t23:20:50.5209999z"), 482196050520);
  EXPECT_EQ(from_rfc3339("1985-04-12 23:20:50.52Z"), 482196050520);
}

TEST(Rfc3339, AnythingElseIsRefused) {
  for (const char* text :
       {"", "1985-04-12", "1985-04-12T23:20:50", "1985-04-12T23:20Z", "1985-4-12T23:20:50Z",
        "1985-13-12T23:20:50Z", "1985-02-29T23:20:50Z", "1985-04-12T24:20:50Z",
        "1985-04-12T23:60:50Z", "1985-04-12T23:20:61Z", "1985-04-12T23:20:50.Z",
        "1985-04-12T23:20:50Zx", "1985-04-12T23:20:50+0100", "1985-04-12T23:20:50+01:00Z",
        "-985-04-12T23:20:50Z", "85-04-12T23:20:50Z", "now", "1985-04-12T23:20:50+24:00"}) {
    EXPECT_FALSE(from_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace ringcast::worker
