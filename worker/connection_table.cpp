#include "worker/connection_table.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <new>
#include <system_error>

namespace ringcast::worker {

ConnectionTable::ConnectionTable(std::uint32_t worker,
                                 std::span<std::atomic<std::uint32_t>> generations,
                                 const wire::FrameLimits& limits, wire::FrameStatePool& pool)
    : worker_(worker), generations_(generations), limits_(&limits), pool_(&pool) {
  void* memory = mmap(nullptr, capacity() * sizeof(Connection), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "cannot map the connection table");
  }
  connections_ = static_cast<Connection*>(memory);
}

ConnectionTable::~ConnectionTable() {
  for_each([](Connection& connection) { connection.~Connection(); });
  munmap(connections_, capacity() * sizeof(Connection));
}

Connection* ConnectionTable::create() {
  std::uint32_t slot = 0;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else if (used_.size() < capacity()) {
    slot = static_cast<std::uint32_t>(used_.size());
    used_.push_back(false);
  } else {
    return nullptr;
  }
  // Relaxed: this worker is the only writer; the fresh segment's 0 is no generation.
  std::uint32_t generation = generations_[slot].load(std::memory_order_relaxed);
  generation = ring::next_generation(generation);
  generations_[slot].store(generation, std::memory_order_relaxed);
  used_[slot] = true;
  ++in_use_;
  const ring::ConnectionId id{.worker = worker_, .slot = slot, .generation = generation};
  return new (&connections_[slot]) Connection(id, *limits_, *pool_);
}

void ConnectionTable::advance_generation(Connection& connection) {
  auto& generation = generations_[connection.id.slot];
  connection.id.generation = ring::next_generation(connection.id.generation);
  generation.store(connection.id.generation, std::memory_order_relaxed);
}

void ConnectionTable::destroy(Connection& connection) {
  const std::uint32_t slot = connection.id.slot;
  assert(used_[slot]);
  connection.~Connection();
  used_[slot] = false;
  --in_use_;
  free_.push_back(slot);
}

// Whole pages between one connection in use and the next; they read as zeroes when they are used
// again, and are constructed in anyway.
void ConnectionTable::trim() {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto release = [&](std::size_t first, std::size_t last) {
    const auto begin = reinterpret_cast<std::uintptr_t>(connections_ + first);
    const auto end = reinterpret_cast<std::uintptr_t>(connections_ + last);
    const std::uintptr_t from = (begin + page - 1) / page * page;
    const std::uintptr_t to = end / page * page;
    if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
  };
  std::size_t free_from = 0;
  for_each([&](Connection& connection) {
    release(free_from, connection.id.slot);
    free_from = connection.id.slot + 1;
  });
  release(free_from, used_.size());
}

}  // namespace ringcast::worker
