// The home worker's side of the home protocol: answers requests for subscription ids, hears who
// holds a topic no more, and after a restart waits until the others have announced what they hold.
//
// One per worker; used by its thread only. Its own sessions ask it through the same calls, with
// `from` equal to its own number.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "ring/counters.h"
#include "worker/home.h"
#include "worker/peers.h"

namespace ringcast::worker {

// Where answers to this worker's own requests go.
class HomeClient {
 public:
  virtual ~HomeClient() = default;
  virtual void on_home_reply(std::uint64_t token, std::uint32_t subscription) = 0;
};

class HomeService {
 public:
  HomeService(ring::Segment& segment, std::uint32_t self, Peers& peers, HomeClient& client);

  // This worker turns live while those in `expected` (bit per worker) are: until each of them has
  // said announce_done or is lost, requests wait. Their number is bounded by what each worker may
  // have pending.
  void begin(std::uint64_t expected) { awaited_ = expected; }

  void subscribe(std::uint32_t from, std::uint64_t token, std::uint64_t target,
                 const TopicKey& key);
  void release(std::uint32_t from, std::uint64_t hash, std::uint32_t subscription);
  void announce(std::uint32_t from, std::uint32_t subscription, const TopicKey& key);
  void announce_done(std::uint32_t from);
  void on_worker_lost(std::uint32_t worker);

 private:
  struct Deferred {
    std::uint32_t from;
    std::uint64_t token;
    std::uint64_t target;
    std::uint64_t hash;
    std::uint16_t realm;
    wire::MatchPolicy match;
    std::string uri;
  };
  void answer(std::uint32_t from, std::uint64_t token, std::uint64_t target, const TopicKey& key);
  void open_if_complete();
  void report();

  std::uint32_t self_;
  Peers& peers_;
  HomeClient& client_;
  ring::Counters& counters_;
  HomeTable table_;
  std::uint64_t awaited_ = 0;
  std::deque<Deferred> deferred_;
};

}  // namespace ringcast::worker
