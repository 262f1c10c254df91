// Two and three ends of the rings over one segment, driven by hand in one thread: what one
// publishes arrives whole and in order, a full ring and a full arena are answers, and a death costs
// nothing but the dead one's own (invariants I3, I4, I8).
#include "worker/peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/recorder.h"

namespace ringcast::worker {
namespace {

using ring::Counter;
using ring::DescriptorKind;
using test::publication;
using test::publication_id;
using test::Recorder;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t bit(std::uint32_t worker) { return std::uint64_t{1} << worker; }

class PeersTest : public testing::Test {
 protected:
  static constexpr std::size_t kArena = 1u << 20;

  void SetUp() override {
    for (std::uint32_t w = 0; w < 2; ++w) {
      peers_[w] = board_.start(w);
      board_.set_live(w);
    }
    refresh();
  }
  void refresh() {
    for (std::uint32_t w = 0; w < 2; ++w) peers_[w]->refresh(told_[w]);
  }
  bool publish(std::uint64_t id, std::string_view args = "[1]") {
    return peers_[0]->publish(publication(id, args), 77, bit(1));
  }
  std::size_t ids_in_order(std::uint64_t first) {
    for (std::size_t i = 0; i < told_[1].handed.size(); ++i) {
      EXPECT_EQ(publication_id(told_[1].handed[i]), first + i);
    }
    return told_[1].handed.size();
  }
  std::uint64_t free_bytes() {
    peers_[0]->report();
    return board_.count(0, Counter::arena_free_bytes);
  }

  test::Board board_{2, kArena};
  std::array<Recorder, 2> told_;
  std::array<std::unique_ptr<Peers>, 2> peers_;
};

TEST_F(PeersTest, KnowEachOtherOnceBothAreLive) {
  EXPECT_EQ(peers_[0]->live(), bit(1));
  EXPECT_EQ(peers_[1]->live(), bit(0));
  EXPECT_THAT(told_[0].live, ElementsAre(1));
  refresh();
  EXPECT_THAT(told_[0].live, ElementsAre(1));  // told once
}

TEST_F(PeersTest, APublicationArrivesWholeAndItsSpaceComesBack) {
  ASSERT_TRUE(publish(5, "[\"hello\"]"));
  EXPECT_LT(free_bytes(), kArena);
  peers_[0]->flush();
  EXPECT_FALSE(peers_[1]->inbound_empty());
  EXPECT_FALSE(test::drain_all(*peers_[1], told_[1]));
  ASSERT_EQ(told_[1].handed.size(), 1u);
  const test::Handed& handed = told_[1].handed[0];
  EXPECT_EQ(handed.from, 0u);
  EXPECT_EQ(handed.descriptor.kind, DescriptorKind::publication);
  EXPECT_EQ(handed.descriptor.topic_hash, 77u);
  const auto parsed = parse_publication(handed.frame);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->payload.args, "[\"hello\"]");
  EXPECT_TRUE(peers_[1]->inbound_empty());
  EXPECT_EQ(free_bytes(), kArena);
}

TEST_F(PeersTest, NothingLeavesBeforeAFlush) {
  ASSERT_TRUE(publish(1));
  EXPECT_TRUE(peers_[1]->inbound_empty());
}

TEST_F(PeersTest, ThousandsArriveInOrderWhereverTheRingWraps) {
  std::uint64_t id = 1;
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 50 + round; ++i) ASSERT_TRUE(publish(id++));
    peers_[0]->flush();
    test::drain_all(*peers_[1], told_[1]);
  }
  EXPECT_EQ(ids_in_order(1), id - 1);
  EXPECT_EQ(free_bytes(), kArena);
}

TEST_F(PeersTest, AStoppedDrainGoesOnWhereItStopped) {
  for (std::uint64_t id = 1; id <= 100; ++id) ASSERT_TRUE(publish(id));
  peers_[0]->flush();
  std::size_t handed = 0;
  while (peers_[1]->drain(told_[1], [&] { return told_[1].handed.size() >= handed + 7; })) {
    EXPECT_FALSE(peers_[1]->inbound_empty());
    handed += 7;
  }
  EXPECT_EQ(ids_in_order(1), 100u);
}

TEST_F(PeersTest, AFullStageRefusesAndAfterADrainNothingIsMissing) {
  std::uint64_t id = 1;
  while (publish(id)) {
    ++id;
    peers_[0]->flush();
    ASSERT_LT(id, 10000u);
  }
  EXPECT_TRUE(peers_[0]->congested());
  EXPECT_EQ(id - 1, ring::kRingCapacity + Peers::kStagedMax);
  EXPECT_GT(board_.count(0, Counter::ring_full), 0u);
  EXPECT_FALSE(publish(id));  // a refusal does nothing
  test::drain_all(*peers_[1], told_[1]);
  peers_[0]->flush();
  EXPECT_FALSE(peers_[0]->congested());
  EXPECT_TRUE(publish(id));
  peers_[0]->flush();
  test::drain_all(*peers_[1], told_[1]);
  EXPECT_EQ(ids_in_order(1), id);
  EXPECT_EQ(free_bytes(), kArena);
}

TEST_F(PeersTest, AFullArenaRefusesAndAfterADrainNothingIsMissing) {
  const std::string big(100'000, 'x');
  std::uint64_t id = 1;
  while (publish(id, big)) ASSERT_LT(++id, 100u);
  EXPECT_EQ(board_.count(0, Counter::arena_full), 1u);
  peers_[0]->flush();
  EXPECT_FALSE(publish(id, big));
  test::drain_all(*peers_[1], told_[1]);
  EXPECT_TRUE(publish(id, big));
  peers_[0]->flush();
  test::drain_all(*peers_[1], told_[1]);
  EXPECT_EQ(ids_in_order(1), id);
  EXPECT_EQ(parse_publication(told_[1].handed.back().frame)->payload.args, big);
}

TEST_F(PeersTest, AHomeMessageIsNeverRefusedAndWaitsForRoom) {
  while (publish(1)) peers_[0]->flush();
  peers_[0]->send(1, {.kind = DescriptorKind::subscribe_request, .token = 4}, "com.example");
  peers_[0]->flush();
  EXPECT_TRUE(peers_[0]->congested());
  while (peers_[0]->congested()) {
    test::drain_all(*peers_[1], told_[1]);
    peers_[0]->flush();
  }
  test::drain_all(*peers_[1], told_[1]);
  EXPECT_EQ(told_[1].handed.back().descriptor.kind, DescriptorKind::subscribe_request);
  EXPECT_EQ(told_[1].handed.back().descriptor.token, 4u);
  EXPECT_EQ(told_[1].handed.back().frame, "com.example");
  EXPECT_EQ(free_bytes(), kArena);
}

TEST_F(PeersTest, AHomeMessageWaitsForRoomInTheArenaToo) {
  const std::string big(100'000, 'x');
  while (publish(1, big)) {
  }
  while (publish(1, std::string(500, 'x'))) {
  }
  while (publish(1, "")) peers_[0]->flush();
  peers_[0]->send(1, {.kind = DescriptorKind::announce, .argument = 9}, std::string(300, 'u'));
  peers_[0]->flush();
  EXPECT_TRUE(peers_[0]->congested());
  test::drain_all(*peers_[1], told_[1]);
  peers_[0]->flush();
  peers_[0]->flush();
  test::drain_all(*peers_[1], told_[1]);
  EXPECT_EQ(told_[1].handed.back().descriptor.argument, 9u);
}

TEST_F(PeersTest, HomeMessagesKeepTheirOrder) {
  for (std::uint32_t i = 0; i < 600; ++i) {
    peers_[0]->send(1, {.kind = DescriptorKind::announce, .argument = i}, i % 2 == 0 ? "uri" : "");
  }
  while (peers_[0]->flush(), peers_[0]->congested()) test::drain_all(*peers_[1], told_[1]);
  test::drain_all(*peers_[1], told_[1]);
  ASSERT_EQ(told_[1].handed.size(), 600u);
  for (std::uint32_t i = 0; i < 600; ++i) {
    EXPECT_EQ(told_[1].handed[i].descriptor.argument, i);
    EXPECT_EQ(told_[1].handed[i].frame, i % 2 == 0 ? "uri" : "");
  }
}

TEST_F(PeersTest, ASleeperIsWokenAndOneWhoIsAwakeIsNot) {
  const auto woken = [&] {
    std::uint64_t count = 0;
    return read(board_.wake_fds()[1], &count, sizeof count) == sizeof count;
  };
  ASSERT_TRUE(publish(1));
  peers_[0]->flush();
  EXPECT_FALSE(woken());
  ring::announce_sleep(board_.segment().block(1).sleeping);
  ASSERT_TRUE(publish(2));
  peers_[0]->flush();
  EXPECT_TRUE(woken());
  EXPECT_EQ(board_.count(0, Counter::wakeups_sent), 1u);
}

TEST_F(PeersTest, ADescriptorForAnEarlierIncarnationIsDroppedCountedAndReadsNothing) {
  ASSERT_TRUE(publish(1));
  peers_[0]->flush();
  // Worker 1 dies with it in its ring and comes back before worker 0 notices.
  board_.set_dead(1);
  peers_[1] = board_.start(1);
  board_.set_live(1);
  peers_[1]->refresh(told_[1]);
  test::drain_all(*peers_[1], told_[1]);
  EXPECT_THAT(told_[1].handed, IsEmpty());
  EXPECT_EQ(board_.count(1, Counter::stale_descriptors_dropped), 1u);
  peers_[0]->refresh(told_[0]);
  EXPECT_EQ(free_bytes(), kArena);
}

TEST_F(PeersTest, ACorruptDescriptorIsDroppedCountedAndTheNextOneArrives) {
  ring::Descriptor scribbled{.kind = DescriptorKind::publication, .consumer_epoch = 1};
  ring::seal(scribbled);
  scribbled.frame_size = 100;
  board_.segment().ring(0, 1).push({&scribbled, 1});
  ASSERT_TRUE(publish(3));
  peers_[0]->flush();
  test::drain_all(*peers_[1], told_[1]);
  EXPECT_EQ(ids_in_order(3), 1u);
  EXPECT_EQ(board_.count(1, Counter::corrupt_descriptors_dropped), 1u);
}

TEST_F(PeersTest, ADescriptorWhoseFrameMakesNoSenseIsDroppedAndCounted) {
  const std::uint64_t offsets[] = {64, 7, kArena, kArena - 32, UINT64_MAX - 31};
  for (const std::uint64_t offset : offsets) {
    ring::Descriptor d{.kind = DescriptorKind::publication,
                       .consumer_epoch = 1,
                       .frame = offset,
                       .frame_size = 50};
    ring::seal(d);
    board_.segment().ring(0, 1).push({&d, 1});
  }
  test::drain_all(*peers_[1], told_[1]);
  EXPECT_THAT(told_[1].handed, IsEmpty());
  EXPECT_EQ(board_.count(1, Counter::corrupt_frames_dropped), std::size(offsets));
}

TEST_F(PeersTest, WhatADeadWorkerHadPushedIsHandedOverBeforeItsLossIsTold) {
  for (std::uint64_t id = 1; id <= 200; ++id) ASSERT_TRUE(publish(id));
  peers_[0]->flush();
  // Some of it popped and not yet handed over.
  peers_[1]->drain(told_[1], [&] { return told_[1].handed.size() == 5; });
  board_.set_dead(0);
  peers_[1]->refresh(told_[1]);
  EXPECT_EQ(ids_in_order(1), 200u);
  EXPECT_THAT(told_[1].lost, ElementsAre(0));
  EXPECT_EQ(told_[1].handed_before_loss, 200u);
  EXPECT_EQ(peers_[1]->live(), 0u);
}

TEST_F(PeersTest, WhatADeadWorkerHeldComesBackToTheArena) {
  for (std::uint64_t id = 1; id <= 100; ++id) ASSERT_TRUE(publish(id));
  peers_[0]->flush();
  for (std::uint64_t id = 1; id <= 50; ++id) ASSERT_TRUE(publish(id));  // staged only
  peers_[0]->send(1, {.kind = DescriptorKind::announce}, "queued");
  ASSERT_LT(free_bytes(), kArena);
  board_.set_dead(1);
  peers_[0]->refresh(told_[0]);
  EXPECT_EQ(free_bytes(), kArena);
  EXPECT_THAT(told_[0].lost, ElementsAre(1));
  EXPECT_EQ(peers_[0]->live(), 0u);
  peers_[0]->send(1, {.kind = DescriptorKind::announce});  // to nobody
  peers_[0]->flush();
  EXPECT_FALSE(peers_[0]->congested());
}

TEST_F(PeersTest, ALossAndAReturnBetweenTwoLooksIsBothToldInThatOrder) {
  board_.set_dead(1);
  peers_[1] = board_.start(1);
  board_.set_live(1);
  peers_[0]->refresh(told_[0]);
  EXPECT_THAT(told_[0].lost, ElementsAre(1));
  EXPECT_THAT(told_[0].live, ElementsAre(1, 1));
  peers_[1]->refresh(told_[1]);
  ASSERT_TRUE(publish(9));
  peers_[0]->flush();
  told_[1].handed.clear();
  test::drain_all(*peers_[1], told_[1]);
  EXPECT_EQ(ids_in_order(9), 1u);
}

TEST_F(PeersTest, ARestartedWorkerMayWriteItsArenaOnlyWhenAllHaveDrainedWhatWasThere) {
  ASSERT_TRUE(publish(1));
  peers_[0]->flush();
  board_.set_dead(0);
  peers_[0] = board_.start(0);
  const std::uint32_t epoch = board_.segment().state(0).epoch;
  EXPECT_FALSE(peers_[0]->own_arena_free(epoch));
  EXPECT_EQ(board_.segment().block(1).drained_epoch[0].load(), 1u);
  peers_[1]->refresh(told_[1]);
  EXPECT_EQ(ids_in_order(1), 1u);
  EXPECT_EQ(board_.segment().block(1).drained_epoch[0].load(), epoch);
  EXPECT_TRUE(peers_[0]->own_arena_free(epoch));
}

TEST_F(PeersTest, AWorkerThatIsNotLiveKeepsNobodyFromStarting) {
  board_.set_dead(1);
  board_.set_dead(0);
  peers_[0] = board_.start(0);
  EXPECT_TRUE(peers_[0]->own_arena_free(board_.segment().state(0).epoch));
  EXPECT_EQ(peers_[0]->live_in_segment(), 0u);
}

// Three workers: one dies with frames in hand, the third misses nothing, and no arena leaks.
TEST(PeersOfThree, ADeathOfOneCostsTheOthersNothing) {
  test::Board board(3, 1u << 20);
  std::array<std::unique_ptr<Peers>, 3> peers;
  std::array<Recorder, 3> told;
  for (std::uint32_t w = 0; w < 3; ++w) {
    peers[w] = board.start(w);
    board.set_live(w);
  }
  std::uint64_t next = 1;
  for (int round = 0; round < 100; ++round) {
    for (std::uint32_t w = 0; w < 3; ++w) peers[w]->refresh(told[w]);
    ASSERT_EQ(peers[0]->live(), bit(1) | bit(2));
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(peers[0]->publish(publication(next++, "[]"), 1, bit(1) | bit(2)));
      if (i == 20) peers[0]->flush();
    }
    // Worker 1 has taken half of what it got, or nothing.
    if (round % 2 == 0) peers[1]->drain(told[1], [&] { return told[1].handed.size() % 11 == 10; });
    board.set_dead(1);
    peers[0]->refresh(told[0]);
    peers[0]->flush();
    peers[1] = board.start(1);
    for (const std::uint32_t w : {0u, 2u}) peers[w]->refresh(told[w]);
    ASSERT_TRUE(peers[1]->own_arena_free(board.segment().state(1).epoch));
    board.set_live(1);
    test::drain_all(*peers[2], told[2]);
    peers[0]->report();
    ASSERT_EQ(board.count(0, Counter::arena_free_bytes), 1u << 20) << "round " << round;
  }
  ASSERT_EQ(told[2].handed.size(), next - 1);
  for (std::size_t i = 0; i < told[2].handed.size(); ++i) {
    ASSERT_EQ(publication_id(told[2].handed[i]), i + 1);
  }
  EXPECT_GE(told[0].lost.size(), 100u);  // a loss may be told again when the next one starts
}

TEST(PeersOfThree, ABusyProducerDoesNotKeepTheOtherWaiting) {
  test::Board board(3, 1u << 20);
  std::array<std::unique_ptr<Peers>, 3> peers;
  std::array<Recorder, 3> told;
  for (std::uint32_t w = 0; w < 3; ++w) {
    peers[w] = board.start(w);
    board.set_live(w);
  }
  for (std::uint32_t w = 0; w < 3; ++w) peers[w]->refresh(told[w]);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(peers[0]->publish(publication(1, "[]"), 1, bit(2)));
  ASSERT_TRUE(peers[1]->publish(publication(2, "[]"), 1, bit(2)));
  peers[0]->flush();
  peers[1]->flush();
  peers[2]->drain(told[2],
                  [&] { return !told[2].handed.empty() && told[2].handed.back().from == 1; });
  EXPECT_LE(told[2].handed.size(), Peers::kInboxSize + 1);
}

}  // namespace
}  // namespace ringcast::worker
