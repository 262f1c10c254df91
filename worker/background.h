// A thread beside a worker's, for what takes longer than its loop may: deriving keys from
// passwords, reading files. Work runs there, one piece after the other, in the order in which it
// came.
//
// Owned by one worker; its thread calls everything here. What work returns runs on the worker's
// thread again, in finish(): the worker is woken by its eventfd. The thread begins with the first
// piece of work.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ringcast::worker {

inline constexpr std::size_t kBackgroundWorkMax = 256;  // pieces that wait

class Background {
 public:
  using Conclusion = std::function<void()>;
  // Runs on the background thread, so it shares nothing with the worker; null: nothing to conclude.
  using Work = std::function<Conclusion()>;

  explicit Background(int wake_fd) : wake_fd_(wake_fd) {}
  // Waits for the piece that runs; the others are dropped, conclusions too.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Takes a piece of work and names it; 0, and nothing is taken, if kBackgroundWorkMax wait.
  std::uint64_t submit(Work work);
  // Drops a piece that has not begun. Its conclusion may come all the same if it has.
  void withdraw(std::uint64_t name);

  // Runs the conclusions of what is done. Call every turn: it costs one load if there is nothing.
  void finish();

 private:
  struct Piece {
    std::uint64_t name = 0;
    Work work;
  };
  void run();

  int wake_fd_;
  std::uint64_t last_name_ = 0;
  std::thread thread_;  // not joinable before the first piece of work
  std::mutex mutex_;    // guards what follows
  std::condition_variable changed_;
  std::deque<Piece> waiting_;
  std::vector<Conclusion> done_;
  bool stopping_ = false;
  std::atomic<bool> any_done_{false};  // done_ may have something
};

}  // namespace ringcast::worker
