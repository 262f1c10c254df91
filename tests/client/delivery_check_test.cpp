#include "client/bench/delivery_check.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace ringcast::bench {
namespace {

struct Seen {
  CheckCounts counts;
  std::uint64_t settled = 0;
};

// What a subscriber that got these, of `sent` messages, makes of them.
Seen check(std::initializer_list<std::uint64_t> arrivals, std::uint64_t sent) {
  SequenceCheck sequence;
  Seen seen;
  for (const std::uint64_t arrival : arrivals) {
    const auto settled = sequence.arrive(arrival, 1, seen.counts);
    seen.settled += settled.end - settled.first;
  }
  sequence.finish(sent, seen.counts);
  return seen;
}

TEST(SequenceCheck, PassesWhatIsInOrder) {
  const Seen seen = check({0, 1, 2, 3}, 4);
  EXPECT_TRUE(seen.counts.all_zero());
  EXPECT_EQ(seen.settled, 4u);
}

TEST(SequenceCheck, BeginsWhereItIsTold) {
  SequenceCheck sequence(7);
  CheckCounts counts;
  for (const std::uint64_t arrival : {7, 9}) sequence.arrive(arrival, 1, counts);
  sequence.finish(10, counts);
  EXPECT_EQ(counts.lost, 1u);
  EXPECT_EQ(counts.sum(), 1u);
}

TEST(SequenceCheck, TakesMessagesInARowAsOneByOne) {
  // From there on so many: as due; behind a gap; into the gap; half of it again; wholly again.
  using Run = std::pair<std::uint64_t, std::uint64_t>;
  SequenceCheck at_once;
  SequenceCheck one_by_one;
  CheckCounts counts;
  CheckCounts expected;
  for (const auto& [first, count] : {Run{0, 4}, Run{7, 3}, Run{3, 3}, Run{8, 4}, Run{0, 2}}) {
    const SequenceCheck::Settled settled = at_once.arrive(first, count, counts);
    EXPECT_EQ(settled.first, one_by_one.next());
    for (std::uint64_t i = 0; i < count; ++i) one_by_one.arrive(first + i, 1, expected);
    EXPECT_EQ(settled.end, one_by_one.next());
  }
  at_once.finish(13, counts);
  one_by_one.finish(13, expected);
  EXPECT_EQ(counts.duplicate, 1u + 2u + 2u);
  EXPECT_EQ(counts.out_of_order, 2u);
  EXPECT_EQ(counts.lost, 1u + 1u);
  EXPECT_EQ(expected.duplicate, counts.duplicate);
  EXPECT_EQ(expected.out_of_order, counts.out_of_order);
  EXPECT_EQ(expected.lost, counts.lost);
}

TEST(SequenceCheck, CountsGapsAsLost) {
  EXPECT_EQ(check({0, 1, 5, 6}, 7).counts.lost, 3u);
  EXPECT_EQ(check({2}, 3).counts.lost, 2u);
}

TEST(SequenceCheck, CountsAMissingEndAsLost) {
  EXPECT_EQ(check({0, 1}, 4).counts.lost, 2u);
  EXPECT_EQ(check({}, 4).counts.lost, 4u);
}

TEST(SequenceCheck, CountsLatecomersAsOutOfOrderNotLost) {
  const Seen seen = check({0, 2, 1, 3}, 4);
  EXPECT_EQ(seen.counts.out_of_order, 1u);
  EXPECT_EQ(seen.counts.lost, 0u);
  EXPECT_EQ(seen.counts.duplicate, 0u);
}

TEST(SequenceCheck, FillsAGapFromAnySide) {
  const Seen seen = check({0, 9, 5, 1, 8, 4, 2, 3, 7, 6}, 10);
  EXPECT_EQ(seen.counts.out_of_order, 8u);
  EXPECT_EQ(seen.counts.lost, 0u);
  EXPECT_EQ(seen.counts.duplicate, 0u);
}

TEST(SequenceCheck, CountsRepetitionsAsDuplicates) {
  EXPECT_EQ(check({0, 0, 1, 1, 1}, 2).counts.duplicate, 3u);
  EXPECT_EQ(check({0, 2, 1, 1}, 3).counts.duplicate, 1u);  // a latecomer that came twice
}

TEST(SequenceCheck, SettlesEachSequenceNumberOnce) {
  EXPECT_EQ(check({0, 3, 1, 2, 2, 0, 4}, 5).settled, 5u);
}

}  // namespace
}  // namespace ringcast::bench
