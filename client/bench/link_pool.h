// All connections of a run and the epoll instance that watches them. Bytes go to a sink, which is a
// template parameter: at millions of messages a second a virtual call each would be seen. One
// thread.
//
// A sink has
//   std::size_t on_bytes(Link&, wire::Bytes, std::int64_t now_ns)   returns how many it has
//   consumed; the
//                                                                    rest comes again with what
//                                                                    follows
//   void on_writable(Link&)                                          the socket takes bytes (again)
//   void on_gone(Link&, const std::string& why)                      the connection ended; it is
//   closed
//   void on_wakeup()                                                 another process has news
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/addresses.h"
#include "client/bench/clock.h"
#include "client/bench/fanout_options.h"
#include "client/bench/link.h"
#include "client/bench/result.h"
#include "client/failure.h"

namespace ringcast::bench {

// For a pool that nobody wakes.
inline constexpr int kNoWakeup = -1;

class LinkPool {
 public:
  // The connections of one process of the run; `wakeup` is an eventfd that interrupts poll().
  LinkPool(const FanoutOptions& options, std::uint32_t process, int wakeup);
  ~LinkPool();
  LinkPool(const LinkPool&) = delete;
  LinkPool& operator=(const LinkPool&) = delete;

  // Finds the server's address. To be called before connect().
  std::optional<client::Failure> resolve();

  std::size_t size() const { return links_.size(); }
  // Subscribers first, then publishers, then those that are to stall.
  Link& at(std::size_t index) { return links_[index]; }
  // By its number in the whole run.
  Link& publisher(std::uint32_t index) { return links_[subscribers_ + index / options_.processes]; }

  std::optional<client::Failure> connect(std::size_t index);
  // Those that are to stall are not read any more.
  void stall();
  // Reads on, for two seconds at most, and says what became of them.
  StalledReaders judge_stalled();

  // Waits up to `timeout_ns` and handles what has happened. False if that was nothing.
  template <typename Sink>
  bool poll(std::int64_t timeout_ns, Sink& sink);

  // Says goodbye on every connection and closes it.
  void close_all(MaskSource& masks);

 private:
  void grow_buffer();
  template <typename Sink>
  void receive(Link& link, bool ending, Sink& sink);

  static constexpr std::uint64_t kWakeup = ~std::uint64_t{0};

  const FanoutOptions& options_;
  const std::size_t subscribers_;
  const std::size_t stalled_from_;
  const int wakeup_;
  std::vector<Link> links_;
  Addresses addresses_;
  int epoll_ = -1;
  std::size_t buffer_size_;
  std::unique_ptr<char[]> buffer_;  // receives for whichever link is being read
};

template <typename Sink>
bool LinkPool::poll(std::int64_t timeout_ns, Sink& sink) {
  std::array<epoll_event, 512> events;
  const timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  const int count =
      ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == kWakeup) {
      std::uint64_t times = 0;
      if (::read(wakeup_, &times, sizeof times) > 0) sink.on_wakeup();
      continue;
    }
    Link& link = links_[event.data.u64];
    if (link.fd < 0) continue;
    if ((event.events & EPOLLOUT) != 0 && !link.writable) {
      link.writable = true;
      sink.on_writable(link);
    }
    const bool ending = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (link.fd >= 0 && ((event.events & EPOLLIN) != 0 || ending)) receive(link, ending, sink);
  }
  return count > 0;
}

// Edge-triggered: reads until the socket is empty. A short read proves that, unless the end of the
// connection may be queued behind the bytes.
template <typename Sink>
void LinkPool::receive(Link& link, bool ending, Sink& sink) {
  for (;;) {
    const std::size_t carried = link.partial.size();
    if (2 * carried > buffer_size_) grow_buffer();
    if (carried > 0) std::memcpy(buffer_.get(), link.partial.data(), carried);
    const std::size_t room = buffer_size_ - carried;
    const ssize_t received = ::recv(link.fd, buffer_.get() + carried, room, 0);
    if (received <= 0) {
      if (received < 0 && errno == EINTR) continue;
      if (received < 0 && errno == EAGAIN) return;
      const std::string why = received == 0 ? "closed by the server without a close frame"
                                            : std::string(std::strerror(errno));
      link.close();
      return sink.on_gone(link, why);
    }
    const wire::Bytes bytes(buffer_.get(), carried + static_cast<std::size_t>(received));
    const std::size_t consumed = sink.on_bytes(link, bytes, now_ns());
    if (link.fd < 0) return;
    if (consumed < bytes.size() || carried > 0) link.partial.assign(bytes.substr(consumed));
    if (static_cast<std::size_t>(received) < room && !ending) return;
  }
}

}  // namespace ringcast::bench
