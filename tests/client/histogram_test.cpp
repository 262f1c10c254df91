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
