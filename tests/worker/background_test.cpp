#include "worker/background.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <future>
#include <vector>

namespace ringcast::worker {
namespace {

class BackgroundTest : public testing::Test {
 protected:
  ~BackgroundTest() override { close(wake_fd_); }

  // Waits for wake-ups until `count` conclusions have run.
  void wait_concluded(Background& background, std::size_t count) {
    while (concluded_.size() < count) {
      pollfd woken{.fd = wake_fd_, .events = POLLIN, .revents = 0};
      ASSERT_EQ(poll(&woken, 1, 60'000), 1);
      std::uint64_t times = 0;
      ASSERT_EQ(read(wake_fd_, &times, sizeof times), static_cast<ssize_t>(sizeof times));
      background.finish();
    }
  }
  Background::Work number(int n) {
    return [this, n] { return [this, n] { concluded_.push_back(n); }; };
  }
  // Work that goes on until the future is set.
  static Background::Work until(std::shared_future<void> release) {
    return [release] {
      release.wait();
      return Background::Conclusion();
    };
  }

  int wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::vector<int> concluded_;
};

TEST_F(BackgroundTest, WorksInOrderAndConcludesWhereItWasAsked) {
  Background background(wake_fd_);
  const auto own = std::this_thread::get_id();
  std::thread::id worked_on;
  background.submit([&worked_on, own] {
    worked_on = std::this_thread::get_id();
    return [own] { EXPECT_EQ(std::this_thread::get_id(), own); };
  });
  for (int n = 0; n < 10; ++n) EXPECT_NE(background.submit(number(n)), 0u);
  wait_concluded(background, 10);
  EXPECT_EQ(concluded_, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_NE(worked_on, own);
}

TEST_F(BackgroundTest, TakesNoMoreThanItsBound) {
  std::promise<void> release;
  Background background(wake_fd_);
  background.submit(until(release.get_future().share()));
  std::size_t taken = 0;
  while (background.submit(number(0)) != 0) ++taken;
  // The first piece may have begun already, or wait still.
  EXPECT_GE(taken, kBackgroundWorkMax - 1);
  EXPECT_LE(taken, kBackgroundWorkMax);
  release.set_value();
  wait_concluded(background, taken);
  EXPECT_NE(background.submit(number(1)), 0u);
  wait_concluded(background, taken + 1);
}

TEST_F(BackgroundTest, WhatIsWithdrawnIsNotDone) {
  std::promise<void> release;
  Background background(wake_fd_);
  background.submit(until(release.get_future().share()));
  const std::uint64_t withdrawn = background.submit(number(1));
  background.submit(number(2));
  background.withdraw(withdrawn);
  background.withdraw(12345);
  release.set_value();
  wait_concluded(background, 1);
  EXPECT_EQ(concluded_, std::vector<int>{2});
}

TEST_F(BackgroundTest, ItsEndDropsWhatWaits) {
  std::promise<void> release;
  {
    Background background(wake_fd_);
    background.submit(until(release.get_future().share()));
    background.submit(number(1));
    release.set_value();
  }
  EXPECT_TRUE(concluded_.empty());
}

}  // namespace
}  // namespace ringcast::worker
