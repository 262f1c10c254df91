// The slots of one worker: which are in use, by which generation. Owned by one worker thread.
//
// Generations lie in the shared segment, so that a restarted worker never reuses one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "worker/connection.h"

namespace ringcast::worker {

class ConnectionTable {
 public:
  ConnectionTable(std::uint32_t worker, std::span<std::atomic<std::uint32_t>> generations,
                  const wire::FrameLimits& limits, wire::FrameStatePool& pool);
  ~ConnectionTable();
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  std::uint32_t capacity() const { return static_cast<std::uint32_t>(generations_.size()); }
  std::uint32_t in_use() const { return in_use_; }

  // A connection in a free slot, with the slot's current generation; null if there is none.
  Connection* create();

  // The connection in `slot`, whoever it is; null if the slot is free.
  Connection* in_slot(std::uint32_t slot) {
    return slot < used_.size() && used_[slot] ? &place(slot) : nullptr;
  }
  // The connection of exactly this name; null if it is gone.
  Connection* find(ring::ConnectionId id) {
    Connection* connection = in_slot(id.slot);
    return connection != nullptr && connection->id == id ? connection : nullptr;
  }

  // Gives the connection's slot its next generation: from here on nothing that was queued for it
  // matches.
  void advance_generation(Connection& connection);

  // Destroys the connection and frees its slot. Its generation has been advanced since it was last
  // used.
  void destroy(Connection& connection);

  // Gives back the memory of slots that are free.
  void trim();

  // Every connection in use, in slot order. `visit` may not create or destroy any.
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::uint32_t slot = 0; slot < used_.size(); ++slot) {
      if (used_[slot]) visit(place(slot));
    }
  }

 private:
  Connection& place(std::uint32_t slot) { return connections_[slot]; }

  std::uint32_t worker_;
  std::span<std::atomic<std::uint32_t>> generations_;
  const wire::FrameLimits* limits_;
  wire::FrameStatePool* pool_;
  Connection* connections_;  // one mapping; pages appear as slots are used for the first time
  std::vector<bool> used_;   // grows to the highest slot ever used
  std::vector<std::uint32_t> free_;  // used last, reused first
  std::uint32_t in_use_ = 0;
};

}  // namespace ringcast::worker
