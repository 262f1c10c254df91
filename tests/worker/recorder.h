// For tests that drive Peers by hand: a segment whose workers are set live or dead as a supervisor
// would, and a PeerUser that keeps what it is told.
#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "ring/segment.h"
#include "tests/ring/support.h"
#include "worker/peers.h"

namespace ringcast::worker::test {

struct Handed {
  std::uint32_t from = 0;
  ring::Descriptor descriptor;
  std::string frame;
};

// Everything in the order in which it was told; lost and live workers among it.
struct Recorder : PeerUser {
  void on_descriptor(std::uint32_t from, const ring::Descriptor& descriptor,
                     std::string_view frame) override {
    handed.push_back({from, descriptor, std::string(frame)});
  }
  void on_worker_lost(std::uint32_t worker) override {
    lost.push_back(worker);
    handed_before_loss = handed.size();
  }
  void on_worker_live(std::uint32_t worker) override { live.push_back(worker); }

  std::vector<Handed> handed;
  std::vector<std::uint32_t> lost;
  std::vector<std::uint32_t> live;
  std::size_t handed_before_loss = 0;
};

// A segment, its eventfds, and what the supervisor does to the states.
class Board {
 public:
  Board(std::uint32_t workers, std::size_t arena_bytes)
      : segment_(ring::test::segment_or_fail(ring::Segment::create(
            {.workers = workers, .slots_per_worker = 16, .arena_bytes = arena_bytes}))) {
    for (std::uint32_t w = 0; w < workers; ++w) {
      wake_fds_.push_back(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    }
  }
  ~Board() {
    for (const int fd : wake_fds_) close(fd);
  }
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  ring::Segment& segment() { return *segment_; }
  const std::vector<int>& wake_fds() const { return wake_fds_; }
  std::uint64_t count(std::uint32_t worker, ring::Counter counter) const {
    return segment_->block(worker).counters.get(counter);
  }

  // A new incarnation of the worker; it is starting.
  std::unique_ptr<Peers> start(std::uint32_t worker) {
    const std::uint32_t epoch = segment_->state(worker).epoch + 1;
    segment_->set_state(worker, {.epoch = epoch, .state = ring::WorkerState::starting});
    return std::make_unique<Peers>(*segment_, worker, wake_fds_);
  }
  void set_live(std::uint32_t worker) {
    segment_->set_state(worker,
                        {.epoch = segment_->state(worker).epoch, .state = ring::WorkerState::live});
  }
  void set_dead(std::uint32_t worker) {
    segment_->set_state(worker,
                        {.epoch = segment_->state(worker).epoch, .state = ring::WorkerState::dead});
  }

 private:
  std::unique_ptr<ring::Segment> segment_;
  std::vector<int> wake_fds_;
};

inline bool drain_all(Peers& peers, PeerUser& user) {
  return peers.drain(user, [] { return false; });
}

inline Publication publication(std::uint64_t id, std::string_view args) {
  Publication p;
  p.id = id;
  p.topic = "t";
  p.payload.args = args;
  return p;
}

inline std::uint64_t publication_id(const Handed& handed) {
  const auto parsed = parse_publication(handed.frame);
  EXPECT_TRUE(parsed);
  return parsed ? parsed->id : 0;
}

}  // namespace ringcast::worker::test
