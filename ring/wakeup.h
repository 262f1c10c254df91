// Waking a worker that sleeps, and only then: an eventfd per worker, written by a producer that has
// pushed and sees the sleeping flag set.
//
// No wake-up is lost. SYNC POINT ring-sleep:
//
//   consumer: sleeping = 1; fence(seq_cst); look at all its rings again; sleep only if all are
//   empty
//
//   producer: push;         fence(seq_cst); look at sleeping;            write the eventfd if set
//
// Of two seq_cst fences one comes first in their single total order. If the consumer's does, the
// producer sees sleeping = 1 and writes; if the producer's does, the consumer sees the push and
// stays awake.
#pragma once

#include <atomic>
#include <cstdint>

namespace ringcast::ring {

struct alignas(64) SleepingFlag {
  std::atomic<std::uint32_t> sleeping{0};
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// Consumer, SYNC POINT ring-sleep. After it, look at every ring again before sleeping.
inline void announce_sleep(SleepingFlag& flag) {
  // Relaxed: the fence below orders it before the reads of the rings.
  flag.sleeping.store(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

// Consumer, as soon as it is awake. Relaxed: a producer that still sees 1 writes one eventfd too
// many.
inline void announce_awake(SleepingFlag& flag) {
  flag.sleeping.store(0, std::memory_order_relaxed);
}

// Producer, after a push, SYNC POINT ring-sleep: whether the consumer must be woken by wake().
inline bool must_wake(const SleepingFlag& flag) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return flag.sleeping.load(std::memory_order_relaxed) != 0;
}

// Adds 1 to the eventfd. Never blocks: the eventfd is non-blocking, and a counter that is full
// wakes as well.
void wake(int event_fd);

}  // namespace ringcast::ring
