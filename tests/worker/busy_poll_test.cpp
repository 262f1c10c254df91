#include "worker/busy_poll.h"

#include <gtest/gtest.h>

namespace ringcast::worker {
namespace {

constexpr std::int64_t kBudget = 50'000;

TEST(BusyPoll, IsOffWithoutABudget) {
  BusyPoll poll(0);
  EXPECT_FALSE(poll.enabled());
  poll.idle_ended(1);
  EXPECT_FALSE(poll.worthwhile());
}

TEST(BusyPoll, BeginsAsleepAndStartsOnceWorkComesSoon) {
  BusyPoll poll(kBudget);
  EXPECT_TRUE(poll.enabled());
  EXPECT_FALSE(poll.worthwhile());
  poll.idle_ended(kBudget + 1);
  EXPECT_FALSE(poll.worthwhile());
  poll.idle_ended(kBudget);
  EXPECT_TRUE(poll.worthwhile());
}

TEST(BusyPoll, GivesUpWhenWorkStaysAway) {
  BusyPoll poll(kBudget);
  for (int i = 0; i < 1000; ++i) poll.idle_ended(10);
  int looked = 0;
  for (; poll.worthwhile(); ++looked) poll.idle_ended(250'000'000);
  EXPECT_GE(looked, 8) << "one pause is no reason to stop";
  EXPECT_LE(looked, 32) << "a worker without work must not go on burning its core";
}

TEST(BusyPoll, GoesOnWhileHalfOfTheWorkComesSoon) {
  BusyPoll poll(kBudget);
  poll.idle_ended(10);
  for (int i = 0; i < 1000; ++i) {
    poll.idle_ended(i % 2 == 0 ? 250'000'000 : 10);
    EXPECT_TRUE(poll.worthwhile());
  }
}

TEST(BusyPoll, StaysAsleepWhereWorkSeldomComesSoon) {
  BusyPoll poll(kBudget);
  int worthwhile = 0;
  for (int i = 0; i < 1000; ++i) {
    poll.idle_ended(i % 10 == 0 ? 10 : 250'000'000);
    if (poll.worthwhile()) ++worthwhile;
  }
  EXPECT_LE(worthwhile, 300);
}

}  // namespace
}  // namespace ringcast::worker
