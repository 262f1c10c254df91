// One io_uring and what it needs: the ring, its table of direct descriptors and its provided
// receive buffers. Owned by one worker thread, which creates it and alone submits to it
// (SINGLE_ISSUER).
//
// A direct descriptor's index is the connection's slot. Requires Linux 6.1.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "worker/operation.h"

namespace ringcast::worker {

// Why io_uring can't be used here: told apart because the remedies differ.
struct IoRingError {
  enum class Cause : std::uint8_t { seccomp, sysctl, memlock, descriptors, kernel, other };
  Cause cause = Cause::other;
  std::string message;  // cause and remedy, for a person
};

// A completion, copied out of the kernel's queue.
struct Completion {
  std::uint64_t user_data = 0;
  std::int32_t res = 0;
  std::uint32_t flags = 0;
};

class IoRing {
 public:
  static constexpr unsigned kSubmissionEntries = 1024;
  static constexpr unsigned kCompletionEntries = 8192;
  static constexpr unsigned kBuffers = 512;  // provided receive buffers, a power of 2
  static constexpr std::size_t kBufferBytes = 8 * 1024;

  using Result = std::variant<std::unique_ptr<IoRing>, IoRingError>;

  // With a table of `direct_descriptors` empty slots.
  static Result create(std::uint32_t direct_descriptors);
  ~IoRing();
  IoRing(const IoRing&) = delete;
  IoRing& operator=(const IoRing&) = delete;

  // A submission entry with its tag set, cleared otherwise. Submits what is prepared when there is
  // no room.
  io_uring_sqe* prepare(OperationTag tag);

  // Puts `fd` at index `slot` of the direct descriptors; the caller still owns and closes `fd`.
  // False if the table can't be changed (errno).
  bool install(std::uint32_t slot, int fd);

  // Submits what is prepared. With wait_ms == 0 it returns at once, after the kernel has delivered
  // what is ready; otherwise when a completion is there or the time is over.
  void submit(std::uint64_t wait_ms);

  // Copies out up to out.size() completions and gives their entries back to the kernel.
  std::size_t take_completions(std::span<Completion> out);

  // The bytes of a receive completion, and the buffer's way back to the kernel after they were
  // used.
  std::string_view received(const Completion& completion) const;
  void give_back(const Completion& completion);

  void arm_receive(OperationTag tag);  // multishot, for tag.slot

 private:
  IoRing() = default;
  bool set_up_buffers();

  io_uring ring_{};
  bool ring_ready_ = false;
  io_uring_buf_ring* buffer_ring_ = nullptr;
  char* buffers_ = nullptr;
};

// Whether io_uring works here at all, asked once before workers are started.
std::variant<std::monostate, IoRingError> probe_io_ring();

}  // namespace ringcast::worker
