#include "ring/descriptor_ring.h"

#include <array>
#include <cstring>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

using test::below;

Descriptor numbered(std::uint64_t number) {
  Descriptor descriptor;
  descriptor.kind = DescriptorKind::publication;
  descriptor.token = number;
  descriptor.target = ~number;
  descriptor.topic_hash = number * 0x9E3779B97F4A7C15u;
  descriptor.frame = number * 32;
  descriptor.frame_size = static_cast<std::uint32_t>(number);
  seal(descriptor);
  return descriptor;
}

std::vector<Descriptor> numbered_batch(std::uint64_t first, std::size_t count) {
  std::vector<Descriptor> batch;
  for (std::size_t i = 0; i < count; ++i) batch.push_back(numbered(first + i));
  return batch;
}

class DescriptorRingTest : public testing::Test {
 protected:
  void expect_pops(std::uint64_t first, std::size_t count) {
    std::vector<Descriptor> out(count + 1);
    ASSERT_EQ(ring_->pop(out), count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(descriptor_intact(out[i]));
      ASSERT_EQ(out[i].token, first + i);
    }
  }
  std::unique_ptr<DescriptorRing> ring_ = std::make_unique<DescriptorRing>();
};

TEST_F(DescriptorRingTest, BeginsEmpty) {
  EXPECT_TRUE(ring_->empty());
  Descriptor out;
  EXPECT_EQ(ring_->pop({&out, 1}), 0u);
}

TEST_F(DescriptorRingTest, GivesBackInOrderWhatWasPushed) {
  EXPECT_EQ(ring_->push(numbered_batch(0, 5)), 5u);
  EXPECT_EQ(ring_->push(numbered_batch(5, 1)), 1u);
  EXPECT_FALSE(ring_->empty());
  expect_pops(0, 6);
  EXPECT_TRUE(ring_->empty());
}

TEST_F(DescriptorRingTest, HoldsExactlyItsCapacity) {
  EXPECT_EQ(ring_->push(numbered_batch(0, kRingCapacity)), kRingCapacity);
  EXPECT_EQ(ring_->push(numbered_batch(kRingCapacity, 1)), 0u);
  expect_pops(0, kRingCapacity);
}

TEST_F(DescriptorRingTest, TakesTheFrontOfABatchThatDoesNotFit) {
  ASSERT_EQ(ring_->push(numbered_batch(0, kRingCapacity - 3)), kRingCapacity - 3);
  EXPECT_EQ(ring_->push(numbered_batch(kRingCapacity - 3, 10)), 3u);
  expect_pops(0, kRingCapacity);
  EXPECT_EQ(ring_->push(numbered_batch(7, 2 * kRingCapacity)), kRingCapacity);
  expect_pops(7, kRingCapacity);
}

TEST_F(DescriptorRingTest, AnEmptyBatchIsNothing) {
  EXPECT_EQ(ring_->push({}), 0u);
  EXPECT_EQ(ring_->pop({}), 0u);
  EXPECT_TRUE(ring_->empty());
  ring_->push(numbered_batch(0, 1));
  EXPECT_EQ(ring_->pop({}), 0u);
  expect_pops(0, 1);
}

TEST_F(DescriptorRingTest, PopTakesNoMoreThanAskedFor) {
  ring_->push(numbered_batch(0, 10));
  std::array<Descriptor, 4> out;
  EXPECT_EQ(ring_->pop(out), 4u);
  EXPECT_EQ(out[3].token, 3u);
  EXPECT_EQ(ring_->pop(out), 4u);
  EXPECT_EQ(out[0].token, 4u);
  EXPECT_EQ(ring_->pop(out), 2u);
}

TEST_F(DescriptorRingTest, KeepsOrderAcrossTheWrapForEveryBatchSize) {
  test::Random random(1);
  std::uint64_t pushed = 0, popped = 0;
  std::vector<Descriptor> out(kRingCapacity + 100);
  for (int round = 0; round < 5000; ++round) {
    const std::size_t offered = below(random, kRingCapacity / 2);
    const std::size_t taken = ring_->push(numbered_batch(pushed, offered));
    ASSERT_EQ(taken, std::min<std::size_t>(offered, kRingCapacity - (pushed - popped)));
    pushed += taken;
    const std::size_t wanted = below(random, out.size());
    const std::size_t got = ring_->pop({out.data(), wanted});
    ASSERT_EQ(got, std::min<std::size_t>(wanted, pushed - popped));
    for (std::size_t i = 0; i < got; ++i) ASSERT_EQ(out[i].token, popped++);
  }
  EXPECT_GT(pushed, 10 * kRingCapacity);
}

// False sharing costs a factor of ten, so it is a property to test: which cache lines of the object
// change is seen by comparing its bytes.
class CacheLines {
 public:
  explicit CacheLines(const DescriptorRing& ring) : ring_(ring), before_(sizeof ring) { keep(); }
  void keep() { std::memcpy(before_.data(), &ring_, sizeof ring_); }
  std::set<std::size_t> changed() {
    std::vector<unsigned char> now(sizeof ring_);
    std::memcpy(now.data(), &ring_, sizeof ring_);
    std::set<std::size_t> lines;
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (now[i] != before_[i]) lines.insert(i / 64);
    }
    before_ = std::move(now);
    return lines;
  }

 private:
  const DescriptorRing& ring_;
  std::vector<unsigned char> before_;
};

TEST_F(DescriptorRingTest, ProducerAndConsumerNeverWriteTheSameCacheLine) {
  ASSERT_EQ(reinterpret_cast<std::uintptr_t>(ring_.get()) % 64, 0u);
  CacheLines lines(*ring_);
  std::set<std::size_t> written_by_push, written_by_pop;
  Descriptor out;
  // Slot 0 twice, and every other at least once.
  for (std::uint64_t i = 1; i <= kRingCapacity + 2; ++i) {
    const Descriptor descriptor = numbered(i);
    ASSERT_EQ(ring_->push({&descriptor, 1}), 1u);
    const auto push_lines = lines.changed();
    // The index, and one whole line that is the descriptor's alone.
    EXPECT_EQ(push_lines.size(), 2u);
    written_by_push.insert(push_lines.begin(), push_lines.end());
    ASSERT_EQ(ring_->pop({&out, 1}), 1u);
    const auto pop_lines = lines.changed();
    EXPECT_EQ(pop_lines.size(), 1u);
    written_by_pop.insert(pop_lines.begin(), pop_lines.end());
  }
  EXPECT_EQ(written_by_pop.size(), 1u) << "the read index";
  EXPECT_FALSE(written_by_push.contains(*written_by_pop.begin()));
  EXPECT_EQ(written_by_push.size(), kRingCapacity + 2)
      << "the write index and a line for each slot";
}

// Two threads, one mapping: what is popped is what was pushed, in order, none lost, none twice.
void transfer(DescriptorRing& ring, std::uint64_t count, std::size_t push_max,
              std::size_t pop_max) {
  const test::Patience patience;
  std::thread producer([&] {
    test::Random random(1);
    std::vector<Descriptor> staged(push_max);
    std::uint64_t next = 0;
    while (next < count && !patience.over()) {
      const std::size_t size = std::min<std::uint64_t>(1 + below(random, push_max), count - next);
      for (std::size_t i = 0; i < size; ++i) staged[i] = numbered(next + i);
      const std::size_t pushed = ring.push({staged.data(), size});
      next += pushed;
      if (pushed == 0) std::this_thread::yield();
    }
  });
  test::Random random(2);
  std::vector<Descriptor> out(pop_max);
  std::uint64_t next = 0, wrong = 0;
  while (next < count && !patience.over()) {
    const std::size_t got = ring.pop({out.data(), 1 + below(random, pop_max)});
    for (std::size_t i = 0; i < got; ++i) {
      wrong += descriptor_intact(out[i]) && out[i].token == next ? 0 : 1;
      ++next;
    }
    if (got == 0) std::this_thread::yield();
  }
  producer.join();
  EXPECT_EQ(next, count);
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(ring.empty());
}

TEST_F(DescriptorRingTest, TransfersMillionsInBatchesBetweenTwoThreads) {
  transfer(*ring_, 4'000'000 / test::kRoundsDivisor, 64, 64);
}

TEST_F(DescriptorRingTest, TransfersOneByOneBetweenTwoThreads) {
  transfer(*ring_, 1'000'000 / test::kRoundsDivisor, 1, 1);
}

TEST_F(DescriptorRingTest, TransfersBatchesLargerThanItselfBetweenTwoThreads) {
  transfer(*ring_, 1'000'000 / test::kRoundsDivisor, 3 * kRingCapacity, 10);
}

}  // namespace
}  // namespace ringcast::ring
