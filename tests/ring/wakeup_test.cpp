#include "ring/wakeup.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

#include "ring/descriptor_ring.h"
#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

using test::below;

class WakeupTest : public testing::Test {
 protected:
  void SetUp() override {
    event_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT_GE(event_fd_, 0);
  }
  void TearDown() override { close(event_fd_); }

  bool woken_within(int timeout_ms) const {
    pollfd waiting{.fd = event_fd_, .events = POLLIN, .revents = 0};
    return poll(&waiting, 1, timeout_ms) == 1;
  }
  // What the eventfd had counted; 0 for nothing.
  std::uint64_t take_event() const {
    std::uint64_t count = 0;
    return read(event_fd_, &count, sizeof count) == sizeof count ? count : 0;
  }

  int event_fd_ = -1;
  SleepingFlag flag_;
};

TEST_F(WakeupTest, ASleeperMustBeWokenAndNobodyElse) {
  EXPECT_FALSE(must_wake(flag_));
  announce_sleep(flag_);
  EXPECT_TRUE(must_wake(flag_));
  EXPECT_TRUE(must_wake(flag_)) << "asking changes nothing";
  announce_awake(flag_);
  EXPECT_FALSE(must_wake(flag_));
}

TEST_F(WakeupTest, WakeMakesTheEventfdReadable) {
  EXPECT_FALSE(woken_within(0));
  wake(event_fd_);
  wake(event_fd_);
  EXPECT_TRUE(woken_within(0));
  EXPECT_EQ(take_event(), 2u);
  EXPECT_FALSE(woken_within(0));
}

TEST_F(WakeupTest, WakeNeverBlocksOnAFullCounter) {
  const std::uint64_t almost_full = 0xFFFFFFFFFFFFFFFE;
  ASSERT_EQ(write(event_fd_, &almost_full, sizeof almost_full),
            static_cast<ssize_t>(sizeof almost_full));
  wake(event_fd_);
  EXPECT_TRUE(woken_within(0));
  EXPECT_EQ(take_event(), almost_full);
}

// The hunt for a lost wake-up: one consumer that goes to sleep whenever it finds nothing, one
// producer that pushes at random moments around just that one. The producer then waits for its
// descriptor to be taken before it pushes the next, so a lost wake-up is not made good by the next
// push: the sleeper would lie there until its poll times out.
class Hunt {
 public:
  static constexpr int kLost_ms = 10'000;

  Hunt(SleepingFlag& flag, int event_fd) : flag_(flag), event_fd_(event_fd) {}

  void run(std::uint64_t rounds) {
    std::thread producer([&] { produce(rounds); });
    consume(rounds);
    producer.join();
  }

  std::uint64_t popped() const { return popped_.load(); }

  std::uint64_t lost = 0;   // 1 if the consumer slept through a push
  std::uint64_t slept = 0;  // times the consumer went to sleep
  std::uint64_t woken = 0;  // times the producer had to wake it

 private:
  void produce(std::uint64_t rounds) {
    test::Random random(1);
    for (std::uint64_t round = 0; round < rounds && !stop_.load(); ++round) {
      Descriptor descriptor;
      descriptor.token = round;
      ring_->push({&descriptor, 1});
      if (must_wake(flag_)) {
        ++woken;
        wake(event_fd_);
      }
      for (unsigned spins = 0; popped_.load(std::memory_order_relaxed) <= round; ++spins) {
        if (stop_.load()) return;
        if (spins > 2000) std::this_thread::yield();
      }
      // From "it is still looking" to "it sleeps": a few nanoseconds to some microseconds.
      const std::uint64_t pause = below(random, std::uint64_t{1} << below(random, 12));
      for (std::uint64_t i = 0; i < pause; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
    }
  }

  void consume(std::uint64_t rounds) {
    while (popped_.load(std::memory_order_relaxed) < rounds) {
      Descriptor batch[8];
      const std::size_t got = ring_->pop(batch);
      if (got != 0) {
        popped_.fetch_add(got, std::memory_order_relaxed);
        continue;
      }
      announce_sleep(flag_);
      if (ring_->empty() && !sleep()) return;
      announce_awake(flag_);
    }
  }

  bool sleep() {
    ++slept;
    pollfd waiting{.fd = event_fd_, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, kLost_ms) == 0) {
      ++lost;
      stop_.store(true);
      return false;
    }
    std::uint64_t count = 0;
    return read(event_fd_, &count, sizeof count) == sizeof count;
  }

  SleepingFlag& flag_;
  int event_fd_;
  std::unique_ptr<DescriptorRing> ring_ = std::make_unique<DescriptorRing>();
  std::atomic<std::uint64_t> popped_{0};
  std::atomic<bool> stop_{false};
};

TEST_F(WakeupTest, NoWakeupIsLostInHundredsOfThousandsOfRounds) {
  const std::uint64_t rounds = 400'000 / test::kRoundsDivisor;
  Hunt hunt(flag_, event_fd_);
  hunt.run(rounds);
  EXPECT_EQ(hunt.lost, 0u) << "slept through a push, after " << hunt.popped() << " rounds";
  EXPECT_EQ(hunt.popped(), rounds);
  // The hunt was where it wants to be: it slept often, and often did not.
  EXPECT_GT(hunt.slept, rounds / 100);
  RecordProperty("slept", std::to_string(hunt.slept));
  RecordProperty("woken", std::to_string(hunt.woken));
}

}  // namespace
}  // namespace ringcast::ring
