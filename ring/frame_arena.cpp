#include "ring/frame_arena.h"

#include <cassert>

namespace ringcast::ring {
namespace {

constexpr std::uint64_t kAlign = sizeof(FrameHeader);

std::uint32_t frame_check(std::uint64_t offset, std::uint32_t size) {
  const std::uint64_t mixed = (offset / kAlign + 1) * 0x9E3779B97F4A7C15u ^ (size * 0xD6E8FEB9u);
  return static_cast<std::uint32_t>(mixed ^ (mixed >> 32));
}

std::uint64_t extent_of(std::size_t size) {
  return (sizeof(FrameHeader) + size + kAlign - 1) / kAlign * kAlign;
}

}  // namespace

FrameArena::FrameArena(char* base, std::size_t capacity)
    : base_(base), capacity_(capacity), outstanding_(256) {
  assert(capacity % kAlign == 0 && capacity >= 4 * kAlign);
  assert(reinterpret_cast<std::uintptr_t>(base) % kAlign == 0);
}

FrameHeader& FrameArena::header_at(std::uint64_t position) {
  return *reinterpret_cast<FrameHeader*>(base_ + position % capacity_);
}

void FrameArena::push_outstanding(const Outstanding& entry) {
  if (outstanding_.full()) outstanding_.set_capacity(outstanding_.capacity() * 2);
  outstanding_.push_back(entry);
}

std::optional<FrameSlot> FrameArena::allocate(std::size_t size) {
  assert(size <= frame_size_max());
  const std::uint64_t extent = extent_of(size);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const std::uint64_t to_end = capacity_ - head_ % capacity_;
    const std::uint64_t filler = to_end < extent ? to_end : 0;
    if (head_ - tail_ + filler + extent <= capacity_) {
      if (filler != 0) {
        push_outstanding({head_, static_cast<std::uint32_t>(filler), true});
        head_ += filler;
      }
      FrameHeader* header = new (base_ + head_ % capacity_) FrameHeader;
      const FrameSlot slot{.data = reinterpret_cast<char*>(header + 1),
                           .offset = head_ % capacity_};
      // Held by nobody until commit(): a frame that is never committed is taken back by reclaim().
      push_outstanding({head_, static_cast<std::uint32_t>(extent), false});
      head_ += extent;
      return slot;
    }
    reclaim();
  }
  return std::nullopt;
}

void FrameArena::commit(const FrameSlot& slot, std::size_t size, std::uint64_t holders) {
  assert(!outstanding_.empty() && outstanding_.back().position % capacity_ == slot.offset);
  assert(extent_of(size) <= outstanding_.back().extent);
  FrameHeader& header = *reinterpret_cast<FrameHeader*>(base_ + slot.offset);
  header.size = static_cast<std::uint32_t>(size);
  // Relaxed: the descriptor's push is a release, and no consumer looks before it has popped that.
  header.holders.store(holders, std::memory_order_relaxed);
  header.check = frame_check(slot.offset, header.size);
}

void FrameArena::reclaim() {
  while (!outstanding_.empty()) {
    const Outstanding& oldest = outstanding_.front();
    // Acquire pairs with the release in release_frame(): the holder has finished reading before the
    // bytes are written again.
    if (!oldest.filler && header_at(oldest.position).holders.load(std::memory_order_acquire) != 0)
      return;
    tail_ = oldest.position + oldest.extent;
    outstanding_.pop_front();
  }
  // Empty: start at the beginning again, where the cache is warm and the pages are there.
  head_ = tail_ = 0;
}

void FrameArena::forget_worker(std::uint32_t worker) {
  for (const Outstanding& frame : outstanding_) {
    if (frame.filler) continue;
    // Acquire-release: like release_frame(), but on behalf of a worker that has died.
    header_at(frame.position)
        .holders.fetch_and(~(std::uint64_t{1} << worker), std::memory_order_acq_rel);
  }
  reclaim();
}

std::optional<std::string_view> read_frame(const char* arena, std::size_t capacity,
                                           std::uint64_t offset, std::uint32_t size) {
  if (offset % kAlign != 0 || offset >= capacity) return std::nullopt;
  if (extent_of(size) > capacity - offset) return std::nullopt;
  const auto* header = reinterpret_cast<const FrameHeader*>(arena + offset);
  if (header->size != size || header->check != frame_check(offset, size)) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(header + 1), size);
}

void release_frame(char* arena, std::uint64_t offset, std::uint32_t worker) {
  auto* header = reinterpret_cast<FrameHeader*>(arena + offset);
  // Release pairs with the acquire in reclaim(): what was read is read before the bit is gone.
  header->holders.fetch_and(~(std::uint64_t{1} << worker), std::memory_order_release);
}

}  // namespace ringcast::ring
