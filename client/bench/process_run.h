// The part of a run that one process does: its connections and their traffic, from connecting to
// the last check, in the phases that the leading process sets. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/bench/board.h"
#include "client/bench/connector.h"
#include "client/bench/fanout_options.h"
#include "client/bench/handshake.h"
#include "client/bench/link_pool.h"
#include "client/bench/traffic.h"
#include "client/failure.h"

namespace ringcast::bench {

class ProcessRun {
 public:
  ProcessRun(const FanoutOptions& options, std::uint32_t process, Board& board, std::uint32_t run);

  // Makes all connections; the tally says when they are ready.
  std::optional<client::Failure> connect();
  // One turn in phase running or draining, which ends at `wake_at` if nothing happens. Keeps
  // tally.settled.
  void turn(std::int64_t wake_at);
  // Phase over: counts what is missing, says goodbye, closes.
  void finish();
  StalledReaders judge_stalled() { return pool_.judge_stalled(); }

  std::string congestion() { return pool_.at(0).congestion(); }

 private:
  void follow_phase();

  const FanoutOptions& options_;
  Board& board_;
  Tally& tally_;
  MaskSource masks_;
  LinkPool pool_;
  Handshake handshake_;
  Traffic traffic_;
  Phase phase_ = Phase::connecting;
  std::int64_t last_turn_ns_ = 0;
  bool idle_ = false;  // the last turn found nothing to do
};

// What a process that does not lead does from its fork on; returns its exit code.
int run_follower(const FanoutOptions& options, std::uint32_t process, Board& board,
                 std::uint32_t run);

}  // namespace ringcast::bench
