// Frames between workers: written once by the worker that produced them, read by every worker that
// a descriptor was pushed to.
//
// FrameArena is the producer's side: one per worker, used by that worker's thread only. Frames are
// laid out first in, first out in a region of the shared segment. Each frame's header holds one bit
// per worker that still needs it (not a count: when a worker dies, clearing its bit gives back
// exactly what it held). Space comes back when the oldest frames are held by nobody. Consumers copy
// a frame out as soon as they pop its descriptor, so a frame is held only while a descriptor waits
// in a ring: a slow reader holds none.
//
// read_frame() and release_frame() are the consumer's side; any worker's thread, for frames whose
// descriptor it popped. Limits: frame_size_max(); a full arena is an answer, not a wait.
#pragma once

#include <atomic>
#include <boost/circular_buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ringcast::ring {

// In the segment, in front of each frame's bytes.
struct alignas(32) FrameHeader {
  std::atomic<std::uint64_t> holders{0};  // bit w: worker w still needs the frame
  std::uint32_t size = 0;                 // bytes of the frame
  std::uint32_t check = 0;  // frame_check() of offset and size, written last (two-phase)
};
static_assert(sizeof(FrameHeader) == 32);

struct FrameSlot {
  char* data = nullptr;      // where the frame's bytes go
  std::uint64_t offset = 0;  // of its header in the arena, for the descriptor
};

class FrameArena {
 public:
  // Starts empty over `capacity` bytes at `base` (both multiples of 32). The caller knows that no
  // other worker holds a frame of an earlier incarnation any more.
  FrameArena(char* base, std::size_t capacity);

  // Room for one frame of `size` bytes, or nothing while the arena is full. size <=
  // frame_size_max().
  std::optional<FrameSlot> allocate(std::size_t size);

  // After the bytes are written and before the first descriptor is pushed: the last allocated frame
  // is complete and held by `holders`. `size` may be smaller than what was allocated. Between
  // allocate() and commit() nothing else may be called: until then nobody holds the frame.
  void commit(const FrameSlot& slot, std::size_t size, std::uint64_t holders);

  // Takes back what nobody holds. allocate() does it when it finds no room.
  void reclaim();

  // Worker `worker` is gone: it holds nothing any more.
  void forget_worker(std::uint32_t worker);

  std::size_t frame_size_max() const { return capacity_ / 4 - sizeof(FrameHeader); }
  std::size_t capacity() const { return capacity_; }
  std::size_t free_bytes() const { return capacity_ - static_cast<std::size_t>(head_ - tail_); }
  // Not taken back yet; the filler at the end of the region counts as one.
  std::size_t frames() const { return outstanding_.size(); }

 private:
  // Kept in private memory: the walk over frames never trusts a length read from the segment.
  struct Outstanding {
    std::uint64_t position;  // counts up; the offset is position modulo capacity
    std::uint32_t extent;    // bytes with header and padding; a filler at the end of the region too
    bool filler;
  };

  FrameHeader& header_at(std::uint64_t position);
  void push_outstanding(const Outstanding& entry);

  char* base_;
  std::uint64_t capacity_;
  std::uint64_t head_ = 0;  // where the next frame goes
  std::uint64_t tail_ = 0;  // the oldest frame that is held
  boost::circular_buffer<Outstanding> outstanding_;
};

// The bytes of a frame in another worker's arena, or nothing if offset, size or header do not make
// sense.
std::optional<std::string_view> read_frame(const char* arena, std::size_t capacity,
                                           std::uint64_t offset, std::uint32_t size);

// Worker `worker` has copied what it needs. Only for a frame that read_frame() accepted, and never
// for a descriptor meant for an earlier incarnation: the producer takes those back by
// forget_worker(), and may have written there again.
void release_frame(char* arena, std::uint64_t offset, std::uint32_t worker);

}  // namespace ringcast::ring
