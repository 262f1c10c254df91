#include "worker/background.h"

#include <algorithm>
#include <utility>

#include "ring/wakeup.h"

namespace ringcast::worker {

Background::~Background() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::uint64_t Background::submit(Work work) {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kBackgroundWorkMax) return 0;
    waiting_.push_back({++last_name_, std::move(work)});
  }
  changed_.notify_one();
  return last_name_;
}

void Background::withdraw(std::uint64_t name) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(waiting_.begin(), waiting_.end(),
                               [&](const Piece& piece) { return piece.name == name; });
  if (at != waiting_.end()) waiting_.erase(at);
}

void Background::finish() {
  // Relaxed: a conclusion that is not seen yet has a wake-up under way, and the lock orders the
  // rest.
  if (!any_done_.load(std::memory_order_relaxed)) return;
  std::vector<Conclusion> done;
  {
    const std::lock_guard lock(mutex_);
    done.swap(done_);
    any_done_.store(false, std::memory_order_relaxed);
  }
  for (const Conclusion& conclude : done) conclude();
}

void Background::run() {
  for (;;) {
    Piece piece;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      piece = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Conclusion conclude = piece.work();
    if (!conclude) continue;
    {
      const std::lock_guard lock(mutex_);
      done_.push_back(std::move(conclude));
      any_done_.store(true, std::memory_order_relaxed);
    }
    ring::wake(wake_fd_);
  }
}

}  // namespace ringcast::worker
