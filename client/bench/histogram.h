// Counts durations in log-linear buckets: every value is kept to within 0.8 %, from a nanosecond to
// eighteen minutes, at a cost of a few instructions and 36 KB. One thread. Plain bytes: processes
// may hand it to each other as it lies in memory.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace ringcast::bench {

class Histogram {
 public:
  // Negative durations count as 0; those beyond the range count in the last bucket, max() keeps
  // them.
  void record(std::int64_t ns, std::uint64_t times = 1) {
    const std::uint64_t value = ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
    buckets_[bucket_of(value)] += times;
    count_ += times;
    sum_ += value * times;
    if (value > max_) max_ = value;
  }

  // The value that `percent` of the recorded ones do not exceed, rounded up to its bucket's end,
  // but never above max(); 0 if nothing was recorded.
  std::uint64_t percentile(double percent) const;

  // The distribution as HdrHistogram prints it: five steps for each halving of what lies above,
  // from 0 % to the last value. Empty if nothing was recorded.
  struct Row {
    std::uint64_t value = 0;
    double percent = 0;
    std::uint64_t count = 0;  // values up to here
  };
  std::vector<Row> rows() const;

  // As if everything that `other` recorded had been recorded here too.
  void add(const Histogram& other);
  // What was recorded since this was a copy of `earlier`. Its max() is rounded up to the bucket's
  // end.
  Histogram since(const Histogram& earlier) const;

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  double mean() const;

 private:
  // Below 2^8 a bucket is one value; above, each power of two has 2^7 buckets.
  static constexpr unsigned kSubBits = 7;
  static constexpr unsigned kRangeBits = 40;
  static constexpr std::size_t kBuckets =
      (std::size_t{kRangeBits - kSubBits - 1} << kSubBits) + (std::size_t{2} << kSubBits);

  static std::size_t bucket_of(std::uint64_t value) {
    const unsigned width = static_cast<unsigned>(std::bit_width(value | 1));
    if (width > kRangeBits) return kBuckets - 1;
    const unsigned shift = width > kSubBits + 1 ? width - kSubBits - 1 : 0;
    return (std::size_t{shift} << kSubBits) + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t bucket_end(std::size_t bucket);
  std::uint64_t rank_of(double percent) const;

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};
static_assert(std::is_trivially_copyable_v<Histogram>);

}  // namespace ringcast::bench
