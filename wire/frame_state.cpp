#include "wire/frame_state.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace ringcast::wire {
namespace {

constexpr std::size_t kCapacityMin = 512;

}  // namespace

void MessageBuffer::reserve(std::size_t more) {
  const std::size_t needed = size_ + more;
  if (needed <= capacity_) return;
  const std::size_t capacity = std::max({needed, capacity_ * 2, kCapacityMin});
  auto data = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ != 0) std::memcpy(data.get(), data_.get(), size_);
  data_ = std::move(data);
  capacity_ = capacity;
}

char* MessageBuffer::extend(std::size_t more) {
  reserve(more);
  char* const place = data_.get() + size_;
  size_ += more;
  return place;
}

void MessageBuffer::clear(std::size_t kept_max) {
  size_ = 0;
  if (capacity_ <= kept_max) return;
  data_.reset();
  capacity_ = 0;
}

std::uint64_t FrameHeader::length() const {
  if (short_length() < 126) return short_length();
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < length_size(); ++i) value = value << 8 | bytes[2 + i];
  return value;
}

std::uint32_t FrameHeader::mask_key() const {
  std::uint32_t key = 0;
  if (masked()) std::memcpy(&key, bytes.data() + 2 + length_size(), sizeof key);
  return key;
}

FrameState::FrameState() {
  // Only the receive side is used.
  const wslay_frame_callbacks callbacks = {nullptr, &FrameState::on_recv, nullptr};
  if (wslay_frame_context_init(&context_, &callbacks, this) != 0) throw std::bad_alloc();
}

FrameState::~FrameState() { wslay_frame_context_free(context_); }

ssize_t FrameState::pass(Bytes& bytes, wslay_frame_iocb& frame) {
  input_ = bytes;
  const ssize_t result = wslay_frame_recv(context_, &frame);
  bytes = input_;
  input_ = {};
  return result;
}

ssize_t FrameState::on_recv(std::uint8_t* buffer, std::size_t size, int /*flags*/, void* self) {
  Bytes& input = static_cast<FrameState*>(self)->input_;
  const std::size_t taken = std::min(size, input.size());
  if (taken == 0) return -1;  // wslay takes this as "not yet"
  std::memcpy(buffer, input.data(), taken);
  input.remove_prefix(taken);
  return static_cast<ssize_t>(taken);
}

}  // namespace ringcast::wire
