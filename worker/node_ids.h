// Subscription and registration ids: never given twice in a node's life, and never the same by two
// workers. Called by the worker's own thread only.
#pragma once

#include <atomic>
#include <cstdint>

namespace ringcast::worker {

// `used` lies in the shared segment and counts through all incarnations of `worker`. 0: all are
// used up. Ids of different workers never meet: id - 1 is congruent to the worker's number. At most
// 2^32 - 1, because a client turns larger ones into other types.
inline std::uint32_t draw_node_id(std::atomic<std::uint32_t>& used, std::uint32_t workers,
                                  std::uint32_t worker) {
  // Relaxed: this worker is the only writer.
  const std::uint32_t count = used.load(std::memory_order_relaxed);
  const std::uint64_t id = std::uint64_t{count} * workers + worker + 1;
  if (id > UINT32_MAX) return 0;
  used.store(count + 1, std::memory_order_relaxed);
  return static_cast<std::uint32_t>(id);
}

}  // namespace ringcast::worker
