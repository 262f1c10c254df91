// What the segment holds for each worker besides rings and arena: its state, its sleeping flag, its
// counters, and what it promises to the others. Fixed-width fields; who writes each is said beside
// it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "ring/connection_id.h"
#include "ring/counters.h"
#include "ring/wakeup.h"

namespace ringcast::ring {

enum class WorkerState : std::uint8_t {
  dead = 0,      // no process; set by the supervisor once the process is reaped
  starting = 1,  // a process exists and is making its inbound rings and its arena its own
  live = 2,      // takes descriptors
};

// One 64-bit word, so that a dying writer leaves the old value or the new one. The epoch counts the
// worker's incarnations from 1.
struct StateWord {
  std::uint32_t epoch = 0;
  WorkerState state = WorkerState::dead;

  constexpr std::uint64_t packed() const {
    return (std::uint64_t{epoch} << 8) | static_cast<std::uint64_t>(state);
  }
  static constexpr StateWord from_packed(std::uint64_t word) {
    return {.epoch = static_cast<std::uint32_t>(word >> 8),
            .state = static_cast<WorkerState>(word & 0xFF)};
  }
  constexpr bool operator==(const StateWord&) const = default;
};

struct alignas(64) WorkerBlock {
  // Written by the supervisor (dead, starting) and by the worker itself (live). Release on every
  // store, acquire on every load: what the writer did before belongs to the state it announces.
  std::atomic<std::uint64_t> state{0};
  std::atomic<std::int32_t> pid{
      0};  // supervisor; of the process that runs the worker, 0 while dead

  SleepingFlag sleeping;  // the worker

  // This worker has popped everything that worker p pushed before its incarnation drained_epoch[p],
  // so it holds no frame of that time. Written by this worker (release), awaited by p's next
  // incarnation (acquire).
  alignas(64) std::array<std::atomic<std::uint32_t>, kWorkersMax> drained_epoch{};

  // The worker, as a home worker: how many ids of subscriptions and registrations it has given out
  // in all its incarnations.
  alignas(64) std::atomic<std::uint32_t> node_ids_used{0};

  alignas(64) Counters counters;
};

}  // namespace ringcast::ring
