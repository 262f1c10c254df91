// The supervisor's socket: messages whole and in order, sockets passed along, and the two ends that
// matter: full and gone.
#include "worker/control.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace ringcast::worker {
namespace {

class Control : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_.data()), 0);
  }
  void TearDown() override {
    for (const int fd : ends_) {
      if (fd >= 0) close(fd);
    }
  }
  void close_end(std::size_t which) {
    close(ends_[which]);
    ends_[which] = -1;
  }

  std::array<int, 2> ends_{-1, -1};
};

TEST_F(Control, MessagesComeWholeAndInOrder) {
  for (std::uint32_t i = 0; i < 5; ++i) {
    ASSERT_EQ(send_control(ends_[0], {ControlKind::drain, i}), ControlResult::done);
  }
  for (std::uint32_t i = 0; i < 5; ++i) {
    const ReceivedControl received = receive_control(ends_[1]);
    ASSERT_EQ(received.result, ControlResult::done);
    EXPECT_EQ(received.message.kind, ControlKind::drain);
    EXPECT_EQ(received.message.argument, i);
    EXPECT_EQ(received.fd_count, 0u);
  }
}

TEST_F(Control, NothingThereIsNotTheEnd) {
  EXPECT_EQ(receive_control(ends_[1]).result, ControlResult::again);
}

TEST_F(Control, APassedFdIsAnotherNameOfTheSameFileAndClosedOnExec) {
  std::array<int, 2> pipe_ends;
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  ASSERT_EQ(send_control(ends_[0], {ControlKind::connections, 1}, {&pipe_ends[1], 1}),
            ControlResult::done);
  close(pipe_ends[1]);  // the sender's name of it stays the sender's
  const ReceivedControl received = receive_control(ends_[1]);
  ASSERT_EQ(received.result, ControlResult::done);
  EXPECT_EQ(received.message.kind, ControlKind::connections);
  ASSERT_EQ(received.fd_count, 1u);
  EXPECT_NE(fcntl(received.fds[0], F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_EQ(write(received.fds[0], "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(pipe_ends[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  close(received.fds[0]);
  close(pipe_ends[0]);
}

TEST_F(Control, AsManyFdsAsOneMessageTakesComeInOrder) {
  std::array<int, 2> pipe_ends;
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  std::array<int, kPassedFdsMax> sent;
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = pipe_ends[i % 2];
  ASSERT_EQ(send_control(ends_[0], {ControlKind::connections, kPassedFdsMax}, sent),
            ControlResult::done);
  const ReceivedControl received = receive_control(ends_[1]);
  ASSERT_EQ(received.fd_count, kPassedFdsMax);
  struct stat reading {};
  ASSERT_EQ(fstat(pipe_ends[0], &reading), 0);
  for (std::size_t i = 0; i < received.fd_count; ++i) {
    struct stat same {};
    ASSERT_EQ(fstat(received.fds[i], &same), 0);
    EXPECT_EQ(same.st_ino, reading.st_ino);
    EXPECT_EQ(fcntl(received.fds[i], F_GETFL) & O_ACCMODE, i % 2 == 0 ? O_RDONLY : O_WRONLY);
    close(received.fds[i]);
  }
  for (const int fd : pipe_ends) close(fd);
}

// Where descriptors run out the message says how many were sent, so none is lost without a trace.
TEST_F(Control, AReceiverWithoutDescriptorsLeftStillLearnsHowManyThereWere) {
  std::array<int, 2> pipe_ends;
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  const std::array<int, 4> sent{pipe_ends[0], pipe_ends[0], pipe_ends[0], pipe_ends[0]};
  ASSERT_EQ(send_control(ends_[0], {ControlKind::connections, 4}, sent), ControlResult::done);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest_free = dup(pipe_ends[0]);
  close(lowest_free);
  const rlimit two_more{.rlim_cur = static_cast<rlim_t>(lowest_free) + 2,
                        .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &two_more), 0);
  const ReceivedControl received = receive_control(ends_[1]);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(received.result, ControlResult::done);
  EXPECT_EQ(received.message.argument, 4u);
  EXPECT_LE(received.fd_count, 2u);
  for (std::size_t i = 0; i < received.fd_count; ++i) close(received.fds[i]);
  for (const int fd : pipe_ends) close(fd);
}

TEST_F(Control, AFullSocketIsAnAnswerAndNothingThatWasTakenIsLost) {
  std::uint32_t sent = 0;
  while (send_control(ends_[0], {ControlKind::drain, sent}) == ControlResult::done) {
    ASSERT_LT(++sent, 1'000'000u);
  }
  EXPECT_GT(sent, 0u);
  EXPECT_EQ(send_control(ends_[0], {ControlKind::drain, sent}), ControlResult::again);
  for (std::uint32_t i = 0; i < sent; ++i) {
    EXPECT_EQ(receive_control(ends_[1]).message.argument, i);
  }
  EXPECT_EQ(receive_control(ends_[1]).result, ControlResult::again);
  EXPECT_EQ(send_control(ends_[0], {ControlKind::drain, 0}), ControlResult::done);
}

TEST_F(Control, TheOtherEndGoneIsTheEndForBothDirections) {
  close_end(0);
  EXPECT_EQ(receive_control(ends_[1]).result, ControlResult::closed);
  EXPECT_EQ(send_control(ends_[1], {ControlKind::live, 1}), ControlResult::closed);
}

TEST_F(Control, WhatWasSentBeforeTheEndComesBeforeTheEnd) {
  ASSERT_EQ(send_control(ends_[0], {ControlKind::drain, 7}), ControlResult::done);
  close_end(0);
  EXPECT_EQ(receive_control(ends_[1]).message.argument, 7u);
  EXPECT_EQ(receive_control(ends_[1]).result, ControlResult::closed);
}

}  // namespace
}  // namespace ringcast::worker
