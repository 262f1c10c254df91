// What every io_uring completion carries in its user_data: operation, slot and generation
// (invariant I2). Whatever comes back for a generation that is no longer there is dropped and
// counted.
#pragma once

#include <cstdint>

#include "ring/connection_id.h"

namespace ringcast::worker {

enum class Operation : std::uint8_t {
  none = 0,       // nobody waits for the result (cancellations)
  receive,        // multishot, into a provided buffer
  send,           // completes within the submission (MSG_DONTWAIT)
  poll_writable,  // after a short send
  shutdown,
  close,
  wake,     // the worker's eventfd is readable
  control,  // the supervisor's socket is readable
};

struct OperationTag {
  Operation operation = Operation::none;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  constexpr std::uint64_t packed() const {
    return (std::uint64_t{static_cast<std::uint8_t>(operation)} << 56) |
           (std::uint64_t{slot} << ring::kGenerationBits) | generation;
  }
  static constexpr OperationTag from_packed(std::uint64_t word) {
    return {
        .operation = static_cast<Operation>(word >> 56),
        .slot = static_cast<std::uint32_t>(word >> ring::kGenerationBits) & (ring::kSlotsMax - 1),
        .generation = static_cast<std::uint32_t>(word) & ring::kGenerationMask};
  }
};
static_assert(ring::kSlotBits + ring::kGenerationBits <= 56);

}  // namespace ringcast::worker
