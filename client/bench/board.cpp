#include "client/bench/board.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <new>
#include <system_error>

#include "client/bench/delivery_lane.h"

namespace ringcast::bench {
namespace {

constexpr std::size_t kAlignment = 4096;  // also keeps the processes' parts off each other's pages

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

std::size_t aligned(std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

void copy(char* out, std::size_t size, const std::string& text) {
  std::snprintf(out, size, "%s", text.c_str());
}

}  // namespace

void Tally::lose_connection(const std::string& what) {
  if (++disconnects == 1) copy(first_disconnect, sizeof first_disconnect, what);
}

void Tally::fail(const client::Failure& failure) {
  failure_kind = failure.kind;
  copy(failure_cause, sizeof failure_cause, failure.cause);
  copy(failure_remedy, sizeof failure_remedy, failure.remedy);
  failed.store(true, std::memory_order_release);
}

std::optional<client::Failure> Tally::failure() const {
  if (!failed.load(std::memory_order_acquire)) return std::nullopt;
  return client::Failure{failure_kind, failure_cause, failure_remedy};
}

Board::Board(std::uint32_t processes, std::uint32_t lanes, std::uint32_t topics)
    : processes_(processes), lanes_(lanes) {
  const std::size_t control_bytes = aligned(sizeof(Control));
  const std::size_t tally_bytes = aligned(sizeof(Tally) * processes);
  const std::size_t lane_bytes = aligned(sizeof(std::atomic<std::uint64_t>) * lanes);
  const std::size_t delivered_bytes = lane_bytes * processes;
  const std::size_t abandoned_bytes = aligned(sizeof(std::atomic<bool>) * lanes);
  mapped_bytes_ = control_bytes + tally_bytes + lane_bytes + delivered_bytes + abandoned_bytes +
                  aligned(sizeof(std::atomic<std::uint32_t>) * topics);
  void* const mapping =
      ::mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<char*>(mapping);
  char* at = mapping_;
  control_ = new (at) Control;
  at += control_bytes;
  tallies_ = reinterpret_cast<Tally*>(at);
  std::uninitialized_default_construct_n(tallies_, processes);
  at += tally_bytes;
  sent_ = reinterpret_cast<std::atomic<std::uint64_t>*>(at);
  std::uninitialized_value_construct_n(sent_, lanes);
  at += lane_bytes;
  delivered_ = reinterpret_cast<std::atomic<std::uint64_t>*>(at);
  std::uninitialized_value_construct_n(delivered_, std::size_t{lanes} * processes);
  at += delivered_bytes;
  abandoned_ = reinterpret_cast<std::atomic<bool>*>(at);
  std::uninitialized_value_construct_n(abandoned_, lanes);
  at += abandoned_bytes;
  readers_ = reinterpret_cast<std::atomic<std::uint32_t>*>(at);
  std::uninitialized_value_construct_n(readers_, topics);
  for (std::uint32_t p = 0; p < processes; ++p) {
    const int wakeup = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wakeup < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    wakeups_.push_back(wakeup);
  }
}

Board::~Board() {
  for (const int wakeup : wakeups_) ::close(wakeup);
  ::munmap(mapping_, mapped_bytes_);
}

std::uint64_t Board::delivered_to_all(std::uint32_t lane) const {
  std::uint64_t least = kNobodyWaits;
  for (std::uint32_t p = 0; p < processes_; ++p) {
    least =
        std::min(least, delivered_[std::size_t{p} * lanes_ + lane].load(std::memory_order_acquire));
  }
  return least;
}

}  // namespace ringcast::bench
