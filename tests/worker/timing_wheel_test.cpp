// The timing wheel: never early, at most a tick late, one deadline per item, over many rounds.
#include "worker/timing_wheel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

using ring::test::below;
using ring::test::Random;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr TimeMs kTick = TimingWheel::kTickMs;
constexpr TimeMs kRound = kTick * TimingWheel::kBuckets;

std::vector<std::uint32_t> expired(TimingWheel& wheel, TimeMs now) {
  std::vector<std::uint32_t> due;
  wheel.expire(now, due);
  return due;
}

TEST(TimingWheel, FiresNoMillisecondEarlyAndWithinOneTick) {
  for (TimeMs deadline = 1000; deadline < 1000 + 2 * kTick; ++deadline) {
    TimingWheel wheel(1, 1000 - kTick);
    wheel.schedule(0, deadline);
    TimeMs now = 1000 - kTick;
    while (now <= deadline + kTick && expired(wheel, now).empty()) ++now;
    EXPECT_GE(now, deadline);
    EXPECT_LE(now, deadline + kTick);
  }
}

TEST(TimingWheel, FiresEachDeadlineOnce) {
  TimingWheel wheel(2, 0);
  wheel.schedule(0, 100);
  wheel.schedule(1, 100);
  EXPECT_THAT(expired(wheel, 100 + kTick), UnorderedElementsAre(0, 1));
  EXPECT_FALSE(wheel.scheduled(0));
  EXPECT_THAT(expired(wheel, 100 + 3 * kRound), IsEmpty());
}

TEST(TimingWheel, AMovedDeadlineFiresAtItsNewTimeOnly) {
  TimingWheel wheel(1, 0);
  wheel.schedule(0, 100);
  wheel.schedule(0, 1000);
  EXPECT_THAT(expired(wheel, 999), IsEmpty());
  EXPECT_THAT(expired(wheel, 1000 + kTick), ElementsAre(0));
  wheel.schedule(0, 5000);
  wheel.schedule(0, 2000);
  EXPECT_THAT(expired(wheel, 2000 + kTick), ElementsAre(0));
  EXPECT_THAT(expired(wheel, 6000), IsEmpty());
}

TEST(TimingWheel, ACancelledDeadlineDoesNotFireAndLeavesItsNeighbours) {
  // The three share a bucket: the head, the middle and the tail of its list go in turn.
  for (std::uint32_t gone = 0; gone < 3; ++gone) {
    TimingWheel wheel(3, 0);
    for (std::uint32_t item = 0; item < 3; ++item) wheel.schedule(item, 100);
    wheel.cancel(gone);
    wheel.cancel(gone);  // no effect when there is none
    EXPECT_FALSE(wheel.scheduled(gone));
    EXPECT_THAT(expired(wheel, 100 + kTick), UnorderedElementsAre((gone + 1) % 3, (gone + 2) % 3));
  }
}

TEST(TimingWheel, ADeadlineBeyondOneRoundWaitsForItsRound) {
  TimingWheel wheel(2, 0);
  const TimeMs deadline = 3 * kRound + 100;
  wheel.schedule(0, deadline);
  wheel.schedule(1, 100);  // the same bucket, three rounds before
  EXPECT_THAT(expired(wheel, 100 + kTick), ElementsAre(1));
  for (TimeMs now = 200; now < deadline; now += 50) EXPECT_THAT(expired(wheel, now), IsEmpty());
  EXPECT_THAT(expired(wheel, deadline + kTick), ElementsAre(0));
}

TEST(TimingWheel, AfterALongSleepEverythingDueFires) {
  TimingWheel wheel(TimingWheel::kBuckets + 1, 0);
  for (std::uint32_t item = 0; item < TimingWheel::kBuckets; ++item) {
    wheel.schedule(item, item * kTick);
  }
  const std::uint32_t late = TimingWheel::kBuckets;
  wheel.schedule(late, 20 * kRound);
  EXPECT_EQ(expired(wheel, 10 * kRound + 17).size(), TimingWheel::kBuckets);
  EXPECT_THAT(expired(wheel, 20 * kRound + kTick), ElementsAre(late));
}

TEST(TimingWheel, ADeadlineInThePastFiresAtTheNextTick) {
  TimingWheel wheel(1, 10 * kRound);
  wheel.schedule(0, 5);
  EXPECT_THAT(expired(wheel, 10 * kRound + kTick), ElementsAre(0));
}

// Against a table of deadlines that is searched whole each time.
TEST(TimingWheel, AgreesWithAPlainTableOverRandomOperations) {
  constexpr std::uint32_t kItems = 40;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    TimeMs now = below(random, 1u << 20);
    TimingWheel wheel(kItems, now);
    std::vector<std::optional<TimeMs>> deadlines(kItems);
    for (int step = 0; step < 4000; ++step) {
      const auto item = static_cast<std::uint32_t>(below(random, kItems));
      switch (below(random, 8)) {
        case 0:
          wheel.cancel(item);
          deadlines[item].reset();
          break;
        case 1:
        case 2:
        case 3:
          deadlines[item] =
              now + (below(random, 6) == 0 ? below(random, 4 * kRound) : below(random, 2000));
          wheel.schedule(item, *deadlines[item]);
          break;
        default:
          now += below(random, 50) == 0 ? below(random, 3 * kRound) : below(random, 100);
          for (const std::uint32_t due : expired(wheel, now)) {
            ASSERT_TRUE(deadlines[due]) << "seed " << seed << ": nothing was scheduled";
            ASSERT_LE(*deadlines[due], now) << "seed " << seed << ": early";
            deadlines[due].reset();
          }
          for (std::uint32_t i = 0; i < kItems; ++i) {
            ASSERT_EQ(wheel.scheduled(i), deadlines[i].has_value());
            if (!deadlines[i]) continue;
            ASSERT_GT(*deadlines[i] + kTick, now) << "seed " << seed << ": late";
          }
      }
    }
  }
}

}  // namespace
}  // namespace ringcast::worker
