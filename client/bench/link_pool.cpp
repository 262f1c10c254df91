#include "client/bench/link_pool.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace ringcast::bench {

using client::Failure;

LinkPool::LinkPool(const FanoutOptions& options, std::uint32_t process, int wakeup)
    : options_(options),
      subscribers_(FanoutOptions::share(options.subscribers, options.processes, process)),
      stalled_from_(subscribers_ +
                    FanoutOptions::share(options.publishers, options.processes, process)),
      wakeup_(wakeup),
      links_(stalled_from_ + (process == 0 ? options.stalled : 0)),
      addresses_(options.sources, process),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      // Holds the largest message of the run whole, with whatever a router adds to it.
      buffer_size_(std::max<std::size_t>(256 * 1024, 2 * options.payload_bytes + 64 * 1024)),
      buffer_(new char[buffer_size_]) {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const bool publishes = i >= subscribers_ && i < stalled_from_;
    const std::size_t from = publishes ? subscribers_ : i < subscribers_ ? 0 : stalled_from_;
    links_[i].subscriber = !publishes;
    links_[i].index = static_cast<std::uint32_t>(
        i < stalled_from_ ? (i - from) * options.processes + process
                          : options.subscribers + (i - from));  // a number of its own
  }
  if (wakeup_ == kNoWakeup) return;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeup;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event);
}

LinkPool::~LinkPool() { ::close(epoll_); }

std::optional<Failure> LinkPool::resolve() { return addresses_.resolve(options_.url); }

std::optional<Failure> LinkPool::connect(std::size_t index) {
  return links_[index].connect(epoll_, index, addresses_, options_.congestion);
}

void LinkPool::stall() {
  for (std::size_t i = stalled_from_; i < links_.size(); ++i) {
    if (links_[i].fd >= 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, links_[i].fd, nullptr);
  }
}

StalledReaders LinkPool::judge_stalled() {
  constexpr std::int64_t kPatienceNs = 2'000'000'000;
  StalledReaders found;
  found.count = links_.size() - stalled_from_;
  const std::int64_t deadline = now_ns() + kPatienceNs;
  for (std::size_t i = stalled_from_; i < links_.size(); ++i) {
    const LinkEnd end = links_[i].read_to_end(buffer_.get(), buffer_size_, deadline);
    if (end.open) ++found.connected;
    if (end.close_reason.empty()) continue;
    ++found.closed;
    if (found.first_reason.empty()) found.first_reason = end.close_reason;
  }
  return found;
}

// A frame is longer than was to be expected, as records of a feed may be.
void LinkPool::grow_buffer() {
  buffer_size_ *= 2;
  buffer_.reset(new char[buffer_size_]);
}

void LinkPool::close_all(MaskSource& masks) {
  for (Link& link : links_) {
    if (link.fd < 0) continue;
    if (link.state == Link::State::ready) {
      link.send_frame(wire::Opcode::close, wire::close_payload(1000, {}), masks.next());
      link.flush();
    }
    link.close();
  }
}

}  // namespace ringcast::bench
