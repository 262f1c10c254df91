#include "ring/connection_id.h"

#include <gtest/gtest.h>

#include <set>

namespace ringcast::ring {
namespace {

TEST(ConnectionIdTest, PacksAndUnpacksAtEveryBound) {
  std::set<std::uint64_t> packed;
  for (std::uint32_t worker : {0u, 1u, kWorkersMax - 1}) {
    for (std::uint32_t slot : {0u, 1u, kSlotsMax - 1}) {
      for (std::uint32_t generation : {0u, 1u, kGenerationMask - 1, kGenerationMask}) {
        const ConnectionId id{.worker = worker, .slot = slot, .generation = generation};
        EXPECT_EQ(ConnectionId::from_packed(id.packed()), id);
        EXPECT_TRUE(packed.insert(id.packed()).second) << "two ids share a word";
      }
    }
  }
}

TEST(ConnectionIdTest, FitsThe53BitsOfASessionId) {
  const ConnectionId last{
      .worker = kWorkersMax - 1, .slot = kSlotsMax - 1, .generation = kGenerationMask};
  EXPECT_EQ(last.packed(), (std::uint64_t{1} << 53) - 1);
}

TEST(ConnectionIdTest, BitsAboveThe53AreNotTakenForAnId) {
  const ConnectionId id{.worker = 5, .slot = 77, .generation = 12345};
  EXPECT_EQ(ConnectionId::from_packed(id.packed() | (std::uint64_t{0x7FF} << 53)), id);
}

TEST(ConnectionIdTest, GenerationsCountUp) {
  EXPECT_EQ(next_generation(0), 1u);
  EXPECT_EQ(next_generation(1), 2u);
  EXPECT_EQ(next_generation(kGenerationMask - 1), kGenerationMask);
}

TEST(ConnectionIdTest, GenerationWrapsToOneBecauseZeroIsNobody) {
  EXPECT_EQ(next_generation(kGenerationMask), 1u);
  // A word scribbled in the segment leads back into the range as well.
  EXPECT_EQ(next_generation(0xFFFFFFFF), 1u);
  EXPECT_LE(next_generation(0xFFFFFFFE), kGenerationMask);
}

}  // namespace
}  // namespace ringcast::ring
