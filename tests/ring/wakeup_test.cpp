#include "ring/wakeup.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
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

// The scheduler likes to wake the sleeper on the producer's core, where the two never run at the
// same time. Does nothing where there is only one core.
void pin_to_core(int nth) {
  cpu_set_t allowed;
  if (pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed) != 0) return;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed) || nth-- != 0) continue;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(core, &only);
    pthread_setaffinity_np(pthread_self(), sizeof only, &only);
  }
}

// The hunt for a lost wake-up: one consumer that goes to sleep whenever it finds nothing, one
// producer that pushes at random moments around just that one. The producer waits until all is
// taken before it pushes again, so a lost wake-up is not made good by the next push: the sleeper
// would lie there until its poll times out. Without a fence the loss is rare; both sides keep the
// cache lines of what the other is about to write busy, which holds the writes back and makes it a
// matter of some thousand rounds.
class Hunt {
 public:
  static constexpr int kLost_ms = 10'000;
  static constexpr std::uint32_t kLast = 1;

  Hunt(SleepingFlag& flag, int event_fd) : flag_(flag), event_fd_(event_fd) {}

  void run(std::uint64_t rounds) {
    std::thread producer([&] {
      pin_to_core(0);
      produce(rounds);
    });
    std::thread consumer([&] {
      pin_to_core(1);
      consume();
    });
    producer.join();
    consumer.join();
  }

  std::uint64_t rounds_done() const { return rounds_done_; }

  std::uint64_t lost = 0;   // 1 if the consumer slept through a push
  std::uint64_t slept = 0;  // times the consumer went to sleep
  std::uint64_t woken = 0;  // times the producer had to wake it

 private:
  void produce(std::uint64_t rounds) {
    test::Random random(1);
    std::uint64_t pushed = 0;
    Descriptor staged[8];
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      const std::size_t batch = 1 + below(random, 8);
      staged[batch - 1].argument = round == rounds ? kLast : 0;
      pushed += ring_->push({staged, batch});
      if (must_wake(flag_)) {
        ++woken;
        wake(event_fd_);
      }
      for (unsigned spins = 0; popped_.load(std::memory_order_relaxed) < pushed; ++spins) {
        if (stop_.load(std::memory_order_relaxed)) return;
        flag_.sleeping.load(std::memory_order_relaxed);
        if (spins > 2000) std::this_thread::yield();
      }
      ++rounds_done_;
      linger(random);
    }
  }

  // A few nanoseconds to some microseconds, so that the push of one meets every moment of the
  // other.
  void linger(test::Random& random) const {
    const std::uint64_t loads = below(random, std::uint64_t{1} << below(random, 11));
    for (std::uint64_t i = 0; i < loads; ++i) flag_.sleeping.load(std::memory_order_relaxed);
  }

  void consume() {
    test::Random random(2);
    for (bool last = false; !last;) {
      Descriptor batch[8];
      const std::size_t got = ring_->pop(batch);
      if (got != 0) {
        last = batch[got - 1].argument == kLast;
        popped_.store(popped_.load(std::memory_order_relaxed) + got, std::memory_order_relaxed);
        linger(random);
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
  std::uint64_t rounds_done_ = 0;
};

TEST_F(WakeupTest, NoWakeupIsLostInHundredsOfThousandsOfRounds) {
  const std::uint64_t rounds = 200'000 / test::kRoundsDivisor;
  Hunt hunt(flag_, event_fd_);
  hunt.run(rounds);
  EXPECT_EQ(hunt.lost, 0u) << "slept through a push, after " << hunt.rounds_done() << " rounds";
  EXPECT_EQ(hunt.rounds_done(), rounds);
  // The hunt was where it wants to be: it slept often, and often did not.
  EXPECT_GT(hunt.slept, rounds / 100);
  RecordProperty("slept", std::to_string(hunt.slept));
  RecordProperty("woken", std::to_string(hunt.woken));
}

}  // namespace
}  // namespace ringcast::ring
