#include "client/bench/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace ringcast::bench {
namespace {

TEST(Histogram, SaysNothingOfNothing) {
  const Histogram h;
  EXPECT_EQ(h.count(), 0u);
  EXPECT_EQ(h.percentile(50), 0u);
  EXPECT_EQ(h.max(), 0u);
  EXPECT_EQ(h.mean(), 0.0);
}

TEST(Histogram, IsExactForSmallValues) {
  Histogram h;
  for (int value = 1; value <= 100; ++value) h.record(value);
  EXPECT_EQ(h.percentile(50), 50u);
  EXPECT_EQ(h.percentile(99), 99u);
  EXPECT_EQ(h.percentile(99.9), 100u);
  EXPECT_EQ(h.percentile(100), 100u);
  EXPECT_EQ(h.percentile(0), 1u);
  EXPECT_EQ(h.mean(), 50.5);
}

TEST(Histogram, KeepsEveryMagnitudeToWithinOnePercent) {
  for (std::int64_t value = 1; value < (std::int64_t{1} << 40); value = value * 5 / 4 + 1) {
    Histogram h;
    h.record(value);
    h.record(std::int64_t{1} << 40);  // so that max() does not hide the rounding
    const double found = static_cast<double>(h.percentile(50));
    EXPECT_GE(found, static_cast<double>(value));
    EXPECT_LE(found, static_cast<double>(value) * 1.008) << value;
  }
}

TEST(Histogram, NeighbouringValuesNeverChangePlaces) {
  // Around every power of two, where the bucket width doubles.
  for (unsigned bits = 3; bits < 39; ++bits) {
    const std::int64_t edge = std::int64_t{1} << bits;
    std::uint64_t previous = 0;
    for (std::int64_t value = edge - 3; value <= edge + 3; ++value) {
      Histogram h;
      h.record(value);
      h.record(std::int64_t{1} << 40);
      EXPECT_GE(h.percentile(50), previous);
      previous = h.percentile(50);
    }
  }
}

TEST(Histogram, AgreesWithSortingOnRandomLatencies) {
  Histogram h;
  std::vector<std::int64_t> values;
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latency(11.0, 1.5);  // around 60 µs with a long tail
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<std::int64_t>(latency(random)));
    h.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {50.0, 90.0, 99.0, 99.9}) {
    const auto rank = static_cast<std::size_t>(std::ceil(percent / 100.0 * 100'000)) - 1;
    const double exact = static_cast<double>(values[rank]);
    EXPECT_NEAR(static_cast<double>(h.percentile(percent)), exact, exact * 0.01) << percent;
  }
  EXPECT_EQ(h.max(), static_cast<std::uint64_t>(values.back()));
}

TEST(Histogram, FindsTheRareOnesAtTheFarEnd) {
  Histogram h;
  for (int i = 0; i < 99'990; ++i) h.record(10);
  for (int i = 0; i < 9; ++i) h.record(100);
  h.record(200);
  EXPECT_EQ(h.percentile(99.99), 10u);
  EXPECT_EQ(h.percentile(99.991), 100u);
  EXPECT_EQ(h.percentile(99.999), 100u);
  EXPECT_EQ(h.percentile(100), 200u);
}

TEST(Histogram, RanksAreNotRoundedUpByAnErrorInTheLastBit) {
  for (const std::int64_t count : {1'000, 10'000, 100'000, 1'000'000}) {
    Histogram h;
    const std::int64_t rare = count / 1'000;
    for (std::int64_t i = 0; i < count - rare; ++i) h.record(1);
    for (std::int64_t i = 0; i < rare; ++i) h.record(2);
    EXPECT_EQ(h.percentile(99.9), 1u) << count;
  }
}

TEST(Histogram, MergedIsAsIfRecordedInOne) {
  Histogram all;
  Histogram parts[3];
  std::mt19937_64 random(11);
  for (int i = 0; i < 30'000; ++i) {
    const auto value = static_cast<std::int64_t>(random() % (1u << (10 + i % 20)));
    all.record(value);
    parts[i % 3].record(value);
  }
  all.record(INT64_C(1) << 35);  // the most comes last
  parts[2].record(INT64_C(1) << 35);
  Histogram merged = parts[0];
  merged.add(parts[1]);
  merged.add(parts[2]);
  EXPECT_EQ(merged.count(), all.count());
  EXPECT_EQ(merged.max(), all.max());
  EXPECT_EQ(merged.mean(), all.mean());
  for (double percent = 0; percent <= 100; percent += 0.1) {
    EXPECT_EQ(merged.percentile(percent), all.percentile(percent)) << percent;
  }
}

TEST(Histogram, TellsWhatCameSince) {
  Histogram h;
  for (int i = 0; i < 1'000; ++i) h.record(1'000'000);
  const Histogram before = h;
  EXPECT_EQ(h.since(before).count(), 0u);
  EXPECT_EQ(h.since(before).max(), 0u);
  for (int value = 1; value <= 100; ++value) h.record(value);
  const Histogram since = h.since(before);
  EXPECT_EQ(since.count(), 100u);
  EXPECT_EQ(since.percentile(99), 99u);
  EXPECT_EQ(since.max(), 100u);
  EXPECT_EQ(since.mean(), 50.5);
}

TEST(Histogram, RowsGoFromTheLeastToTheMostInEverFinerSteps) {
  EXPECT_TRUE(Histogram().rows().empty());
  Histogram h;
  for (int value = 1; value <= 100'000; ++value) h.record(value);
  const std::vector<Histogram::Row> rows = h.rows();
  EXPECT_EQ(rows.front().percent, 0.0);
  EXPECT_EQ(rows.front().value, 1u);
  EXPECT_EQ(rows.back().percent, 100.0);
  EXPECT_EQ(rows.back().value, 100'000u);
  EXPECT_EQ(rows.back().count, 100'000u);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_GT(rows[i].percent, rows[i - 1].percent);
    EXPECT_GE(rows[i].value, rows[i - 1].value);
    EXPECT_EQ(rows[i].value, h.percentile(rows[i].percent));
    // `count` is exact: these many of 1, 2, 3, … are no more than the bucket's end.
    EXPECT_EQ(rows[i].count, rows[i].value);
  }
  // 17 halvings of 100,000 down to one, five steps each.
  EXPECT_NEAR(static_cast<double>(rows.size()), 17 * 5, 6);
}

TEST(Histogram, TakesImpossibleValuesWithoutHarm) {
  Histogram h;
  h.record(-5);
  h.record(INT64_MAX);
  EXPECT_EQ(h.count(), 2u);
  EXPECT_EQ(h.percentile(50), 0u);
  EXPECT_EQ(h.percentile(100), static_cast<std::uint64_t>(INT64_MAX));
}

}  // namespace
}  // namespace ringcast::bench
