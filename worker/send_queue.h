// What one connection still has to send: first a private copy of what it fell behind with, if any,
// then ranges of its worker's fan-out log. Owned by one connection.
//
// Everything queued consists of whole WebSocket frames, each in one piece; front_left() says how
// much of a frame that has begun to leave is still here, so that the rest can be dropped without
// breaking the stream.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "worker/fanout_log.h"

namespace ringcast::worker {

class SendQueue {
 public:
  static constexpr std::size_t kRangesMax = 64;  // more are folded into the private copy

  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }

  // Queues a range of `log` that begins and ends at frame boundaries. Merges with the one before.
  void append(LogRange range, const FanoutLog& log);

  // The same for bytes that are no frames (an HTTP response): they are one piece that has begun.
  // The queue is empty.
  void append_raw(LogRange range);

  // The position of the log before which nothing is needed any more.
  std::uint64_t oldest_position() const { return first_.empty() ? UINT64_MAX : first_.begin; }

  // Fills up to `pieces_max` pieces from the front, up to `bytes_max` bytes; returns how many
  // pieces.
  std::size_t gather(const FanoutLog& log, iovec* pieces, std::size_t pieces_max,
                     std::size_t bytes_max) const;

  // The first `sent` bytes have left. sent <= bytes().
  void consume(std::size_t sent, const FanoutLog& log);

  // Copies everything out of the log.
  void make_private(const FanoutLog& log);

  // Drops every frame that has not begun to leave; returns the bytes dropped.
  std::size_t drop_unsent(const FanoutLog& log);

  void clear();

  std::size_t front_left() const { return front_left_; }

 private:
  struct PrivateCopy {
    std::string bytes;
    std::size_t begin = 0;
    std::size_t size() const { return bytes.size() - begin; }
  };

  std::size_t private_size() const { return private_ ? private_->size() : 0; }
  const char* byte_at(std::size_t offset, const FanoutLog& log) const;
  void update_front_left(std::size_t sent, const FanoutLog& log);
  void consume_ranges(std::size_t bytes);

  std::unique_ptr<PrivateCopy> private_;
  LogRange first_;              // empty: no ranges
  std::vector<LogRange> more_;  // behind first_, oldest first
  std::size_t bytes_ = 0;       // private copy and ranges together
  std::size_t front_left_ = 0;  // bytes at the front that belong to a frame already begun
};

}  // namespace ringcast::worker
