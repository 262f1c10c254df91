// What a worker counts. The numbers lie in the shared segment, so they survive its crash and anyone
// may read them without a lock.
//
// One writer per worker block, any number of readers. Relaxed atomics: a reader wants each number,
// not an order between them; the single writer needs no read-modify-write instruction.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringcast::ring {

enum class Counter : std::uint32_t {
  turns,          // turns of the event loop; the supervisor's proof of life
  connections,    // gauge: slots in use
  sessions,       // gauge: WAMP sessions established
  subscriptions,  // gauge: (session, subscription) pairs
  topics,         // gauge: topics with a local subscriber
  connections_accepted,
  connections_closed,
  connections_lost,  // ended because their worker died; written by the supervisor while it is dead
  connections_refused,  // answered by HTTP 503: no slot left
  upgrades_refused,     // answered by another HTTP status than 101
  handshake_timeouts,
  ping_timeouts,
  protocol_violations,        // ended by our ABORT or by a 1002, 1003 or 1007
  slow_reader_bytes_dropped,  // what those had not read
  slow_readers_closed,        // ended because their queue passed its bound
  messages_received,
  bytes_received,
  bytes_sent,
  sends,                      // send operations submitted
  publications,               // accepted from a local publisher
  publications_received,      // taken from rings
  events_queued,              // one per publication and subscriber
  stale_frames_dropped,       // queued for a connection that is gone
  stale_completions_dropped,  // kernel completions of an earlier generation
  stale_descriptors_dropped,  // meant for an earlier incarnation of this worker
  corrupt_descriptors_dropped,
  corrupt_frames_dropped,
  ring_full,          // a push that left descriptors staged
  arena_full,         // a frame that found no room
  publishers_paused,  // gauge: connections not read because a ring or the arena is full
  arena_free_bytes,   // gauge
  arena_frames,       // gauge: frames some worker still holds
  log_evacuations,    // connections that fell behind the log and got a private copy
  buffers_exhausted,  // receives that found no provided buffer
  home_topics,        // gauge: topics this worker is home to
  wakeups_sent,
  payloads_not_transcodable,  // that a session of the other serializer could not be shown
  registrations,              // gauge: at this worker's dealer
  calls_open,                 // gauge: at this worker's dealer, those included whose callee goes on
  calls,                      // made by local sessions
  invocations,                // sent to local sessions
  retained_events,            // gauge: kept by this worker as a home
  retained_bytes,             // gauge
  authorizations_denied,      // requests of local sessions that their role may not make
  authorizations_failed,      // those that an authorizer has not decided
  authorizer_calls,           // made by this worker
  history_events,             // gauge: kept by this worker as a home
  history_bytes,              // gauge
  router_events_dropped,      // meta events and testaments beyond what may wait
  count_,
};
inline constexpr std::size_t kCounterCount = static_cast<std::size_t>(Counter::count_);

// "stale_frames_dropped": the documented name.
std::string_view counter_name(Counter counter);

class Counters {
 public:
  void add(Counter counter, std::uint64_t n = 1) {
    auto& value = at(counter);
    value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void subtract(Counter counter, std::uint64_t n = 1) {
    auto& value = at(counter);
    value.store(value.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  void set(Counter counter, std::uint64_t n) { at(counter).store(n, std::memory_order_relaxed); }
  std::uint64_t get(Counter counter) const {
    return values_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
  }

  // A new incarnation: gauges describe what exists now, so they start at 0; totals go on.
  void reset_gauges();

 private:
  std::atomic<std::uint64_t>& at(Counter counter) {
    return values_[static_cast<std::size_t>(counter)];
  }
  std::array<std::atomic<std::uint64_t>, kCounterCount> values_{};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace ringcast::ring
