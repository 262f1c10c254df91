#include "ring/session_id.h"

#include <bit>
#include <unordered_set>

#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

using test::below;

constexpr SessionKey kKey{0x0123456789ABCDEF, 0xFEDCBA9876543210};
constexpr std::uint64_t kSessionIdMax = (std::uint64_t{1} << 53) - 1;

ConnectionId random_connection(test::Random& random) {
  ConnectionId id = ConnectionId::from_packed(random());
  if (id.generation == 0) id.generation = 1;
  return id;
}

TEST(SessionIdTest, LeadsBackToItsConnectionAtTheBounds) {
  for (std::uint32_t worker : {0u, 1u, kWorkersMax - 1}) {
    for (std::uint32_t slot : {0u, 1u, kSlotsMax - 1}) {
      for (std::uint32_t generation : {1u, 2u, kGenerationMask}) {
        const ConnectionId id{.worker = worker, .slot = slot, .generation = generation};
        const std::uint64_t session = session_id_of(id, kKey);
        EXPECT_GE(session, 1u);
        EXPECT_LE(session, kSessionIdMax);
        EXPECT_EQ(connection_of_session(session, kKey), id);
      }
    }
  }
}

TEST(SessionIdTest, IsOneToOneWithinItsRange) {
  test::Random random(1);
  std::unordered_set<std::uint64_t> connections, sessions;
  for (int round = 0; round < 100'000; ++round) {
    const ConnectionId id = random_connection(random);
    const std::uint64_t session = session_id_of(id, kKey);
    ASSERT_GE(session, 1u);
    ASSERT_LE(session, kSessionIdMax);
    ASSERT_EQ(connection_of_session(session, kKey), id);
    connections.insert(id.packed());
    sessions.insert(session);
  }
  EXPECT_EQ(sessions.size(), connections.size());
}

TEST(SessionIdTest, NoGarbageFromOutsideNamesAForeignConnection) {
  for (std::uint64_t garbage :
       {std::uint64_t{0}, kSessionIdMax + 1, kSessionIdMax + 2, std::uint64_t{1} << 54,
        std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    EXPECT_EQ(connection_of_session(garbage, kKey).generation, 0u) << garbage;
  }
  test::Random random(2);
  for (int round = 0; round < 100'000; ++round) {
    const std::uint64_t garbage = random() >> below(random, 64);
    const ConnectionId id = connection_of_session(garbage, kKey);
    if (id.generation != 0) {
      ASSERT_EQ(session_id_of(id, kKey), garbage);
    }
  }
}

TEST(SessionIdTest, AnotherKeyMeansOtherIds) {
  test::Random random(3);
  for (const SessionKey& other :
       {SessionKey{kKey[0] ^ 1, kKey[1]}, SessionKey{kKey[0], ~kKey[1]}}) {
    int same = 0;
    for (int round = 0; round < 10'000; ++round) {
      const ConnectionId id = random_connection(random);
      same += session_id_of(id, kKey) == session_id_of(id, other) ? 1 : 0;
    }
    EXPECT_EQ(same, 0);
  }
}

// The specification wants ids that look drawn at random: whichever bit of the connection changes,
// about half of the 53 bits of its session id do.
TEST(SessionIdTest, NeighboursShareNoLikeness) {
  test::Random random(4);
  for (unsigned bit = 0; bit < kConnectionIdBits; ++bit) {
    std::uint64_t flipped = 0;
    std::uint64_t pairs = 0;
    for (int round = 0; round < 2000; ++round) {
      const ConnectionId id = random_connection(random);
      const auto neighbour = ConnectionId::from_packed(id.packed() ^ (std::uint64_t{1} << bit));
      if (neighbour.generation == 0) continue;
      const std::uint64_t difference = session_id_of(id, kKey) ^ session_id_of(neighbour, kKey);
      flipped += static_cast<std::uint64_t>(std::popcount(difference));
      ++pairs;
    }
    const double mean = static_cast<double>(flipped) / static_cast<double>(pairs);
    EXPECT_GT(mean, 53 * 0.45) << "bit " << bit;
    EXPECT_LT(mean, 53 * 0.55) << "bit " << bit;
  }
}

}  // namespace
}  // namespace ringcast::ring
