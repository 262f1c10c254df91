// The fan-out log: contiguous wherever it wraps, and bounded by its floor.
#include "worker/fanout_log.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <string_view>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

using ring::test::below;
using ring::test::fill_pattern;
using ring::test::has_pattern;
using ring::test::Random;

LogRange write(FanoutLog& log, std::size_t size, std::uint64_t seed) {
  fill_pattern(log.write_pointer(size), size, seed);
  return log.commit(size);
}

std::string_view bytes(const FanoutLog& log, LogRange range) {
  return {log.at(range.begin), range.size()};
}

TEST(FanoutLog, RoundsItsCapacityUpToWholePages) {
  EXPECT_EQ(FanoutLog(1).capacity(), 4096u);
  EXPECT_EQ(FanoutLog(4096).capacity(), 4096u);
  EXPECT_EQ(FanoutLog(4097).capacity(), 8192u);
}

TEST(FanoutLog, NeedsNoFloorUntilItHasFilledOnce) {
  FanoutLog log(4096);
  EXPECT_EQ(log.floor_needed(4096), 0u);
  EXPECT_EQ(log.floor_needed(4096 - 1), 0u);
  write(log, 4000, 1);
  EXPECT_EQ(log.floor_needed(96), 0u);
  EXPECT_EQ(log.floor_needed(97), 1u);
  EXPECT_EQ(log.floor_needed(4096), 4000u);
}

TEST(FanoutLog, ARangeThatWrapsIsContiguousAtEveryOffset) {
  for (std::size_t before = 4096 - 64; before <= 4096; ++before) {
    FanoutLog log(4096);
    write(log, before, 1);
    log.raise_floor(before);
    const LogRange wrapped = write(log, 128, 7);
    EXPECT_EQ(wrapped.begin, before);
    EXPECT_TRUE(has_pattern(bytes(log, wrapped), 7)) << before;
  }
}

// What is drained again and again touches no more memory than is in it at once.
TEST(FanoutLog, AfterARewindTheSameMemoryIsWrittenAgainUnderNewPositions) {
  FanoutLog log(4096);
  const char* begin = log.write_pointer(100);
  std::uint64_t end = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(log.write_pointer(100), begin);
    const LogRange range = write(log, 100, i);
    EXPECT_EQ(range.begin, end);
    EXPECT_TRUE(has_pattern(bytes(log, range), i));
    end = range.end;
    log.rewind();
    EXPECT_EQ(log.floor(), end);
  }
}

TEST(FanoutLog, IsAsLargeAndAsContiguousAfterARewindAsBefore) {
  FanoutLog log(4096);
  write(log, 1000, 1);
  log.rewind();
  EXPECT_LE(log.floor_needed(4096), log.floor());
  const LogRange whole = write(log, 4096, 2);
  EXPECT_TRUE(has_pattern(bytes(log, whole), 2));
  log.raise_floor(log.floor() + 500);
  const LogRange wrapped = write(log, 500, 3);
  EXPECT_TRUE(has_pattern(bytes(log, wrapped), 3));
}

TEST(FanoutLog, TheWholeCapacityIsContiguousFromAnywhere) {
  FanoutLog log(4096);
  write(log, 1000, 1);
  log.raise_floor(1000);
  const LogRange whole = write(log, 4096, 9);
  EXPECT_TRUE(has_pattern(bytes(log, whole), 9));
}

// A queue goes on from any position, in whichever half of the mapping its range was written.
TEST(FanoutLog, EveryPositionOfARangeThatWrapsReadsTheSameFromWhereverOneBegins) {
  FanoutLog log(4096);
  write(log, 4000, 1);
  log.raise_floor(4000);
  const LogRange wrapped = write(log, 300, 7);
  const std::string whole(bytes(log, wrapped));
  for (std::uint64_t from = wrapped.begin; from < wrapped.end; ++from) {
    ASSERT_EQ(bytes(log, {from, wrapped.end}), whole.substr(from - wrapped.begin));
  }
}

TEST(FanoutLog, PositionsCountUpForEver) {
  FanoutLog log(4096);
  std::uint64_t expected = 0;
  for (int i = 0; i < 1000; ++i) {
    log.raise_floor(log.end());
    const LogRange range = write(log, 777, 1);
    EXPECT_EQ(range.begin, expected);
    expected += 777;
    EXPECT_EQ(range.end, expected);
    EXPECT_EQ(log.end(), expected);
  }
}

// What lies above the floor is never overwritten, whatever is written.
TEST(FanoutLog, KeepsWhatTheFloorHasNotPassed) {
  Random random(3);
  FanoutLog log(8192);
  struct Kept {
    LogRange range;
    std::uint64_t seed;
  };
  std::deque<Kept> kept;
  for (std::uint64_t step = 1; step < 5000; ++step) {
    const std::size_t size = 1 + below(random, below(random, 10) == 0 ? 8192 : 600);
    const std::uint64_t floor = std::max(log.floor(), log.floor_needed(size));
    while (!kept.empty() && kept.front().range.begin < floor) kept.pop_front();
    log.raise_floor(floor);
    kept.push_back({write(log, size, step), step});
    for (const Kept& k : kept) ASSERT_TRUE(has_pattern(bytes(log, k.range), k.seed)) << step;
  }
}

}  // namespace
}  // namespace ringcast::worker
