// The processes that share a run with the one that leads it: forked before anything is connected,
// reaped at the end. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "client/bench/board.h"
#include "client/bench/fanout_options.h"
#include "client/failure.h"

namespace ringcast::bench {

class Followers {
 public:
  Followers(const FanoutOptions& options, Board& board) : options_(options), board_(board) {}
  // Ends those that still run.
  ~Followers();
  Followers(const Followers&) = delete;
  Followers& operator=(const Followers&) = delete;

  std::optional<client::Failure> start(std::uint32_t run);
  // What a follower failed of, or that it is gone though it should not be.
  std::optional<client::Failure> failure();
  // Waits until each has counted what it missed.
  std::optional<client::Failure> wait_until_done();

  const std::vector<pid_t>& pids() const { return pids_; }

 private:
  const FanoutOptions& options_;
  Board& board_;
  std::vector<pid_t> pids_;  // of processes 1, 2, …
};

}  // namespace ringcast::bench
