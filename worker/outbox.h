// What the router itself has to publish: meta events and testaments, in the order in which they
// came about. They wait here until the end of the turn, because most come about where nothing can
// be published, in the middle of a session's end for one; and longer where a ring has no room.
//
// Owned by one worker thread. Bounded: what is beyond is dropped, and counted
// (router_events_dropped).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "ring/counters.h"
#include "wire/serializer.h"

namespace ringcast::worker {

// Published in the router's name.
struct OwnPublication {
  std::uint16_t realm = 0;
  wire::Serializer serializer = wire::Serializer::msgpack;
  std::string message;  // a PUBLISH, as a client would send it
  // Whose testament it is, for those who may be told; 0 and empty for what is the router's own.
  std::uint64_t publisher = 0;
  std::string publisher_authid = {};
  std::string publisher_authrole = {};
  bool discloses_publisher = false;
};

class Outbox {
 public:
  static constexpr std::size_t kMessagesMax = 65'536;
  static constexpr std::size_t kBytesMax = 64u << 20;
  // From here on sessions wait with what makes more of them (invariant I4).
  static constexpr std::size_t kBehindMessages = 4096;

  explicit Outbox(ring::Counters& counters) : counters_(counters) {}

  bool empty() const { return waiting_.empty(); }
  bool behind() const { return waiting_.size() >= kBehindMessages; }

  void push(OwnPublication publication) {
    if (waiting_.size() >= kMessagesMax || bytes_ + publication.message.size() > kBytesMax) {
      counters_.add(ring::Counter::router_events_dropped);
      return;
    }
    bytes_ += publication.message.size();
    waiting_.push_back(std::move(publication));
  }

  const OwnPublication& front() const { return waiting_.front(); }
  void pop() {
    bytes_ -= waiting_.front().message.size();
    waiting_.pop_front();
  }

 private:
  ring::Counters& counters_;
  std::deque<OwnPublication> waiting_;
  std::size_t bytes_ = 0;
};

}  // namespace ringcast::worker
