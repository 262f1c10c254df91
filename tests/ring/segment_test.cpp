#include "ring/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <set>
#include <vector>

#include "ring/frame_arena.h"
#include "tests/ring/child_process.h"
#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

constexpr SegmentSizes kSizes{.workers = 3, .slots_per_worker = 1500, .arena_bytes = 65536};

class SegmentTest : public testing::Test {
 protected:
  void SetUp() override {
    segment_ = test::segment_or_fail(Segment::create(kSizes));
    ASSERT_TRUE(segment_);
    other_ = test::segment_or_fail(Segment::attach(segment_->fd()));
    ASSERT_TRUE(other_);
  }
  std::unique_ptr<Segment> segment_;  // the supervisor's mapping
  std::unique_ptr<Segment> other_;    // another process's
};

TEST_F(SegmentTest, BeginsWithEveryWorkerDeadAndNothingInIt) {
  EXPECT_EQ(segment_->workers(), kSizes.workers);
  EXPECT_EQ(segment_->arena_bytes(), kSizes.arena_bytes);
  EXPECT_EQ(segment_->header().membership_version.load(), 0u);
  for (std::uint32_t w = 0; w < kSizes.workers; ++w) {
    EXPECT_EQ(segment_->state(w), StateWord{});
    EXPECT_EQ(segment_->block(w).pid.load(), 0);
    EXPECT_EQ(segment_->block(w).sleeping.sleeping.load(), 0u);
    EXPECT_EQ(segment_->block(w).node_ids_used.load(), 0u);
    EXPECT_EQ(segment_->generations(w).size(), kSizes.slots_per_worker);
    for (const auto& generation : segment_->generations(w)) ASSERT_EQ(generation.load(), 0u);
    for (std::uint32_t p = 0; p < kSizes.workers; ++p) EXPECT_TRUE(segment_->ring(p, w).empty());
  }
  for (std::uint64_t hash = 0; hash < kInterestBuckets; ++hash) {
    ASSERT_EQ(segment_->interested_workers(hash), 0u);
  }
}

TEST_F(SegmentTest, AnotherMappingSeesTheSameThroughOtherAddresses) {
  EXPECT_NE(&segment_->header(), &other_->header());
  EXPECT_EQ(other_->workers(), kSizes.workers);
  EXPECT_EQ(other_->header().session_key, segment_->header().session_key);
  EXPECT_EQ(other_->header().topic_seed, segment_->header().topic_seed);
  FrameArena arena(segment_->arena(1), segment_->arena_bytes());
  const auto slot = arena.allocate(1000);
  test::fill_pattern(slot->data, 1000, 5);
  arena.commit(*slot, 1000, 1u << 2);
  Descriptor sent;
  sent.frame = slot->offset;
  sent.frame_size = 1000;
  seal(sent);
  ASSERT_EQ(segment_->ring(1, 2).push({&sent, 1}), 1u);

  Descriptor received;
  ASSERT_EQ(other_->ring(1, 2).pop({&received, 1}), 1u);
  EXPECT_TRUE(descriptor_intact(received));
  const auto frame =
      read_frame(other_->arena(1), other_->arena_bytes(), received.frame, received.frame_size);
  ASSERT_TRUE(frame);
  EXPECT_TRUE(test::has_pattern(*frame, 5));
  release_frame(other_->arena(1), received.frame, 2);
  arena.reclaim();
  EXPECT_EQ(arena.frames(), 0u);
}

TEST_F(SegmentTest, OutlivesTheMappingThatMadeItForThoseWhoJoined) {
  segment_->set_state(1, {.epoch = 4, .state = WorkerState::live});
  segment_.reset();
  EXPECT_EQ(other_->state(1), (StateWord{.epoch = 4, .state = WorkerState::live}));
}

TEST_F(SegmentTest, DetachingLeavesTheCallersFdOpen) {
  other_.reset();
  EXPECT_EQ(fcntl(segment_->fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_TRUE(test::segment_or_fail(Segment::attach(segment_->fd())));
}

TEST_F(SegmentTest, CannotBeResizedByAnybody) {
  struct stat status {};
  ASSERT_EQ(fstat(segment_->fd(), &status), 0);
  EXPECT_NE(ftruncate(segment_->fd(), status.st_size - 4096), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(ftruncate(segment_->fd(), status.st_size + 4096), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(fcntl(segment_->fd(), F_ADD_SEALS, F_SEAL_WRITE), 0) << "the seals are sealed, too";
}

TEST_F(SegmentTest, EachHasKeysOfItsOwn) {
  auto second = test::segment_or_fail(Segment::create(kSizes));
  EXPECT_NE(second->header().session_key, segment_->header().session_key);
  EXPECT_NE(second->header().session_key[0], second->header().session_key[1]);
  EXPECT_NE(second->header().topic_seed, segment_->header().topic_seed);
}

TEST_F(SegmentTest, AStateIsOneWordThatKeepsEpochAndState) {
  for (std::uint32_t epoch : {0u, 1u, 255u, 256u, 0xFFFFFFFFu}) {
    for (WorkerState state : {WorkerState::dead, WorkerState::starting, WorkerState::live}) {
      const StateWord word{.epoch = epoch, .state = state};
      EXPECT_EQ(StateWord::from_packed(word.packed()), word);
      segment_->set_state(2, word);
      EXPECT_EQ(other_->state(2), word);
      EXPECT_EQ(other_->state(1), StateWord{});
    }
  }
}

TEST_F(SegmentTest, EveryChangeOfAStateMakesTheOthersLook) {
  for (std::uint64_t change = 1; change <= 5; ++change) {
    other_->set_state(static_cast<std::uint32_t>(change % 3), {.epoch = 1});
    EXPECT_EQ(segment_->header().membership_version.load(), change);
  }
}

TEST_F(SegmentTest, AWorkersBitIsSetAndClearedForItsBucketAlone) {
  const std::uint64_t hash = 0xABCDEF0123456789, same_bucket = hash + 5 * kInterestBuckets;
  segment_->set_interest(hash, 0);
  segment_->set_interest(hash, 2);
  segment_->set_interest(hash, 2);
  EXPECT_EQ(other_->interested_workers(hash), 0b101u);
  EXPECT_EQ(other_->interested_workers(same_bucket), 0b101u);
  EXPECT_EQ(other_->interested_workers(hash + 1), 0u);
  other_->clear_interest(same_bucket, 2);
  EXPECT_EQ(segment_->interested_workers(hash), 0b001u);
  other_->clear_interest(hash, 1);
  EXPECT_EQ(segment_->interested_workers(hash), 0b001u);
}

TEST_F(SegmentTest, InterestInPatternsIsByRealmAndApartFromThatInTopics) {
  segment_->set_pattern_interest(3, 0);
  segment_->set_pattern_interest(3, 5);
  EXPECT_EQ(other_->pattern_interested_workers(3), 0b100001u);
  EXPECT_EQ(other_->pattern_interested_workers(4), 0u);
  for (std::uint64_t hash = 0; hash < kInterestBuckets; ++hash) {
    ASSERT_EQ(other_->interested_workers(hash), 0u);
  }
  other_->clear_pattern_interest(3, 0);
  EXPECT_EQ(segment_->pattern_interested_workers(3), 0b100000u);
}

TEST_F(SegmentTest, ClearingAllOfAWorkersInterestLeavesTheOthers) {
  for (std::uint64_t hash = 0; hash < kInterestBuckets; ++hash) {
    segment_->set_interest(hash, 1);
    if (hash % 2 == 0) segment_->set_interest(hash, 63);
  }
  for (std::uint16_t realm = 0; realm < kPatternInterestBuckets; ++realm) {
    segment_->set_pattern_interest(realm, 1);
    segment_->set_pattern_interest(realm, 2);
  }
  other_->clear_all_interest(1);
  for (std::uint64_t hash = 0; hash < kInterestBuckets; ++hash) {
    ASSERT_EQ(segment_->interested_workers(hash), hash % 2 == 0 ? std::uint64_t{1} << 63 : 0u);
  }
  for (std::uint16_t realm = 0; realm < kPatternInterestBuckets; ++realm) {
    ASSERT_EQ(segment_->pattern_interested_workers(realm), 0b100u);
  }
}

// Every part written to its last byte, then every part read: where two overlapped, one would be
// wrong.
class Parts {
 public:
  explicit Parts(const Segment& segment) : segment_(segment) {}
  std::vector<std::pair<char*, std::size_t>> all() const {
    std::vector<std::pair<char*, std::size_t>> parts;
    auto add = [&](auto* first, std::size_t bytes) {
      parts.emplace_back(reinterpret_cast<char*>(first), bytes);
    };
    for (std::uint32_t w = 0; w < segment_.workers(); ++w) {
      add(&segment_.block(w), sizeof(WorkerBlock));
      add(segment_.generations(w).data(), segment_.generations(w).size_bytes());
      add(segment_.arena(w), segment_.arena_bytes());
      for (std::uint32_t p = 0; p < segment_.workers(); ++p) {
        add(&segment_.ring(p, w), sizeof(DescriptorRing));
      }
    }
    return parts;
  }

 private:
  const Segment& segment_;
};

TEST_F(SegmentTest, NoPartReachesIntoAnother) {
  const auto written = Parts(*segment_).all(), read = Parts(*other_).all();
  ASSERT_EQ(written.size(), kSizes.workers * (3 + kSizes.workers));
  for (std::uint64_t hash = 0; hash < kInterestBuckets; ++hash) segment_->set_interest(hash, 7);
  const SessionKey key = segment_->header().session_key;
  for (std::size_t i = 0; i < written.size(); ++i) {
    test::fill_pattern(written[i].first, written[i].second, 1000 + i);
  }
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_TRUE(test::has_pattern({read[i].first, read[i].second}, 1000 + i)) << "part " << i;
  }
  for (std::uint64_t hash = 0; hash < kInterestBuckets; ++hash) {
    ASSERT_EQ(other_->interested_workers(hash), 1u << 7);
  }
  EXPECT_EQ(other_->header().session_key, key);
  EXPECT_TRUE(test::segment_or_fail(Segment::attach(segment_->fd()))) << "the header was hit";
}

TEST_F(SegmentTest, WhatIsWrittenConcurrentlyLiesOnCacheLinesOfItsOwn) {
  for (const auto& [part, bytes] : Parts(*other_).all()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(part) % 64, 0u);
  }
  auto line = [](const void* address) { return reinterpret_cast<std::uintptr_t>(address) / 64; };
  WorkerBlock& block = segment_->block(1);
  const std::set<std::uintptr_t> lines = {line(&segment_->header().session_key),
                                          line(&segment_->header().membership_version),
                                          line(&block.state),
                                          line(&block.sleeping),
                                          line(&block.drained_epoch),
                                          line(&block.node_ids_used),
                                          line(&block.counters)};
  EXPECT_EQ(lines.size(), 7u);
}

TEST_F(SegmentTest, TheLargestNodeHasRoomForAllItsParts) {
  auto large = test::segment_or_fail(
      Segment::create({.workers = kWorkersMax, .slots_per_worker = 4, .arena_bytes = 4096}));
  ASSERT_TRUE(large);
  struct stat status {};
  ASSERT_EQ(fstat(large->fd(), &status), 0);
  const char* end = reinterpret_cast<const char*>(&large->header()) + status.st_size;
  EXPECT_EQ(large->arena(kWorkersMax - 1) + 4096, end);
  Descriptor descriptor;
  seal(descriptor);
  EXPECT_EQ(large->ring(kWorkersMax - 1, kWorkersMax - 1).push({&descriptor, 1}), 1u);
  EXPECT_TRUE(large->ring(kWorkersMax - 2, kWorkersMax - 1).empty());
  EXPECT_TRUE(large->ring(kWorkersMax - 1, kWorkersMax - 2).empty());
}

TEST_F(SegmentTest, AChildProcessJoinsByTheFdAndLeavesItsTracksAfterItsEnd) {
  segment_->set_state(1, {.epoch = 7, .state = WorkerState::starting});
  const ConnectionId id{.worker = 1, .slot = 2, .generation = 3};
  const std::uint64_t session = session_id_of(id, segment_->header().session_key);
  Descriptor request;
  request.token = 99;
  seal(request);
  segment_->ring(0, 1).push({&request, 1});

  test::ChildProcess child([&] {
    auto result = Segment::attach(segment_->fd());
    auto* joined = std::get_if<std::unique_ptr<Segment>>(&result);
    if (joined == nullptr) return 1;
    Segment& segment = **joined;
    if (segment.state(1) != StateWord{.epoch = 7, .state = WorkerState::starting}) return 2;
    if (connection_of_session(session, segment.header().session_key) != id) return 3;
    Descriptor received;
    if (segment.ring(0, 1).pop({&received, 1}) != 1 || received.token != 99) return 4;
    if (segment.ring(1, 0).push({&received, 1}) != 1) return 5;
    segment.generations(1)[1499].store(42);
    segment.set_interest(77, 1);
    segment.block(1).counters.add(Counter::sends, 5);
    segment.set_state(1, {.epoch = 7, .state = WorkerState::live});
    return 0;
  });
  ASSERT_EQ(child.exit_code(), 0);

  EXPECT_EQ(segment_->state(1), (StateWord{.epoch = 7, .state = WorkerState::live}));
  EXPECT_EQ(segment_->header().membership_version.load(), 2u);
  EXPECT_EQ(segment_->generations(1)[1499].load(), 42u);
  EXPECT_EQ(segment_->interested_workers(77), 0b10u);
  EXPECT_EQ(segment_->block(1).counters.get(Counter::sends), 5u);
  Descriptor reply;
  ASSERT_EQ(segment_->ring(1, 0).pop({&reply, 1}), 1u);
  EXPECT_EQ(reply.token, 99u);
}

}  // namespace
}  // namespace ringcast::ring
