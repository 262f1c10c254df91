#include "client/bench/histogram.h"

#include <algorithm>
#include <cmath>

namespace ringcast::bench {

std::uint64_t Histogram::bucket_end(std::size_t bucket) {
  constexpr std::size_t kLinear = std::size_t{2} << kSubBits;
  if (bucket < kLinear) return bucket;
  const std::size_t shift = (bucket >> kSubBits) - 1;
  const std::uint64_t mantissa = bucket - (shift << kSubBits);
  return ((mantissa + 1) << shift) - 1;
}

// How many values the percentile covers. A product such as 0.999 * 1000 must not be rounded up to
// one more for an error in its last bit.
std::uint64_t Histogram::rank_of(double percent) const {
  constexpr double kRounding = 1 - 1e-12;
  const double covered = std::clamp(percent, 0.0, 100.0) / 100.0 * static_cast<double>(count_);
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(covered * kRounding)), 1,
                                   count_);
}

std::uint64_t Histogram::percentile(double percent) const {
  if (count_ == 0) return 0;
  const std::uint64_t rank = rank_of(percent);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i + 1 < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(bucket_end(i), max_);
  }
  return max_;
}

std::vector<Histogram::Row> Histogram::rows() const {
  constexpr double kStepsPerHalving = 5;
  std::vector<Row> rows;
  if (count_ == 0) return rows;
  std::size_t bucket = 0;
  std::uint64_t seen = buckets_[0];
  double above = 100;  // percent of the values
  const auto add_row = [&](double percent) {
    const std::uint64_t rank = rank_of(percent);
    while (seen < rank) seen += buckets_[++bucket];
    const bool last = bucket + 1 == kBuckets;
    rows.push_back({last ? max_ : std::min(bucket_end(bucket), max_), percent, seen});
  };
  for (double percent = 0; rank_of(percent) < count_;) {
    add_row(percent);
    // Steps become half as wide when half of what was above is passed.
    while (100 - percent <= above / 2) above /= 2;
    percent += above / 2 / kStepsPerHalving;
  }
  add_row(100);
  return rows;
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

Histogram Histogram::since(const Histogram& earlier) const {
  Histogram between;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    between.buckets_[i] = buckets_[i] - earlier.buckets_[i];
    if (between.buckets_[i] > 0) between.max_ = i + 1 < kBuckets ? bucket_end(i) : max_;
  }
  between.max_ = std::min(between.max_, max_);
  between.count_ = count_ - earlier.count_;
  between.sum_ = sum_ - earlier.sum_;
  return between;
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

}  // namespace ringcast::bench
