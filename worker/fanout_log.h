// The fan-out log: every frame that this worker sends lies in it once, in the order of arrival, and
// connections queue ranges of it. Owned by one worker thread.
//
// A circular buffer that is mapped twice in a row, so that any range up to its capacity is
// contiguous. Positions count up for ever. What lies between floor() and end() can be read; whoever
// queues a range must be given a private copy before the floor passes it (Transport::reserve() does
// that).
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

namespace ringcast::worker {

struct LogRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::size_t size() const { return static_cast<std::size_t>(end - begin); }
  bool empty() const { return begin == end; }
};

class FanoutLog {
 public:
  // `capacity` bytes, rounded up to whole pages. Throws std::system_error if it can't be mapped.
  explicit FanoutLog(std::size_t capacity);
  ~FanoutLog();
  FanoutLog(const FanoutLog&) = delete;
  FanoutLog& operator=(const FanoutLog&) = delete;

  std::size_t capacity() const { return capacity_; }
  std::uint64_t floor() const { return floor_; }
  std::uint64_t end() const { return end_; }

  // The floor that must hold before `size` more bytes can be written.
  std::uint64_t floor_needed(std::size_t size) const {
    return end_ + size > capacity_ ? end_ + size - capacity_ : 0;
  }
  // Gives up everything before `floor`; nobody refers to it any more.
  void raise_floor(std::uint64_t floor) {
    assert(floor >= floor_ && floor <= end_);
    floor_ = floor;
  }

  // Nobody refers to anything in the log: what comes next is written over what was written first.
  // So a log that is drained again and again stays as small, and as warm, as what is in it at once.
  void rewind() {
    floor_ = end_;
    origin_ = end_;
  }

  // The same, and its memory goes back.
  void release();

  // Where the next `size` bytes go. floor_needed(size) <= floor().
  char* write_pointer(std::size_t size) {
    assert(floor_needed(size) <= floor_);
    (void)size;
    return base_ + (end_ - origin_) % capacity_;
  }
  // The `size` bytes at write_pointer() are there now.
  LogRange commit(std::size_t size) {
    const LogRange range{end_, end_ + size};
    end_ = range.end;
    return range;
  }

  // Contiguous; floor() <= position <= end().
  const char* at(std::uint64_t position) const {
    assert(position >= floor_ && position <= end_);
    return base_ + (position - origin_) % capacity_;
  }

 private:
  char* base_ = nullptr;
  std::size_t capacity_;
  std::uint64_t floor_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t origin_ =
      0;  // the position that lies at base_, or a multiple of capacity_ ahead of it
};

}  // namespace ringcast::worker
