// Deadlines of calls that have one, to the millisecond. Owned by one worker thread.
#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include "worker/clock.h"

namespace ringcast::worker {

class Deadlines {
 public:
  void set(TimeMs at, std::uint64_t call) { due_.emplace(at, call); }
  void clear(TimeMs at, std::uint64_t call) { due_.erase({at, call}); }

  // Takes out one call whose deadline has come; 0 if there is none.
  std::uint64_t take_due(TimeMs now) {
    if (due_.empty() || due_.begin()->first > now) return 0;
    return due_.extract(due_.begin()).value().second;
  }
  // When the next one is; UINT64_MAX: none.
  TimeMs next() const { return due_.empty() ? UINT64_MAX : due_.begin()->first; }
  std::size_t size() const { return due_.size(); }

 private:
  std::set<std::pair<TimeMs, std::uint64_t>> due_;
};

}  // namespace ringcast::worker
