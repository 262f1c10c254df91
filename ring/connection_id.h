// The name of a connection: (worker, slot, generation), never its fd (invariant I2).
//
// A slot is reused, a generation is not: it moves on before the slot's socket is closed, so
// whatever was queued for the connection that had the slot before no longer matches and is dropped.
// The three fit 53 bits, so that a WAMP session id can be a permutation of it (ring/session_id.h).
// Values; any thread.
#pragma once

#include <compare>
#include <cstdint>

namespace ringcast::ring {

inline constexpr unsigned kWorkerBits = 6;
inline constexpr unsigned kSlotBits = 18;
inline constexpr unsigned kGenerationBits = 29;
inline constexpr unsigned kConnectionIdBits = kWorkerBits + kSlotBits + kGenerationBits;
static_assert(kConnectionIdBits == 53, "a WAMP id has 53 bits");

inline constexpr std::uint32_t kWorkersMax = 1u << kWorkerBits;
inline constexpr std::uint32_t kSlotsMax = 1u << kSlotBits;
// No connection has this one: as the slot of a caller it stands for the worker itself.
inline constexpr std::uint32_t kRouterSlot = kSlotsMax - 1;
inline constexpr std::uint32_t kGenerationMask = (1u << kGenerationBits) - 1;

// The generation after `generation`: never 0, so that no live connection is named by 0. It comes
// round after 2^29 uses of one slot; at a thousand connections a second on one and the same slot
// that is six days, and what was queued for it six days ago has long been drained.
constexpr std::uint32_t next_generation(std::uint32_t generation) {
  const std::uint32_t next = (generation + 1) & kGenerationMask;
  return next == 0 ? 1 : next;
}

struct ConnectionId {
  std::uint32_t worker = 0;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // 0: nobody

  constexpr std::uint64_t packed() const {
    return (std::uint64_t{worker} << (kSlotBits + kGenerationBits)) |
           (std::uint64_t{slot} << kGenerationBits) | generation;
  }
  static constexpr ConnectionId from_packed(std::uint64_t packed) {
    return {.worker = static_cast<std::uint32_t>(packed >> (kSlotBits + kGenerationBits)) &
                      (kWorkersMax - 1),
            .slot = static_cast<std::uint32_t>(packed >> kGenerationBits) & (kSlotsMax - 1),
            .generation = static_cast<std::uint32_t>(packed) & kGenerationMask};
  }
  constexpr bool operator==(const ConnectionId&) const = default;
};

}  // namespace ringcast::ring
