// The records of a dealer's calls, and the chains in which they hang: those that a session has
// made, those that were given to it, those that wait for a callee. One per dealer; used by its
// worker's thread only.
//
// A record keeps its place while it lives, and its place is reused with another generation: so the
// name of a call (CallTable::name) tells a call that is over from the one that has its place now.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ring/connection_id.h"

namespace ringcast::worker {

inline constexpr std::uint32_t kNoCall = UINT32_MAX;

enum class Chain : std::uint8_t { made, given, queued };

struct CallRecord {
  struct Links {
    std::uint32_t next = kNoCall;
    std::uint32_t previous = kNoCall;
  };
  ring::ConnectionId caller;
  ring::ConnectionId callee;
  std::uint64_t request = 0;      // the caller's
  std::uint64_t timeout_ms = 0;   // 0: none that the dealer looks after
  std::uint64_t deadline_ms = 0;  // 0: none
  std::uint32_t registration = 0;
  std::uint32_t generation = 0;
  std::uint64_t callee_order = 0;  // Callee::order of who was given it
  std::uint16_t realm = 0;
  bool open = false;            // its caller waits for an answer; in chain `made`
  bool held = false;            // `callee` is not done with it; in chain `given`
  bool queued = false;          // every callee is at its limit; in chain `queued`
  bool canceling = false;       // its callee has been asked to end it, and answers
  bool interruptible = false;   // its callee understands INTERRUPT
  bool wants_progress = false;  // the caller takes progressive results
  bool continues = false;       // more of it may come from the caller
  bool in_parts = false;        // its callee has been sent more than the first part
  // What it would take to give it to somebody else: while it is queued, or others could have it.
  std::string kept;
  std::vector<ring::ConnectionId> tried;  // callees that were unavailable
  std::array<Links, 3> links;             // by Chain
};

// The ends of a chain.
struct CallList {
  std::uint32_t first = kNoCall;
  std::uint32_t last = kNoCall;
  std::uint32_t size = 0;
  bool empty() const { return size == 0; }
};

class CallTable {
 public:
  std::size_t size() const { return records_.size() - free_.size(); }

  // An open call, not in any chain yet. REQUIRES: the caller has none of that request.
  std::uint32_t create(ring::ConnectionId caller, std::uint64_t request);
  // REQUIRES: it is not open and hangs in no chain.
  void destroy(std::uint32_t index);

  CallRecord& operator[](std::uint32_t index) { return records_[index]; }

  // The open call of a caller; kNoCall if it has none of that request.
  std::uint32_t find(ring::ConnectionId caller, std::uint64_t request) const;
  // The caller's request names this call no more.
  void close(std::uint32_t index);

  std::uint64_t name(std::uint32_t index) const {
    return std::uint64_t{records_[index].generation} << 32 | index;
  }
  // Any value; kNoCall if that call is over.
  std::uint32_t named(std::uint64_t name) const;

  void append(CallList& list, Chain chain, std::uint32_t index);
  void remove(CallList& list, Chain chain, std::uint32_t index);

 private:
  struct Key {
    std::uint64_t caller;
    std::uint64_t request;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return (key.caller ^ key.request * 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u >> 7;
    }
  };

  std::vector<CallRecord> records_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<Key, std::uint32_t, KeyHash> open_;
};

}  // namespace ringcast::worker
