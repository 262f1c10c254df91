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
#include "worker/membership_change.h"
#include "worker/peers.h"

namespace ringcast::worker {

// Where answers to this worker's own requests go, and what is to be known of topics.
class HomeClient {
 public:
  virtual ~HomeClient() = default;
  virtual void on_home_reply(std::uint64_t token, std::uint32_t subscription) = 0;
  // Of a topic that is at home here; `session` is nobody if its worker has died.
  virtual void on_topic_change(MembershipChange change, ring::ConnectionId session,
                               const HomeTopic& topic) = 0;
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
  // `last`: the session that was the last one of worker `from` to leave.
  void release(std::uint32_t from, std::uint64_t hash, std::uint32_t subscription,
               ring::ConnectionId last = {});
  // A session has joined or left.
  void subscriber_changed(MembershipChange change, ring::ConnectionId session,
                          std::uint32_t subscription);
  void announce(std::uint32_t from, std::uint32_t subscription, const TopicKey& key);
  void announce_done(std::uint32_t from);
  void on_worker_lost(std::uint32_t worker);

  // --- what is known of topics (worker/subscription_meta.h)
  bool complete() const { return awaited_ == 0; }  // everybody has announced
  const HomeTopic* find(const TopicKey& key) { return table_.find(key); }
  const HomeTopic* find(std::uint32_t subscription) const { return table_.find(subscription); }
  template <typename Visit>
  void for_each(Visit visit) {
    table_.for_each(visit);
  }
  std::size_t size() const { return table_.size(); }

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
