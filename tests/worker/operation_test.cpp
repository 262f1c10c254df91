// What a completion carries comes back as it went in.
#include "worker/operation.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace ringcast::worker {
namespace {

TEST(OperationTag, ComesBackFromItsWordWhole) {
  for (const Operation operation : {Operation::none, Operation::receive, Operation::send,
                                    Operation::close, Operation::control}) {
    for (const std::uint32_t slot : {0u, 1u, 77u, ring::kSlotsMax - 1}) {
      for (const std::uint32_t generation : {0u, 1u, 0x12345u, ring::kGenerationMask}) {
        const OperationTag tag{operation, slot, generation};
        const OperationTag back = OperationTag::from_packed(tag.packed());
        EXPECT_EQ(back.operation, operation);
        EXPECT_EQ(back.slot, slot);
        EXPECT_EQ(back.generation, generation);
      }
    }
  }
}

TEST(OperationTag, DiffersInItsWordWheneverOneFieldDiffers) {
  const OperationTag tag{Operation::send, 5, 9};
  EXPECT_NE(tag.packed(), (OperationTag{Operation::receive, 5, 9}.packed()));
  EXPECT_NE(tag.packed(), (OperationTag{Operation::send, 6, 9}.packed()));
  EXPECT_NE(tag.packed(), (OperationTag{Operation::send, 5, 10}.packed()));
}

}  // namespace
}  // namespace ringcast::worker
