// One io_uring and what it needs: the ring, its table of direct descriptors and its provided
// receive buffers. Owned by one worker thread, which creates it and alone submits to it
// (SINGLE_ISSUER).
//
// A direct descriptor's index is the connection's slot. Requires Linux 6.1.
//
// Receive buffers. From Linux 6.12 on a receive takes from a buffer what it needs and leaves the
// rest to the next one, whoever's that is: many small messages lie side by side in the cache, and a
// busy connection is received from in large pieces. Before, each receive took a buffer of its own.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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
  std::uint32_t buffer_offset = 0;  // of a receive: where in its buffer it begins
};

// How receives share the provided buffers; both have the same memory.
struct ReceiveBuffers {
  unsigned count;  // a power of 2
  std::uint32_t bytes;
  bool shared;  // a buffer serves one receive after another until it is full (Linux 6.12)
};
inline constexpr ReceiveBuffers kSharedBuffers{.count = 64, .bytes = 64 * 1024, .shared = true};
inline constexpr ReceiveBuffers kSingleBuffers{.count = 512, .bytes = 8 * 1024, .shared = false};

class IoRing {
 public:
  static constexpr unsigned kSubmissionEntries = 1024;
  static constexpr unsigned kCompletionEntries = 8192;

  using Result = std::variant<std::unique_ptr<IoRing>, IoRingError>;

  // With a table of `direct_descriptors` empty slots, and buffers as this kernel has them.
  static Result create(std::uint32_t direct_descriptors);
  // The same, with these buffers only.
  static Result create(std::uint32_t direct_descriptors, const ReceiveBuffers& buffers);
  ~IoRing();
  IoRing(const IoRing&) = delete;
  IoRing& operator=(const IoRing&) = delete;

  // A submission entry with its tag set, cleared otherwise. Submits what is prepared when there is
  // no room.
  io_uring_sqe* prepare(OperationTag tag);

  // Makes `fd` the direct descriptor `slot` with the next submission, before whatever is prepared
  // after this, and closes `fd` then. If the table can't be changed, operations on the slot fail.
  void install(std::uint32_t slot, int fd);

  // Submits what is prepared. With wait_ms == 0 it returns at once, after the kernel has delivered
  // what is ready; otherwise when a completion is there or the time is over.
  void submit(std::uint64_t wait_ms);

  // Submits what is prepared, and leaves what completes for later: nothing is received before the
  // next submit().
  void submit_only();

  // Whether a completion is there, or the kernel has work that the next submit() turns into some.
  // Costs no system call.
  bool has_news() const;
  // The same, but completions count only when they need their room: for who has submitted some.
  bool has_work() const;

  // Copies out up to out.size() completions and gives their entries back to the kernel.
  std::size_t take_completions(std::span<Completion> out);

  // The bytes of a receive completion, and their way back to the kernel after they were used: once
  // for each completion.
  std::string_view received(const Completion& completion) const;
  void give_back(const Completion& completion);

  void arm_receive(OperationTag tag);  // multishot, for tag.slot

  // Gives back the memory of the receive buffers, unless something lies in them; the kernel goes on
  // receiving into them, which makes new pages.
  void release_buffers();

 private:
  // A buffer since it was provided last.
  struct BufferUse {
    std::uint32_t received = 0;  // bytes of completions that were taken
    std::uint32_t held = 0;      // completions not given back
    bool finished = false;       // no further completion comes for it
  };

  explicit IoRing(const ReceiveBuffers& buffers) : buffers_(buffers), buffer_use_(buffers.count) {}
  void close_installed();
  int set_up_buffers();  // 0 or -errno
  void provide(unsigned buffer, int position);
  char* memory_of(unsigned buffer) const {
    return buffer_memory_ + std::size_t{buffer} * buffers_.bytes;
  }
  std::size_t buffer_memory_bytes() const { return std::size_t{buffers_.count} * buffers_.bytes; }
  std::uint32_t note_use(const io_uring_cqe& completion);

  io_uring ring_{};
  bool ring_ready_ = false;
  std::deque<int> installed_;  // what entries that are not submitted yet point to
  const ReceiveBuffers buffers_;
  io_uring_buf_ring* buffer_ring_ = nullptr;
  char* buffer_memory_ = nullptr;
  std::vector<BufferUse> buffer_use_;
};

// Whether io_uring works here at all, asked once before workers are started.
std::variant<std::monostate, IoRingError> probe_io_ring();

}  // namespace ringcast::worker
