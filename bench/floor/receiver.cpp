#include "bench/floor/receiver.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

#include "client/bench/clock.h"

namespace ringcast::floor_bench {
namespace {

constexpr std::size_t kReadBytes = 1u << 18;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

}  // namespace

void receive_rounds(const std::vector<int>& sockets, int rounds, std::uint64_t round_bytes,
                    bool spin, std::atomic<std::int64_t>& idle_ns) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail("epoll_create1");
  for (const int socket : sockets) watch(epoll, socket);
  watch(epoll, rounds);
  std::vector<char> bytes(kReadBytes);
  std::array<epoll_event, 256> events{};
  std::uint64_t arrived = 0;
  for (;;) {
    const std::int64_t began = bench::now_ns();
    const int count = ::epoll_wait(epoll, events.data(), events.size(), spin ? 0 : -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    if (count <= 0) {
      idle_ns.store(idle_ns + bench::now_ns() - began, std::memory_order_relaxed);
      continue;
    }
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == rounds) {  // nothing comes there but its end
        ::close(epoll);
        return;
      }
      const ssize_t size = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (size < 0 && errno != EAGAIN && errno != EINTR) fail("recv");
      if (size > 0) arrived += static_cast<std::uint64_t>(size);
    }
    if (arrived < round_bytes) continue;
    arrived -= round_bytes;
    const char done = 1;
    if (::send(rounds, &done, 1, MSG_NOSIGNAL) != 1 && errno != EPIPE) fail("send");
  }
}

}  // namespace ringcast::floor_bench
