// Bytes on their way to one socket: written at the end in place, taken from the front. One thread.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

#include "wire/bytes.h"

namespace ringcast::bench {

class SendBuffer {
 public:
  // Room for `size` more bytes behind the last; valid until the next call. commit() makes them
  // count.
  char* reserve(std::size_t size) {
    if (capacity_ - end_ < size) make_room(size);
    return bytes_.get() + end_;
  }
  void commit(std::size_t size) { end_ += size; }

  void append(wire::Bytes bytes) {
    if (bytes.empty()) return;
    std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
    commit(bytes.size());
  }

  wire::Bytes pending() const { return {bytes_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  void consume(std::size_t size) {
    begin_ += size;
    if (begin_ == end_) begin_ = end_ = 0;
  }

 private:
  void make_room(std::size_t size) {
    const std::size_t used = end_ - begin_;
    std::size_t capacity = capacity_ == 0 ? 512 : capacity_;
    while (capacity < 2 * (used + size)) capacity *= 2;
    std::unique_ptr<char[]> bytes(new char[capacity]);
    if (used > 0) std::memcpy(bytes.get(), bytes_.get() + begin_, used);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
    begin_ = 0;
    end_ = used;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace ringcast::bench
