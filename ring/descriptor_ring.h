// One single-producer single-consumer ring of descriptors: the only way from one worker to another
// (invariant I3). It lies in the shared segment; exactly one worker thread pushes and exactly one
// pops. After the death of either, its next incarnation, or the supervisor once the process is
// reaped, takes its place.
//
// Deadlock rule: a push never waits. A full ring is an answer (fewer pushed than offered); the
// producer keeps the rest staged, stops reading from the publishers that cause it, and goes on
// draining its own rings (invariant I4).
#pragma once

#include <boost/lockfree/spsc_queue.hpp>
#include <cstddef>
#include <span>

#include "ring/descriptor.h"

namespace ringcast::ring {

inline constexpr std::size_t kRingCapacity = 1024;  // descriptors; 64 KiB a ring

class DescriptorRing {
 public:
  // Producer. Pushes from the front as many as fit and makes them visible at once; returns how
  // many.
  std::size_t push(std::span<const Descriptor> batch) {
    // An empty batch may have no address, which memmove may not be given.
    return batch.empty() ? 0 : queue_.push(batch.data(), batch.size());
  }

  // Consumer. Pops up to out.size() descriptors; returns how many.
  std::size_t pop(std::span<Descriptor> out) {
    return out.empty() ? 0 : queue_.pop(out.data(), out.size());
  }

  // Consumer: whether nothing is there. A producer may be pushing at the same moment; see wakeup.h
  // for how a consumer makes sure before it sleeps.
  bool empty() const { return queue_.read_available() == 0; }

 private:
  boost::lockfree::spsc_queue<Descriptor, boost::lockfree::capacity<kRingCapacity>> queue_;
};

// Boost 1.74 aligns both indices to cache lines of their own, and the descriptor's alignment does
// the same for slot 0: producer and consumer never write the same line.
static_assert(alignof(DescriptorRing) >= 64);

}  // namespace ringcast::ring
