// Receiving through provided buffers, both of the ways in which kernels have them: every byte comes
// to whom it was sent, in order, however small or large the pieces are and in whichever order their
// places are given back, and every buffer comes back for further use.
#include "worker/io_ring.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>

namespace ringcast::worker {
namespace {

constexpr std::uint32_t kStreams = 3;

// What stands at a position of a stream; no two streams are alike.
char byte_at(std::uint32_t stream, std::uint64_t position) {
  return static_cast<char>((position * 31 + (position >> 8)) * (stream + 1) + stream);
}

class IoRingTest : public testing::TestWithParam<ReceiveBuffers> {
 protected:
  void SetUp() override {
    IoRing::Result made = IoRing::create(16, GetParam());
    if (const auto* error = std::get_if<IoRingError>(&made)) {
      // Linux before 6.12.
      ASSERT_TRUE(GetParam().shared && error->cause == IoRingError::Cause::kernel)
          << error->message;
      GTEST_SKIP() << "this kernel's receives share no buffers";
    }
    io_ = std::move(std::get<std::unique_ptr<IoRing>>(made));
    for (std::uint32_t s = 0; s < kStreams; ++s) {
      std::array<int, 2> ends{};
      ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
      io_->install(s, ends[0]);
      fcntl(ends[1], F_SETFL, O_NONBLOCK);
      far_end_[s] = ends[1];
      arm(s);
    }
  }
  void TearDown() override {
    io_.reset();
    for (const int fd : far_end_) {
      if (fd >= 0) close(fd);
    }
  }

  void arm(std::uint32_t stream) {
    io_->arm_receive({.operation = Operation::receive, .slot = stream, .generation = 1});
  }

  void write_some(std::uint32_t stream, std::size_t size) {
    std::string piece(size, '\0');
    for (std::size_t i = 0; i < size; ++i) piece[i] = byte_at(stream, written_[stream] + i);
    const ssize_t taken = write(far_end_[stream], piece.data(), piece.size());
    if (taken > 0) written_[stream] += static_cast<std::uint64_t>(taken);
  }

  // Takes what has come, and gives back the places of what came long enough before.
  void take(std::size_t held_max) {
    io_->submit(0);
    std::array<Completion, 64> completions;
    const std::size_t count = io_->take_completions(completions);
    for (std::size_t i = 0; i < count; ++i) {
      const Completion& completion = completions[i];
      const std::uint32_t stream = OperationTag::from_packed(completion.user_data).slot;
      if (completion.res > 0) held_.push_back(completion);
      if ((completion.flags & IORING_CQE_F_MORE) == 0) {
        ASSERT_TRUE(completion.res > 0 || completion.res == -ENOBUFS) << completion.res;
        starved_.push_back(stream);
      }
    }
    while (held_.size() > held_max) {
      // Not in the order in which they came, but within a stream.
      auto next = held_.begin();
      if (random_() % 2 == 0) {
        next = std::find_if(held_.begin(), held_.end(), [&](const Completion& completion) {
          return completion.user_data != held_.front().user_data;
        });
        if (next == held_.end()) next = held_.begin();
      }
      check(*next);
      io_->give_back(*next);
      held_.erase(next);
    }
    if (!held_.empty() && held_max != 0) return;
    for (const std::uint32_t stream : starved_) arm(stream);
    starved_.clear();
  }

  void check(const Completion& completion) {
    const std::uint32_t stream = OperationTag::from_packed(completion.user_data).slot;
    for (const char c : io_->received(completion)) {
      ASSERT_EQ(c, byte_at(stream, read_[stream])) << "byte " << read_[stream];
      ++read_[stream];
    }
  }

  std::unique_ptr<IoRing> io_;
  std::array<int, kStreams> far_end_{-1, -1, -1};
  std::array<std::uint64_t, kStreams> written_{};
  std::array<std::uint64_t, kStreams> read_{};
  std::deque<Completion> held_;
  std::vector<std::uint32_t> starved_;
  std::mt19937 random_{7};
};

TEST_P(IoRingTest, BytesComeInOrderWhateverTheirNumberAndBuffersComeBack) {
  const std::uint64_t memory = std::uint64_t{GetParam().count} * GetParam().bytes;
  while (!HasFatalFailure() && written_[0] + written_[1] + written_[2] < 5 * memory) {
    const std::uint32_t stream = random_() % kStreams;
    write_some(stream, random_() % 4 == 0 ? 1 + random_() % 100'000 : 1 + random_() % 300);
    take(random_() % 8 == 0 ? 0 : 100);
  }
  for (int i = 0; i < 1000 && read_ != written_ && !HasFatalFailure(); ++i) take(0);
  EXPECT_EQ(read_, written_);
}

TEST_P(IoRingTest, ReceivesEndWhenAllBuffersAreHeldAndGoOnWhenTheyAreBack) {
  const std::uint64_t memory = std::uint64_t{GetParam().count} * GetParam().bytes;
  while (starved_.empty() && !HasFatalFailure() && written_[0] < 2 * memory) {
    write_some(0, 100'000);
    take(SIZE_MAX);
  }
  EXPECT_FALSE(starved_.empty());
  for (int i = 0; i < 1000 && read_ != written_ && !HasFatalFailure(); ++i) take(0);
  EXPECT_EQ(read_, written_);
}

TEST_P(IoRingTest, WhatIsHeldStaysWhateverElseIsReceivedAndGivenBack) {
  const std::uint64_t memory = std::uint64_t{GetParam().count} * GetParam().bytes;
  write_some(0, 300);
  for (int i = 0; i < 1000 && held_.empty() && !HasFatalFailure(); ++i) take(SIZE_MAX);
  ASSERT_EQ(held_.size(), 1u);
  const Completion held = held_.front();
  held_.clear();
  while (!HasFatalFailure() && written_[1] < 3 * memory) {
    write_some(1, 50'000);
    take(0);
    if (random_() % 16 == 0) io_->release_buffers();
  }
  EXPECT_EQ(io_->received(held).size(), 300u);
  check(held);
}

TEST_P(IoRingTest, WhatIsReceivedButNotTakenStays) {
  for (int i = 0; i < 1000 && !HasFatalFailure(); ++i) {
    write_some(i % kStreams, 300);
    io_->submit(0);
    io_->release_buffers();
    take(0);
  }
  EXPECT_EQ(read_, written_);
}

INSTANTIATE_TEST_SUITE_P(Buffers, IoRingTest, testing::Values(kSharedBuffers, kSingleBuffers),
                         [](const auto& test) { return test.param.shared ? "Shared" : "Single"; });

}  // namespace
}  // namespace ringcast::worker
