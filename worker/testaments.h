// What sessions leave behind (WAMP, "Session Testament"): publications that are made when they end,
// however they end. Kept by the session's own worker, and lost with it if it dies.
//
// Owned by one worker thread. Bounded in number and bytes, of each session and in all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ring/connection_id.h"
#include "worker/outbox.h"

namespace ringcast::worker {

class Testaments {
 public:
  static constexpr std::size_t kPerSessionMax = 256;
  static constexpr std::size_t kSessionBytesMax = 1u << 20;
  static constexpr std::size_t kBytesMax = 64u << 20;

  // Sessions end for good here, so both come to pass at once, in this order; they are apart for
  // flush() ("A Router that does not allow Session Resumption").
  enum class Scope : std::uint8_t { detached, destroyed };

  // False: a bound is reached.
  bool add(ring::ConnectionId session, Scope scope, OwnPublication publication);
  void flush(ring::ConnectionId session, Scope scope);

  // Those of a session that has ended, in the order in which they are to be published; they are
  // forgotten here.
  std::vector<OwnPublication> take(ring::ConnectionId session);

 private:
  struct Will {
    ring::ConnectionId session;
    std::array<std::vector<OwnPublication>, 2> by_scope;
    std::size_t bytes = 0;
  };
  void drop_if_empty(std::uint32_t slot);

  std::unordered_map<std::uint32_t, Will> wills_;  // by slot
  std::size_t bytes_ = 0;
};

}  // namespace ringcast::worker
