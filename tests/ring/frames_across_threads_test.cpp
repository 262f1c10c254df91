// Frames on their real way: producers write into their arena and push descriptors, consumers pop,
// check, copy and release. Threads on one mapping, because ThreadSanitizer sees only those.
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "ring/frame_arena.h"
#include "ring/segment.h"
#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

using test::below;

// Everything that one worker thread does here; as producer, as consumer, or both.
class Worker {
 public:
  Worker(Segment& segment, std::uint32_t self, std::uint64_t frames_to_send)
      : segment_(segment),
        self_(self),
        to_send_(frames_to_send),
        arena_(segment.arena(self), segment.arena_bytes()),
        random_(self + 1),
        staged_(segment.workers()),
        sent_to_(segment.workers()),
        received_from_(segment.workers()) {}

  // One turn: drains always, sends when there is room (invariant I4).
  bool turn() {
    const bool drained = drain();
    const bool flushed = flush();
    const bool sent = staged_empty() && send();
    return drained || flushed || sent;
  }
  bool done_sending() const { return sent_ == to_send_ && staged_empty(); }

  void expect_everything_given_back() {
    arena_.reclaim();
    EXPECT_EQ(arena_.frames(), 0u) << "worker " << self_;
    EXPECT_EQ(arena_.free_bytes(), arena_.capacity());
  }
  std::uint64_t sent_to(std::uint32_t worker) const { return sent_to_[worker]; }
  std::uint64_t received_from(std::uint32_t worker) const { return received_from_[worker]; }
  std::uint64_t wrong() const { return wrong_; }
  std::uint64_t arena_full() const { return arena_full_; }

 private:
  // The content of a frame depends on who sent it and on its number.
  static std::uint64_t seed_of(std::uint32_t producer, std::uint64_t number) {
    return number * 64 + producer;
  }

  bool send() {
    if (sent_ == to_send_) return false;
    const std::size_t size =
        below(random_, 50) == 0 ? below(random_, arena_.frame_size_max()) : below(random_, 300);
    const auto slot = arena_.allocate(size);
    if (!slot) {
      ++arena_full_;
      return false;
    }
    std::uint64_t holders = random_() & ((std::uint64_t{1} << segment_.workers()) - 1);
    holders &= ~(std::uint64_t{1} << self_);
    test::fill_pattern(slot->data, size, seed_of(self_, sent_));
    arena_.commit(*slot, size, holders);
    for (std::uint32_t consumer = 0; consumer < segment_.workers(); ++consumer) {
      if ((holders >> consumer & 1) == 0) continue;
      Descriptor descriptor;
      descriptor.kind = DescriptorKind::publication;
      descriptor.target = sent_to_[consumer]++;
      descriptor.token = sent_;
      descriptor.frame = slot->offset;
      descriptor.frame_size = static_cast<std::uint32_t>(size);
      seal(descriptor);
      staged_[consumer].push_back(descriptor);
    }
    ++sent_;
    return true;
  }

  bool staged_empty() const {
    for (const auto& staged : staged_) {
      if (!staged.empty()) return false;
    }
    return true;
  }

  bool flush() {
    bool any = false;
    for (std::uint32_t consumer = 0; consumer < segment_.workers(); ++consumer) {
      auto& staged = staged_[consumer];
      if (staged.empty()) continue;
      const std::size_t pushed = segment_.ring(self_, consumer).push(staged);
      staged.erase(staged.begin(), staged.begin() + static_cast<std::ptrdiff_t>(pushed));
      any |= pushed != 0;
    }
    return any;
  }

  bool drain() {
    bool any = false;
    for (std::uint32_t producer = 0; producer < segment_.workers(); ++producer) {
      if (producer == self_) continue;
      Descriptor batch[16];
      const std::size_t got = segment_.ring(producer, self_).pop(batch);
      for (std::size_t i = 0; i < got; ++i) take(producer, batch[i]);
      any |= got != 0;
    }
    return any;
  }

  void take(std::uint32_t producer, const Descriptor& descriptor) {
    const bool expected =
        descriptor_intact(descriptor) && descriptor.target == received_from_[producer]++;
    const auto frame = read_frame(segment_.arena(producer), segment_.arena_bytes(),
                                  descriptor.frame, descriptor.frame_size);
    if (!expected || !frame || !test::has_pattern(*frame, seed_of(producer, descriptor.token))) {
      ++wrong_;
      return;
    }
    release_frame(segment_.arena(producer), descriptor.frame, self_);
  }

  Segment& segment_;
  std::uint32_t self_;
  std::uint64_t to_send_;
  FrameArena arena_;
  test::Random random_;
  std::vector<std::vector<Descriptor>> staged_;
  std::vector<std::uint64_t> sent_to_, received_from_;
  std::uint64_t sent_ = 0, wrong_ = 0, arena_full_ = 0;
};

// Runs all workers, each on its own thread, until all have sent and drained everything.
void run(std::vector<std::unique_ptr<Worker>>& workers) {
  const test::Patience patience;
  std::atomic<std::size_t> sending{workers.size()};
  std::vector<std::thread> threads;
  for (auto& worker : workers) {
    threads.emplace_back([&patience, &sending, &worker = *worker] {
      bool counted = false;
      while (!patience.over()) {
        const bool busy = worker.turn();
        if (!counted && worker.done_sending()) {
          counted = true;
          sending.fetch_sub(1);
        }
        if (busy) continue;
        // Nobody sends any more, and what was sent before that was seen is drained by one more
        // turn.
        if (sending.load() == 0 && !worker.turn()) return;
        std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void expect_all_delivered(std::vector<std::unique_ptr<Worker>>& workers) {
  for (std::uint32_t producer = 0; producer < workers.size(); ++producer) {
    EXPECT_EQ(workers[producer]->wrong(), 0u);
    EXPECT_TRUE(workers[producer]->done_sending());
    for (std::uint32_t consumer = 0; consumer < workers.size(); ++consumer) {
      if (consumer == producer) continue;
      EXPECT_EQ(workers[consumer]->received_from(producer), workers[producer]->sent_to(consumer));
    }
    workers[producer]->expect_everything_given_back();
  }
}

TEST(FramesAcrossThreadsTest, OneProducerReachesThreeConsumersThroughASmallArena) {
  auto segment = test::segment_or_fail(
      Segment::create({.workers = 4, .slots_per_worker = 16, .arena_bytes = 16384}));
  ASSERT_TRUE(segment);
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t w = 0; w < 4; ++w) {
    const std::uint64_t frames = w == 0 ? 300'000 / test::kRoundsDivisor : 0;
    workers.push_back(std::make_unique<Worker>(*segment, w, frames));
  }
  run(workers);
  expect_all_delivered(workers);
  EXPECT_GT(workers[0]->arena_full(), 0u) << "the arena was too large to test anything";
}

TEST(FramesAcrossThreadsTest, EveryWorkerToEveryOtherWithoutADeadlock) {
  auto segment = test::segment_or_fail(
      Segment::create({.workers = 3, .slots_per_worker = 16, .arena_bytes = 8192}));
  ASSERT_TRUE(segment);
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t w = 0; w < 3; ++w) {
    workers.push_back(std::make_unique<Worker>(*segment, w, 150'000 / test::kRoundsDivisor));
  }
  run(workers);
  expect_all_delivered(workers);
}

}  // namespace
}  // namespace ringcast::ring
