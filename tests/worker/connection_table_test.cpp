// Slots and generations: a name is never given twice, not even to a restarted worker, and is not
// found once its connection has moved on (invariant I2).
#include "worker/connection_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

using ring::test::below;

struct Generations {
  explicit Generations(std::size_t slots) : words(slots) {}
  std::vector<std::atomic<std::uint32_t>> words;
};

// A table with what it needs.
struct Table {
  explicit Table(Generations& generations, std::uint32_t worker = 2)
      : table(worker, generations.words, limits, pool) {}
  wire::FrameLimits limits;
  wire::FrameStatePool pool;
  ConnectionTable table;
};

// As Transport does it.
void end(ConnectionTable& table, Connection& connection) {
  table.advance_generation(connection);
  table.destroy(connection);
}

TEST(ConnectionTable, ANewConnectionHasANameOfItsOwn) {
  Generations generations(4);
  Table t(generations);
  std::set<std::uint64_t> names;
  for (std::uint32_t i = 0; i < 4; ++i) {
    Connection* connection = t.table.create();
    ASSERT_NE(connection, nullptr);
    EXPECT_EQ(connection->id.worker, 2u);
    EXPECT_NE(connection->id.generation, 0u);
    EXPECT_EQ(connection->io_generation, connection->id.generation);
    EXPECT_EQ(t.table.find(connection->id), connection);
    EXPECT_EQ(t.table.in_slot(connection->id.slot), connection);
    names.insert(connection->id.packed());
  }
  EXPECT_EQ(names.size(), 4u);
  EXPECT_EQ(t.table.in_use(), 4u);
}

TEST(ConnectionTable, IsFullAtItsCapacityAndHasRoomAfterAnEnd) {
  Generations generations(2);
  Table t(generations);
  Connection* first = t.table.create();
  t.table.create();
  EXPECT_EQ(t.table.create(), nullptr);
  const std::uint32_t slot = first->id.slot;
  end(t.table, *first);
  EXPECT_EQ(t.table.in_slot(slot), nullptr);
  Connection* again = t.table.create();
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->id.slot, slot);
}

TEST(ConnectionTable, TheOldNameFindsNobodyAsSoonAsTheGenerationMovesOn) {
  Generations generations(1);
  Table t(generations);
  Connection* connection = t.table.create();
  const ring::ConnectionId before = connection->id;
  t.table.advance_generation(*connection);
  EXPECT_EQ(t.table.find(before), nullptr);
  EXPECT_EQ(t.table.find(connection->id), connection);
  EXPECT_EQ(connection->io_generation, before.generation);  // operations in flight still match
  t.table.destroy(*connection);
  EXPECT_EQ(t.table.find(before), nullptr);
  Connection* successor = t.table.create();
  EXPECT_EQ(successor->id.slot, before.slot);
  EXPECT_EQ(t.table.find(before), nullptr);
}

// A second session on one transport has a name of its own, which nobody else gets either.
TEST(ConnectionTable, TheNameAfterAnAdvanceIsNotGivenToTheSuccessor) {
  Generations generations(1);
  Table t(generations);
  std::set<std::uint64_t> names;
  for (int i = 0; i < 10; ++i) {
    Connection* connection = t.table.create();
    EXPECT_TRUE(names.insert(connection->id.packed()).second);
    for (int session = 0; session < 3; ++session) {
      t.table.advance_generation(*connection);
      EXPECT_TRUE(names.insert(connection->id.packed()).second);
    }
    t.table.destroy(*connection);
  }
}

TEST(ConnectionTable, AnotherWorkersNameFindsNobody) {
  Generations generations(1);
  Table t(generations);
  ring::ConnectionId id = t.table.create()->id;
  ++id.worker;
  EXPECT_EQ(t.table.find(id), nullptr);
}

TEST(ConnectionTable, SlotsBeyondTheTableHoldNobody) {
  Generations generations(2);
  Table t(generations);
  EXPECT_EQ(t.table.in_slot(0), nullptr);
  EXPECT_EQ(t.table.in_slot(2), nullptr);
  EXPECT_EQ(t.table.in_slot(UINT32_MAX), nullptr);
}

TEST(ConnectionTable, AGenerationIsNever0NotEvenWhenItComesRound) {
  Generations generations(1);
  generations.words[0] = ring::kGenerationMask - 1;
  Table t(generations);
  Connection* connection = t.table.create();
  EXPECT_EQ(connection->id.generation, ring::kGenerationMask);
  t.table.advance_generation(*connection);
  EXPECT_EQ(connection->id.generation, 1u);
}

TEST(ConnectionTable, ARestartedWorkerUsesNoNameOfBefore) {
  Generations generations(3);
  std::set<std::uint64_t> names;
  for (int incarnation = 0; incarnation < 4; ++incarnation) {
    Table t(generations);
    for (int i = 0; i < 20; ++i) {
      Connection* connection = t.table.create();
      EXPECT_TRUE(names.insert(connection->id.packed()).second);
      // The last ones are in use when the worker dies.
      if (i < 18) end(t.table, *connection);
    }
  }
}

TEST(ConnectionTable, VisitsEveryConnectionInUseInTheOrderOfSlots) {
  Generations generations(5);
  Table t(generations);
  std::vector<Connection*> all;
  for (int i = 0; i < 5; ++i) all.push_back(t.table.create());
  end(t.table, *all[1]);
  end(t.table, *all[4]);
  std::vector<std::uint32_t> slots;
  t.table.for_each([&](Connection& connection) { slots.push_back(connection.id.slot); });
  EXPECT_THAT(slots, testing::ElementsAre(0, 2, 3));
}

TEST(ConnectionTable, AgreesWithAMapOfNamesOverRandomLives) {
  ring::test::Random random(5);
  Generations generations(16);
  Table t(generations);
  std::map<std::uint64_t, Connection*> alive;
  std::vector<ring::ConnectionId> gone;
  for (int step = 0; step < 20000; ++step) {
    if (alive.empty() || below(random, 2) == 0) {
      if (Connection* connection = t.table.create()) {
        ASSERT_TRUE(alive.emplace(connection->id.packed(), connection).second);
      } else {
        ASSERT_EQ(alive.size(), 16u);
      }
    } else {
      auto victim = alive.begin();
      std::advance(victim, below(random, alive.size()));
      gone.push_back(ring::ConnectionId::from_packed(victim->first));
      end(t.table, *victim->second);
      alive.erase(victim);
    }
    ASSERT_EQ(t.table.in_use(), alive.size());
    for (const auto& [name, connection] : alive) {
      ASSERT_EQ(t.table.find(ring::ConnectionId::from_packed(name)), connection);
    }
    if (gone.empty()) continue;
    ASSERT_EQ(t.table.find(gone[below(random, gone.size())]), nullptr);
  }
}

}  // namespace
}  // namespace ringcast::worker
