#include "worker/send_queue.h"

#include <algorithm>
#include <cassert>

namespace ringcast::worker {
namespace {

// Bytes of the unmasked server frame that begins at `frame` (RFC 6455 section 5.2).
std::size_t frame_extent(const char* frame) {
  const auto byte = [frame](std::size_t i) { return static_cast<unsigned char>(frame[i]); };
  const std::size_t length = byte(1) & 0x7F;
  if (length < 126) return 2 + length;
  const std::size_t width = length == 126 ? 2 : 8;
  std::size_t payload = 0;
  for (std::size_t i = 0; i < width; ++i) payload = payload << 8 | byte(2 + i);
  return 2 + width + payload;
}

}  // namespace

void SendQueue::append(LogRange range, const FanoutLog& log) {
  bytes_ += range.size();
  LogRange& last = more_.empty() ? first_ : more_.back();
  if (first_.empty()) {
    first_ = range;
  } else if (last.end == range.begin) {
    last.end = range.end;
  } else {
    more_.push_back(range);
    if (more_.size() >= kRangesMax) make_private(log);
  }
}

void SendQueue::append_raw(LogRange range) {
  assert(empty());
  first_ = range;
  bytes_ = range.size();
  front_left_ = range.size();
}

std::size_t SendQueue::gather(const FanoutLog& log, iovec* pieces, std::size_t pieces_max,
                              std::size_t bytes_max) const {
  std::size_t count = 0;
  const auto add = [&](const char* data, std::size_t size) {
    const std::size_t taken = std::min(size, bytes_max);
    pieces[count++] = {.iov_base = const_cast<char*>(data), .iov_len = taken};
    bytes_max -= taken;
    return count < pieces_max && bytes_max != 0;
  };
  if (private_size() != 0 && !add(private_->bytes.data() + private_->begin, private_->size())) {
    return count;
  }
  if (first_.empty() || !add(log.at(first_.begin), first_.size())) return count;
  for (const LogRange& range : more_) {
    if (!add(log.at(range.begin), range.size())) break;
  }
  return count;
}

void SendQueue::consume(std::size_t sent, const FanoutLog& log) {
  assert(sent <= bytes_);
  if (sent == bytes_) {
    clear();
    return;
  }
  update_front_left(sent, log);
  bytes_ -= sent;
  if (private_) {
    const std::size_t from_private = std::min(sent, private_->size());
    private_->begin += from_private;
    sent -= from_private;
    if (private_->size() == 0) private_.reset();
  }
  consume_ranges(sent);
}

void SendQueue::consume_ranges(std::size_t bytes) {
  std::size_t used_up = 0;  // ranges of more_ that have moved into first_
  while (bytes != 0) {
    const std::size_t taken = std::min(bytes, first_.size());
    first_.begin += taken;
    bytes -= taken;
    if (first_.empty() && used_up < more_.size()) first_ = more_[used_up++];
  }
  more_.erase(more_.begin(), more_.begin() + static_cast<std::ptrdiff_t>(used_up));
}

const char* SendQueue::byte_at(std::size_t offset, const FanoutLog& log) const {
  if (offset < private_size()) return private_->bytes.data() + private_->begin + offset;
  offset -= private_size();
  if (offset < first_.size()) return log.at(first_.begin + offset);
  offset -= first_.size();
  for (const LogRange& range : more_) {
    if (offset < range.size()) return log.at(range.begin + offset);
    offset -= range.size();
  }
  assert(false && "offset beyond the queue");
  return nullptr;
}

// Walks from one frame boundary to the next until past what was sent. Only after a short send.
void SendQueue::update_front_left(std::size_t sent, const FanoutLog& log) {
  std::size_t boundary = front_left_;
  while (boundary < sent) boundary += frame_extent(byte_at(boundary, log));
  front_left_ = boundary - sent;
}

void SendQueue::make_private(const FanoutLog& log) {
  if (first_.empty()) return;
  if (!private_) private_ = std::make_unique<PrivateCopy>();
  private_->bytes.erase(0, private_->begin);
  private_->begin = 0;
  private_->bytes.reserve(bytes_);
  private_->bytes.append(log.at(first_.begin), first_.size());
  for (const LogRange& range : more_) private_->bytes.append(log.at(range.begin), range.size());
  first_ = {};
  more_.clear();
}

std::size_t SendQueue::drop_unsent(const FanoutLog& log) {
  const std::size_t before = bytes_;
  const std::size_t kept = front_left_;
  if (kept == 0) {
    clear();
    return before;
  }
  // The frame in progress lies in one piece, at the front.
  std::string rest(byte_at(0, log), kept);
  clear();
  private_ = std::make_unique<PrivateCopy>();
  private_->bytes = std::move(rest);
  bytes_ = kept;
  front_left_ = kept;
  return before - kept;
}

void SendQueue::clear() {
  private_.reset();
  first_ = {};
  more_.clear();
  bytes_ = 0;
  front_left_ = 0;
}

}  // namespace ringcast::worker
