#include "ring/frame_arena.h"

#include <cstring>
#include <deque>
#include <vector>

#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

constexpr std::size_t kCapacity = 4096;
constexpr std::size_t kHeader = sizeof(FrameHeader);

constexpr std::uint64_t bit(std::uint32_t worker) { return std::uint64_t{1} << worker; }

struct Sent {
  std::uint64_t offset;
  std::uint32_t size;
  std::uint64_t seed;
};

class FrameArenaTest : public testing::Test {
 protected:
  struct alignas(64) Memory {
    char bytes[kCapacity];
  };

  std::optional<Sent> send(std::size_t size, std::uint64_t holders) {
    const auto slot = arena_.allocate(size);
    if (!slot) return std::nullopt;
    const std::uint64_t seed = ++seeds_;
    test::fill_pattern(slot->data, size, seed);
    arena_.commit(*slot, size, holders);
    return Sent{slot->offset, static_cast<std::uint32_t>(size), seed};
  }
  std::optional<std::string_view> read(std::uint64_t offset, std::uint32_t size) const {
    return read_frame(memory_->bytes, kCapacity, offset, size);
  }
  bool readable(const Sent& sent) const {
    const auto frame = read(sent.offset, sent.size);
    return frame && test::has_pattern(*frame, sent.seed);
  }
  void release(const Sent& sent, std::uint32_t worker) {
    release_frame(memory_->bytes, sent.offset, worker);
  }
  FrameHeader& header(const Sent& sent) {
    return *reinterpret_cast<FrameHeader*>(memory_->bytes + sent.offset);
  }
  // As many frames of `size` bytes as fit, all held by `holders`.
  std::deque<Sent> fill(std::size_t size, std::uint64_t holders) {
    std::deque<Sent> sent;
    while (auto frame = send(size, holders)) sent.push_back(*frame);
    return sent;
  }

  std::unique_ptr<Memory> memory_ = std::make_unique<Memory>();
  FrameArena arena_{memory_->bytes, kCapacity};
  std::uint64_t seeds_ = 0;
};

TEST_F(FrameArenaTest, AFrameIsReadAsItWasWritten) {
  for (std::size_t size : {0u, 1u, 31u, 32u, 33u, 127u, 500u}) {
    const auto sent = send(size, bit(1));
    ASSERT_TRUE(sent);
    EXPECT_TRUE(readable(*sent)) << size;
    EXPECT_EQ(read(sent->offset, sent->size)->size(), size);
  }
}

TEST_F(FrameArenaTest, CommitMayBeShorterThanAllocate) {
  const auto slot = arena_.allocate(500);
  test::fill_pattern(slot->data, 20, 9);
  arena_.commit(*slot, 20, bit(0));
  ASSERT_TRUE(read(slot->offset, 20));
  EXPECT_TRUE(test::has_pattern(*read(slot->offset, 20), 9));
  EXPECT_FALSE(read(slot->offset, 500));
}

TEST_F(FrameArenaTest, AFrameStaysWhileAnyWorkerHoldsIt) {
  const auto sent = send(100, bit(0) | bit(5) | bit(63));
  for (std::uint32_t worker : {5u, 63u, 0u}) {
    arena_.reclaim();
    EXPECT_EQ(arena_.frames(), 1u);
    EXPECT_TRUE(readable(*sent));
    release(*sent, worker);
  }
  arena_.reclaim();
  EXPECT_EQ(arena_.frames(), 0u);
  EXPECT_EQ(arena_.free_bytes(), kCapacity);
}

TEST_F(FrameArenaTest, ReleasingTwiceIsReleasingOnce) {
  const auto sent = send(100, bit(1) | bit(2));
  release(*sent, 1);
  release(*sent, 1);
  arena_.reclaim();
  EXPECT_EQ(arena_.frames(), 1u);
}

TEST_F(FrameArenaTest, AFrameForNobodyAndOneNeverCommittedAreTakenBack) {
  ASSERT_TRUE(send(100, 0));
  ASSERT_TRUE(arena_.allocate(100));
  arena_.reclaim();
  EXPECT_EQ(arena_.free_bytes(), kCapacity);
}

TEST_F(FrameArenaTest, AnAllocatedFrameIsUnreadableUntilItIsCommitted) {
  const auto old = send(100, bit(1));
  release(*old, 1);
  arena_.reclaim();
  const auto slot = arena_.allocate(100);
  ASSERT_EQ(slot->offset, old->offset);
  EXPECT_FALSE(read(slot->offset, 100))
      << "the header of the frame that lay there is still believed";
  EXPECT_FALSE(read(slot->offset, 0));
}

TEST_F(FrameArenaTest, FullIsAnAnswerAndEndsWithARelease) {
  auto sent = fill(480, bit(1));
  EXPECT_EQ(sent.size(), kCapacity / (480 + kHeader));
  EXPECT_FALSE(send(1, bit(1)));
  for (const Sent& frame : sent) EXPECT_TRUE(readable(frame));

  release(sent[1], 1);  // not the oldest: gives nothing back yet
  EXPECT_FALSE(send(480, bit(1)));
  release(sent[0], 1);
  const auto first = send(480, bit(1)), second = send(480, bit(1));
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(send(480, bit(1)));
  for (std::size_t i = 2; i < sent.size(); ++i) EXPECT_TRUE(readable(sent[i]));
  EXPECT_TRUE(readable(*first) && readable(*second));
}

TEST_F(FrameArenaTest, WrapsWithAFillerAndLosesNothing) {
  auto sent = fill(600, bit(1));  // 640 each: six, and 256 bytes at the end
  ASSERT_EQ(sent.size(), 6u);
  release(sent[0], 1);
  release(sent[1], 1);
  const auto wrapped = send(600, bit(1));
  ASSERT_TRUE(wrapped);
  EXPECT_EQ(wrapped->offset, 0u) << "a frame never lies across the end";
  EXPECT_TRUE(readable(*wrapped));
  for (std::size_t i = 2; i < sent.size(); ++i) {
    EXPECT_TRUE(readable(sent[i]));
    release(sent[i], 1);
  }
  arena_.reclaim();
  EXPECT_EQ(arena_.free_bytes(), kCapacity - 640);
  release(*wrapped, 1);
  arena_.reclaim();
  EXPECT_EQ(arena_.free_bytes(), kCapacity);
}

TEST_F(FrameArenaTest, BeginsAtTheStartAgainWhenEmpty) {
  const auto first = send(100, bit(1)), second = send(300, bit(1));
  EXPECT_EQ(first->offset, 0u);
  EXPECT_GT(second->offset, 0u);
  release(*second, 1);
  release(*first, 1);
  arena_.reclaim();
  EXPECT_EQ(send(10, bit(1))->offset, 0u);
}

TEST_F(FrameArenaTest, TheLargestFrameFitsWhereverTheNextOneGoes) {
  EXPECT_EQ(arena_.frame_size_max(), kCapacity / 4 - kHeader);
  for (std::size_t before = 0; before + 2 * kHeader < kCapacity; before += 32) {
    FrameArena arena(memory_->bytes, kCapacity);
    std::deque<FrameSlot> held;
    for (std::size_t used = 0; used < before; used += kHeader) {
      held.push_back(*arena.allocate(0));
      arena.commit(held.back(), 0, bit(1));
    }
    for (const FrameSlot& slot : held) release_frame(memory_->bytes, slot.offset, 1);
    EXPECT_TRUE(arena.allocate(arena.frame_size_max())) << "after " << before;
  }
}

TEST_F(FrameArenaTest, ForgettingAWorkerGivesBackExactlyWhatItHeld) {
  const auto its_own = send(100, bit(3));
  const auto shared = send(100, bit(3) | bit(4));
  const auto another = send(100, bit(4));
  arena_.forget_worker(3);
  EXPECT_EQ(arena_.frames(), 2u);
  EXPECT_EQ(header(*its_own).holders.load(), 0u);
  EXPECT_EQ(header(*shared).holders.load(), bit(4));
  EXPECT_EQ(header(*another).holders.load(), bit(4));
  EXPECT_TRUE(readable(*shared) && readable(*another));
  arena_.forget_worker(3);
  arena_.forget_worker(0);
  EXPECT_EQ(arena_.frames(), 2u);
  arena_.forget_worker(4);
  EXPECT_EQ(arena_.free_bytes(), kCapacity);
}

TEST_F(FrameArenaTest, ForgettingLeavesTheBytesOfAFillerAlone) {
  auto sent = fill(600, bit(1));
  for (std::size_t i : {0u, 1u}) release(sent[i], 1);
  // What lies in the filler looks like a header, and the filler has none.
  char* filler = memory_->bytes + 6 * 640;
  std::memset(filler, 0xFF, 256);
  ASSERT_TRUE(send(600, bit(2)));
  arena_.forget_worker(1);
  for (std::size_t i = 0; i < 256; ++i) ASSERT_EQ(filler[i], '\xFF') << i;
  EXPECT_EQ(arena_.free_bytes(), kCapacity - 640);
}

TEST_F(FrameArenaTest, ManySmallFramesOutgrowNoTable) {
  std::vector<char> memory(1 << 20);
  char* base = memory.data() + (32 - reinterpret_cast<std::uintptr_t>(memory.data()) % 32) % 32;
  FrameArena arena(base, 512 * 1024);
  std::vector<FrameSlot> slots;
  while (auto slot = arena.allocate(0)) {
    arena.commit(*slot, 0, bit(1));
    slots.push_back(*slot);
  }
  EXPECT_EQ(slots.size(), 512u * 1024 / kHeader);
  EXPECT_EQ(arena.frames(), slots.size()) << "a frame that is held was forgotten";
  for (const FrameSlot& slot : slots) release_frame(base, slot.offset, 1);
  arena.reclaim();
  EXPECT_EQ(arena.frames(), 0u);
}

// What a descriptor says is checked before it is believed (I9 of the segment's own kind).
TEST_F(FrameArenaTest, RefusesEveryOtherOffset) {
  ASSERT_TRUE(send(100, bit(1)));
  const auto sent = send(200, bit(1));
  for (std::uint64_t offset = 0; offset < 3 * kCapacity; ++offset) {
    EXPECT_EQ(read(offset, 200).has_value(), offset == sent->offset) << offset;
  }
  for (std::uint64_t offset : {~std::uint64_t{0}, ~std::uint64_t{31}, std::uint64_t{1} << 63,
                               sent->offset + (std::uint64_t{1} << 32)}) {
    EXPECT_FALSE(read(offset, 200)) << offset;
  }
}

TEST_F(FrameArenaTest, RefusesEveryOtherSize) {
  const auto sent = send(200, bit(1));
  for (std::uint32_t size = 0; size < 2 * kCapacity; ++size) {
    EXPECT_EQ(read(sent->offset, size).has_value(), size == 200) << size;
  }
  for (std::uint32_t size : {0xFFFFFFFFu, 0xFFFFFFE0u, 0x80000000u}) {
    EXPECT_FALSE(read(sent->offset, size)) << size;
  }
}

TEST_F(FrameArenaTest, RefusesAFrameThatWouldEndBehindTheArena) {
  // A header at the end that is right in itself: a larger arena wrote it.
  struct alignas(64) {
    char bytes[2 * kCapacity];
  } larger;
  FrameArena arena(larger.bytes, sizeof larger.bytes);
  while (arena.allocate(0)->offset != kCapacity - 2 * kHeader) {
  }
  const auto slot = arena.allocate(100);
  arena.commit(*slot, 100, bit(1));
  ASSERT_TRUE(read_frame(larger.bytes, sizeof larger.bytes, slot->offset, 100));
  EXPECT_FALSE(read_frame(larger.bytes, kCapacity, slot->offset, 100));
}

TEST_F(FrameArenaTest, RefusesAnyFlippedBitOfSizeAndCheck) {
  const auto sent = send(200, bit(1));
  for (unsigned flipped = 0; flipped < 32; ++flipped) {
    header(*sent).size ^= 1u << flipped;
    EXPECT_FALSE(readable(*sent));
    EXPECT_FALSE(read(sent->offset, header(*sent).size)) << "size and descriptor agree, check not";
    header(*sent).size ^= 1u << flipped;
    header(*sent).check ^= 1u << flipped;
    EXPECT_FALSE(readable(*sent));
    header(*sent).check ^= 1u << flipped;
  }
  EXPECT_TRUE(readable(*sent));
}

TEST_F(FrameArenaTest, RefusesAHeaderCopiedFromElsewhere) {
  const auto first = send(200, bit(1)), second = send(200, bit(1));
  header(*second).check = header(*first).check;
  EXPECT_TRUE(readable(*first));
  EXPECT_FALSE(readable(*second));
}

TEST_F(FrameArenaTest, RefusesMemoryThatNobodyWrote) {
  for (int byte : {0x00, 0xFF}) {
    std::memset(memory_->bytes, byte, kCapacity);
    for (std::uint64_t offset = 0; offset < kCapacity; offset += 32) {
      EXPECT_FALSE(read(offset, 0));
      EXPECT_FALSE(read(offset, 64));
    }
  }
}

}  // namespace
}  // namespace ringcast::ring
