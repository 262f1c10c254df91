// A topic's array of subscribers: as a vector does it, on both sides of the line between the one
// that lies inside and many outside.
#include "worker/subscribers.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

TEST(Subscribers, AgreesWithAVectorOverRandomGrowthAndRemovals) {
  ring::test::Random random(43);
  Subscribers subscribers;
  std::vector<std::uint32_t> expected;
  for (std::uint32_t step = 0; step < 30000; ++step) {
    // Crosses from none to hundreds and back, many times.
    const bool growing = step / 300 % 2 == 0;
    if (expected.empty() || ring::test::below(random, 10) < (growing ? 8u : 2u)) {
      subscribers.push_back({.slot = step, .membership = step + 1});
      expected.push_back(step);
    } else {
      const std::size_t index = ring::test::below(random, expected.size());
      subscribers[index] = subscribers.back();
      subscribers.pop_back();
      expected[index] = expected.back();
      expected.pop_back();
    }
    ASSERT_EQ(subscribers.size(), expected.size());
    ASSERT_EQ(subscribers.empty(), expected.empty());
    std::size_t at = 0;
    for (const Subscriber& subscriber : subscribers) {
      ASSERT_EQ(subscriber.slot, expected[at++]);
      ASSERT_EQ(subscriber.membership, subscriber.slot + 1);
    }
    ASSERT_EQ(at, expected.size());
  }
}

}  // namespace
}  // namespace ringcast::worker
