// The supervisor's socket: messages whole and in order, sockets passed along, and the two ends that
// matter: full and gone.
#include "worker/control.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
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
    ASSERT_EQ(send_control(ends_[0], {ControlKind::drain, i}, -1), ControlResult::done);
  }
  for (std::uint32_t i = 0; i < 5; ++i) {
    const ReceivedControl received = receive_control(ends_[1]);
    ASSERT_EQ(received.result, ControlResult::done);
    EXPECT_EQ(received.message.kind, ControlKind::drain);
    EXPECT_EQ(received.message.argument, i);
    EXPECT_EQ(received.fd, -1);
  }
}

TEST_F(Control, NothingThereIsNotTheEnd) {
  EXPECT_EQ(receive_control(ends_[1]).result, ControlResult::again);
}

TEST_F(Control, APassedFdIsAnotherNameOfTheSameFileAndClosedOnExec) {
  std::array<int, 2> pipe_ends;
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  ASSERT_EQ(send_control(ends_[0], {ControlKind::connection, 0}, pipe_ends[1]),
            ControlResult::done);
  close(pipe_ends[1]);  // the sender's name of it stays the sender's
  const ReceivedControl received = receive_control(ends_[1]);
  ASSERT_EQ(received.result, ControlResult::done);
  EXPECT_EQ(received.message.kind, ControlKind::connection);
  ASSERT_GE(received.fd, 0);
  EXPECT_NE(fcntl(received.fd, F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_EQ(write(received.fd, "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(pipe_ends[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  close(received.fd);
  close(pipe_ends[0]);
}

TEST_F(Control, AFullSocketIsAnAnswerAndNothingThatWasTakenIsLost) {
  std::uint32_t sent = 0;
  while (send_control(ends_[0], {ControlKind::drain, sent}, -1) == ControlResult::done) {
    ASSERT_LT(++sent, 1'000'000u);
  }
  EXPECT_GT(sent, 0u);
  EXPECT_EQ(send_control(ends_[0], {ControlKind::drain, sent}, -1), ControlResult::again);
  for (std::uint32_t i = 0; i < sent; ++i) {
    EXPECT_EQ(receive_control(ends_[1]).message.argument, i);
  }
  EXPECT_EQ(receive_control(ends_[1]).result, ControlResult::again);
  EXPECT_EQ(send_control(ends_[0], {ControlKind::drain, 0}, -1), ControlResult::done);
}

TEST_F(Control, TheOtherEndGoneIsTheEndForBothDirections) {
  close_end(0);
  EXPECT_EQ(receive_control(ends_[1]).result, ControlResult::closed);
  EXPECT_EQ(send_control(ends_[1], {ControlKind::live, 1}, -1), ControlResult::closed);
}

TEST_F(Control, WhatWasSentBeforeTheEndComesBeforeTheEnd) {
  ASSERT_EQ(send_control(ends_[0], {ControlKind::drain, 7}, -1), ControlResult::done);
  close_end(0);
  EXPECT_EQ(receive_control(ends_[1]).message.argument, 7u);
  EXPECT_EQ(receive_control(ends_[1]).result, ControlResult::closed);
}

}  // namespace
}  // namespace ringcast::worker
