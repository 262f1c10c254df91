// The arena against a model that knows for every frame who holds it and what it says: random
// allocations, releases in any order and deaths of workers, on arenas so small that they are full
// and wrap all the time. One thread; the same with real threads is frames_across_threads_test.cpp.
#include <algorithm>
#include <deque>
#include <vector>

#include "ring/frame_arena.h"
#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

using test::below;

constexpr std::uint32_t kConsumers = 5;

std::uint64_t extent_of(std::uint64_t size) { return (size + 32 + 31) / 32 * 32; }

struct ModelFrame {
  std::uint64_t offset;
  std::uint32_t size;
  std::uint64_t seed;
  std::uint64_t holders;
};

class Model {
 public:
  Model(std::size_t capacity, std::uint64_t seed)
      : capacity_(capacity), memory_(capacity + 64), random_(seed) {
    base_ = memory_.data() + (64 - reinterpret_cast<std::uintptr_t>(memory_.data()) % 64) % 64;
    arena_.emplace(base_, capacity);
  }

  void step() {
    switch (below(random_, 20)) {
      case 0:
        return forget_random_worker();
      case 1:
        return expect_what_is_held_to_be_intact();
      case 2:
        return arena_->reclaim();
      default:
        return below(random_, 2) == 0 ? send() : release();
    }
  }

  void drain() {
    while (std::any_of(frames_.begin(), frames_.end(), [](auto& f) { return f.holders != 0; })) {
      release();
    }
    arena_->reclaim();
    EXPECT_EQ(arena_->frames(), 0u);
    EXPECT_EQ(arena_->free_bytes(), capacity_);
  }

  std::uint64_t sent = 0, refused = 0, wrapped = 0, forgotten = 0;

 private:
  void send() {
    drop_what_nobody_holds_from_the_front();
    const std::size_t size =
        below(random_, 8) == 0 ? below(random_, arena_->frame_size_max() + 1) : below(random_, 100);
    const auto slot = arena_->allocate(size);
    if (!slot) {
      ++refused;
      return expect_no_room_for(size);
    }
    ASSERT_LE(slot->offset + extent_of(size), capacity_);
    ASSERT_EQ(slot->data, base_ + slot->offset + 32);
    expect_no_held_frame_between(slot->offset, slot->offset + extent_of(size));
    const std::uint64_t holders = random_() & ((1u << kConsumers) - 1);
    const auto committed = static_cast<std::uint32_t>(below(random_, 4) == 0 ? size / 2 : size);
    test::fill_pattern(slot->data, committed, ++sent);
    arena_->commit(*slot, committed, holders);
    if (!frames_.empty() && slot->offset < frames_.back().offset) ++wrapped;
    frames_.push_back({slot->offset, committed, sent, holders});
    extents_.push_back(extent_of(size));
  }

  // Refusing is right only if the frames from the oldest held one on leave no room for this one and
  // for the filler that it, and one of them, may need at the end of the region.
  void expect_no_room_for(std::size_t size) {
    std::uint64_t held = 0, largest = 0;
    for (std::uint64_t extent : extents_) {
      held += extent;
      largest = std::max(largest, extent);
    }
    ASSERT_FALSE(frames_.empty()) << "an empty arena refused " << size;
    ASSERT_GT(held + largest + 2 * extent_of(size), capacity_);
  }

  void expect_no_held_frame_between(std::uint64_t begin, std::uint64_t end) {
    for (const ModelFrame& frame : frames_) {
      if (frame.holders == 0) continue;
      ASSERT_TRUE(end <= frame.offset || begin >= frame.offset + extent_of(frame.size))
          << "a held frame would be overwritten";
    }
  }

  void release() {
    const auto worker = static_cast<std::uint32_t>(below(random_, kConsumers));
    std::vector<ModelFrame*> held;
    for (ModelFrame& frame : frames_) {
      if ((frame.holders >> worker & 1) != 0) held.push_back(&frame);
    }
    if (held.empty()) return;
    // Mostly the oldest, as a ring hands them out; sometimes any.
    ModelFrame& frame = below(random_, 4) == 0 ? *held[below(random_, held.size())] : *held[0];
    expect_intact(frame);
    release_frame(base_, frame.offset, worker);
    frame.holders &= ~(std::uint64_t{1} << worker);
  }

  void forget_random_worker() {
    if (below(random_, 10) != 0) return;
    const auto worker = static_cast<std::uint32_t>(below(random_, kConsumers));
    arena_->forget_worker(worker);
    ++forgotten;
    for (ModelFrame& frame : frames_) frame.holders &= ~(std::uint64_t{1} << worker);
    for (const ModelFrame& frame : frames_) expect_holders(frame);
  }

  void expect_holders(const ModelFrame& frame) {
    if (frame.holders == 0) return;  // may be taken back by now
    const auto* header = reinterpret_cast<const FrameHeader*>(base_ + frame.offset);
    ASSERT_EQ(header->holders.load(), frame.holders);
  }

  void expect_intact(const ModelFrame& frame) {
    const auto bytes = read_frame(base_, capacity_, frame.offset, frame.size);
    ASSERT_TRUE(bytes);
    ASSERT_TRUE(test::has_pattern(*bytes, frame.seed));
    expect_holders(frame);
  }

  void expect_what_is_held_to_be_intact() {
    for (const ModelFrame& frame : frames_) {
      if (frame.holders != 0) expect_intact(frame);
    }
  }

  void drop_what_nobody_holds_from_the_front() {
    while (!frames_.empty() && frames_.front().holders == 0) {
      frames_.pop_front();
      extents_.pop_front();
    }
  }

  std::size_t capacity_;
  std::vector<char> memory_;
  char* base_ = nullptr;
  test::Random random_;
  std::optional<FrameArena> arena_;
  std::deque<ModelFrame> frames_;  // in the order they were sent, from the oldest held
  std::deque<std::uint64_t> extents_;
};

TEST(FrameArenaModelTest, HoldsWhatIsHeldAndRefusesOnlyWhenFull) {
  std::uint64_t refused = 0, wrapped = 0, forgotten = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(seed % 2 == 0 ? 2048 : 8192, seed);
    for (int i = 0; i < 5000 && !testing::Test::HasFailure(); ++i) model.step();
    if (testing::Test::HasFailure()) return;
    model.drain();
    EXPECT_GT(model.sent, 100u);
    refused += model.refused;
    wrapped += model.wrapped;
    forgotten += model.forgotten;
  }
  // The test has been where it wants to be.
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(wrapped, 1000u);
  EXPECT_GT(forgotten, 100u);
}

}  // namespace
}  // namespace ringcast::ring
