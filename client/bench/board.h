// What the processes of one run share: an anonymous mapping, made before they are forked. Each
// process writes its own tally and the lanes it publishes; process 0, which leads the run, writes
// the control part. Single writers everywhere, relaxed or release/acquire atomics where others
// read. Totals that the leader reads while the others count may be a moment old.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/delivery_check.h"
#include "client/bench/histogram.h"
#include "client/failure.h"

namespace ringcast::bench {

enum class Phase : std::uint32_t { connecting, running, draining, over };

// Set by the leader. Times are CLOCK_MONOTONIC.
struct Control {
  std::atomic<Phase> phase = Phase::connecting;
  std::atomic<std::int64_t> started_ns = 0;
  // Latencies of messages meant to be sent in between are recorded.
  std::atomic<std::int64_t> measured_from_ns = 0;
  std::atomic<std::int64_t> measured_to_ns = 0;
};

// What one process counts and says.
struct Tally {
  Histogram latency;
  CheckCounts counts;
  std::uint64_t deliveries = 0;
  std::uint64_t churned_deliveries = 0;  // to --churn connections
  std::uint64_t published = 0;
  std::uint64_t published_bytes = 0;  // of payload
  std::uint64_t confirmed = 0;  // without subscribers: taken by the server, as its answer showed
  std::uint64_t given_up = 0;   // deliveries that were due to subscribers that are gone
  std::uint64_t disconnects = 0;
  std::int64_t last_progress_ns = 0;
  std::int64_t idle_ns = 0;  // spent in turns that found nothing to do
  std::uint64_t due = 0;     // deliveries that its publications are to bring about
  std::uint32_t live_publishers = 0;
  std::uint32_t live_subscribers = 0;
  char first_disconnect[256] = {};
  // The rest is for other processes to wait for.
  std::atomic<bool> ready = false;    // all connections are made
  std::atomic<bool> settled = false;  // its subscribers have all that was sent to them
  std::atomic<bool> done = false;     // what is missing is in counts; nothing changes any more
  std::atomic<bool> failed = false;   // failure_* say why
  client::Failure::Kind failure_kind = client::Failure::Kind::network;
  char failure_cause[384] = {};
  char failure_remedy[384] = {};

  // Counts a lost connection, and keeps what is said of the first.
  void lose_connection(const std::string& what);
  void fail(const client::Failure& failure);
  std::optional<client::Failure> failure() const;
};

class Board {
 public:
  Board(std::uint32_t processes, std::uint32_t lanes, std::uint32_t topics);
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  Control& control() { return *control_; }
  Tally& tally(std::uint32_t process) { return tallies_[process]; }

  // Written by the process of the lane's publisher: messages sent; whether the publisher is gone.
  std::atomic<std::uint64_t>& sent(std::uint32_t lane) { return sent_[lane]; }
  std::atomic<bool>& abandoned(std::uint32_t lane) { return abandoned_[lane]; }
  // Written by each process: what all its subscribers of the lane have; kNobodyWaits without any.
  std::atomic<std::uint64_t>& delivered(std::uint32_t process, std::uint32_t lane) {
    return delivered_[std::size_t{process} * lanes_ + lane];
  }
  // Live subscribers of the topic, of all processes.
  std::atomic<std::uint32_t>& readers(std::uint32_t topic) { return readers_[topic]; }
  // What all subscribers of the lane have, whichever process they are in.
  std::uint64_t delivered_to_all(std::uint32_t lane) const;

  // An eventfd by which a process is told that delivered() of a lane it publishes has changed.
  int wakeup(std::uint32_t process) const { return wakeups_[process]; }

 private:
  std::uint32_t processes_;
  std::uint32_t lanes_;
  std::size_t mapped_bytes_;
  char* mapping_;
  Control* control_;
  Tally* tallies_;
  std::atomic<std::uint64_t>* sent_;
  std::atomic<std::uint64_t>* delivered_;
  std::atomic<bool>* abandoned_;
  std::atomic<std::uint32_t>* readers_;
  std::vector<int> wakeups_;
};

}  // namespace ringcast::bench
