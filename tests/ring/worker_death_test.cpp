// A worker process that dies by SIGKILL wherever it happens to be costs nobody else anything (I8):
// its bits are cleared, and what others hold stays readable.
#include <unistd.h>

#include <deque>

#include "ring/frame_arena.h"
#include "ring/segment.h"
#include "tests/ring/child_process.h"
#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

using test::below;

constexpr std::uint32_t kProducer = 0, kVictim = 1, kSurvivor = 2;

// The victim's life: takes what comes, checks it, releases it, counts it; an endless loop until it
// is killed, or 1 if something was wrong.
int consume_until_killed(int fd) {
  auto result = Segment::attach(fd);
  auto* attached = std::get_if<std::unique_ptr<Segment>>(&result);
  if (attached == nullptr) return 1;
  Segment& segment = **attached;
  DescriptorRing& ring = segment.ring(kProducer, kVictim);
  const test::Patience patience;
  while (!patience.over()) {
    Descriptor batch[8];
    const std::size_t got = ring.pop(batch);
    for (std::size_t i = 0; i < got; ++i) {
      const auto frame = read_frame(segment.arena(kProducer), segment.arena_bytes(), batch[i].frame,
                                    batch[i].frame_size);
      if (!descriptor_intact(batch[i]) || !frame || !test::has_pattern(*frame, batch[i].token)) {
        return 1;
      }
      segment.block(kVictim).counters.add(Counter::publications_received);
      release_frame(segment.arena(kProducer), batch[i].frame, kVictim);
    }
  }
  return 1;
}

class Broadcast {
 public:
  explicit Broadcast(Segment& segment)
      : segment_(segment), arena_(segment.arena(kProducer), segment.arena_bytes()) {}

  void send(test::Random& random) {
    const std::size_t size = below(random, 400);
    const auto slot = arena_.allocate(size);
    if (!slot) return let_survivor_take_one();
    const std::uint64_t seed = ++seeds_;
    test::fill_pattern(slot->data, size, seed);
    const bool for_survivor = below(random, 50) == 0 && survivors_.size() < 20;
    arena_.commit(*slot, size, 1u << kVictim | (for_survivor ? 1u << kSurvivor : 0u));
    Descriptor descriptor;
    descriptor.kind = DescriptorKind::publication;
    descriptor.token = seed;
    descriptor.frame = slot->offset;
    descriptor.frame_size = static_cast<std::uint32_t>(size);
    seal(descriptor);
    // A descriptor that finds no room stays behind: the frame is held and nobody knows of it, as if
    // it had been staged when the victim died.
    segment_.ring(kProducer, kVictim).push({&descriptor, 1});
    if (for_survivor) survivors_.push_back(descriptor);
  }

  void expect_only_the_survivors_frames_remain() {
    arena_.forget_worker(kVictim);
    EXPECT_GE(arena_.frames(), survivors_.size());
    while (!survivors_.empty()) let_survivor_take_one();
    arena_.reclaim();
    EXPECT_EQ(arena_.frames(), 0u);
    EXPECT_EQ(arena_.free_bytes(), arena_.capacity());
  }

 private:
  // The survivor lags behind, but whatever it holds is there until it lets go.
  void let_survivor_take_one() {
    if (survivors_.empty()) return;
    const Descriptor descriptor = survivors_.front();
    survivors_.pop_front();
    const auto frame = read_frame(segment_.arena(kProducer), segment_.arena_bytes(),
                                  descriptor.frame, descriptor.frame_size);
    ASSERT_TRUE(frame);
    ASSERT_TRUE(test::has_pattern(*frame, descriptor.token));
    release_frame(segment_.arena(kProducer), descriptor.frame, kSurvivor);
  }

  Segment& segment_;
  FrameArena arena_;
  std::deque<Descriptor> survivors_;
  std::uint64_t seeds_ = 0;
};

TEST(WorkerDeathTest, AKilledConsumerGivesBackAllItHeldThirtyTimesInARow) {
  auto segment = test::segment_or_fail(
      Segment::create({.workers = 3, .slots_per_worker = 16, .arena_bytes = 65536}));
  ASSERT_TRUE(segment);
  test::Random random(1);
  Broadcast broadcast(*segment);
  for (int life = 0; life < 30; ++life) {
    SCOPED_TRACE("life " + std::to_string(life));
    const auto& counters = segment->block(kVictim).counters;
    const std::uint64_t before = counters.get(Counter::publications_received);
    test::ChildProcess victim([&] { return consume_until_killed(segment->fd()); });
    ASSERT_TRUE(victim.running());
    // Killed in the middle: after it has taken some, while more keep coming.
    const std::uint64_t goal = before + 1 + below(random, 3000);
    const test::Patience patience;
    while (counters.get(Counter::publications_received) < goal && !patience.over()) {
      broadcast.send(random);
    }
    ASSERT_GE(counters.get(Counter::publications_received), goal) << "the child found an error";
    victim.kill_and_reap();
    broadcast.expect_only_the_survivors_frames_remain();
    if (HasFatalFailure()) return;
    // The next incarnation begins with an empty ring.
    Descriptor stale[64];
    while (segment->ring(kProducer, kVictim).pop(stale) != 0) {
    }
    EXPECT_TRUE(segment->ring(kProducer, kVictim).empty());
  }
}

}  // namespace
}  // namespace ringcast::ring
