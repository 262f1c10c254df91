// What the tests of ring/ share: seeded random numbers, test bytes that tell where they came from,
// a segment without ceremony, and the bound after which a concurrent test gives up instead of
// hanging.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "ring/segment.h"

#if defined(__SANITIZE_THREAD__)
#define RINGCAST_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RINGCAST_UNDER_TSAN 1
#endif
#endif

namespace ringcast::ring::test {

// ThreadSanitizer sees in one round what others need many for, and takes several times as long for
// it.
#ifdef RINGCAST_UNDER_TSAN
inline constexpr std::uint64_t kRoundsDivisor = 4;
#else
inline constexpr std::uint64_t kRoundsDivisor = 1;
#endif

using Random = std::mt19937_64;

inline std::uint64_t below(Random& random, std::uint64_t end) { return random() % end; }

// No verdict on speed: a concurrent test that makes no end within this has lost something.
class Patience {
 public:
  bool over() const { return std::chrono::steady_clock::now() > end_; }

 private:
  std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(120);
};

// `size` bytes of which every eight depend on the seed and on where they stand.
inline void fill_pattern(char* to, std::size_t size, std::uint64_t seed) {
  std::uint64_t x = seed;
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 8 == 0) x = (x + 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
    to[i] = static_cast<char>(x >> (i % 8 * 8));
  }
}

inline bool has_pattern(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t x = seed;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 8 == 0) x = (x + 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
    if (bytes[i] != static_cast<char>(x >> (i % 8 * 8))) return false;
  }
  return true;
}

inline std::unique_ptr<Segment> segment_or_fail(Segment::Result result) {
  if (auto* error = std::get_if<SegmentError>(&result)) {
    ADD_FAILURE() << error->message;
    return nullptr;
  }
  return std::move(std::get<std::unique_ptr<Segment>>(result));
}

inline std::string error_of(const Segment::Result& result) {
  const auto* error = std::get_if<SegmentError>(&result);
  return error != nullptr ? error->message : std::string();
}

}  // namespace ringcast::ring::test
