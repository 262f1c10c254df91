// The subscriptions of one session: found by id, whether scanned or indexed, after any removals.
#include "worker/memberships.h"

#include <gtest/gtest.h>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

using ring::test::below;

TEST(Memberships, HoldsNothingAtFirst) {
  const Memberships memberships;
  EXPECT_TRUE(memberships.empty());
  EXPECT_EQ(memberships.find(1), Memberships::kNone);
}

// Subscription ids come from clients: any 64 bits may be looked for.
TEST(Memberships, AnIdThatOnlyAgreesInItsLow32BitsIsNotFound) {
  for (const std::uint32_t count : {1u, 100u}) {
    Memberships memberships;
    for (std::uint32_t id = 1; id <= count; ++id) memberships.push_back({nullptr, id, 0});
    EXPECT_EQ(memberships.find(1), 0u);
    EXPECT_EQ(memberships.find((std::uint64_t{1} << 32) + 1), Memberships::kNone);
  }
}

TEST(Memberships, AgreesWithAPlainListOverRandomOperationsSmallAndLarge) {
  ring::test::Random random(29);
  Memberships memberships;
  std::vector<std::uint32_t> expected;
  std::uint32_t next = 1;
  for (int step = 0; step < 6000; ++step) {
    // Grows to hundreds and shrinks to none, so that it crosses the line of the index both ways.
    const bool growing = step / 500 % 2 == 0;
    if (expected.empty() || below(random, 10) < (growing ? 8u : 2u)) {
      memberships.push_back({nullptr, next, next});
      expected.push_back(next++);
    } else {
      const std::size_t index = below(random, expected.size());
      memberships.erase(index);
      EXPECT_EQ(memberships.find(expected[index]), Memberships::kNone);
      expected[index] = expected.back();
      expected.pop_back();
    }
    ASSERT_EQ(memberships.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(memberships[i].subscription, expected[i]);
      ASSERT_EQ(memberships.find(expected[i]), i);
    }
  }
}

}  // namespace
}  // namespace ringcast::worker
