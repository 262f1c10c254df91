// Who of a worker's own sessions wants one topic: a dense array, so that a publication walks memory
// in order. One subscriber, which most topics of a node with a topic for each client have, needs no
// memory beyond the array itself. Owned by its topic.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace ringcast::worker {

struct Subscriber {
  std::uint32_t slot = 0;
  std::uint32_t membership = 0;  // index in the session's memberships
};

class Subscribers {
 public:
  Subscribers() = default;
  ~Subscribers() {
    if (capacity_ != 1) delete[] many_;
  }
  Subscribers(const Subscribers&) = delete;
  Subscribers& operator=(const Subscribers&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Subscriber* begin() { return capacity_ == 1 ? &one_ : many_; }
  Subscriber* end() { return begin() + size_; }
  const Subscriber* begin() const { return capacity_ == 1 ? &one_ : many_; }
  const Subscriber* end() const { return begin() + size_; }
  Subscriber& operator[](std::size_t index) { return begin()[index]; }
  const Subscriber& operator[](std::size_t index) const { return begin()[index]; }
  Subscriber& back() { return begin()[size_ - 1]; }

  void push_back(const Subscriber& subscriber) {
    if (size_ == capacity_) resize(2 * capacity_);
    begin()[size_++] = subscriber;
  }
  // Memory goes back once a quarter of it would do, so that who comes and goes does not pay for it
  // each time.
  void pop_back() {
    assert(size_ != 0);
    --size_;
    if (size_ <= capacity_ / 4) resize(capacity_ / 2);
  }

 private:
  void resize(std::uint32_t capacity) {
    if (capacity == 0 || capacity == capacity_) return;
    auto* memory = capacity == 1 ? nullptr : new Subscriber[capacity];
    Subscriber kept = size_ != 0 ? *begin() : Subscriber{};
    if (memory != nullptr) std::memcpy(memory, begin(), size_ * sizeof(Subscriber));
    if (capacity_ != 1) delete[] many_;
    if (memory != nullptr) {
      many_ = memory;
    } else {
      one_ = kept;
    }
    capacity_ = capacity;
  }

  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 1;  // 1 exactly while one_ is the member in use
  union {
    Subscriber one_{};
    Subscriber* many_;
  };
};
static_assert(sizeof(Subscribers) == 16, "two for each topic");

}  // namespace ringcast::worker
