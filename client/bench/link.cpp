#include "client/bench/link.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ringcast::bench {

using client::Failure;

Link::~Link() {
  if (fd >= 0) ::close(fd);
}

std::optional<Failure> Link::connect(int epoll, std::uint64_t tag, const sockaddr* address,
                                     unsigned address_size, const std::string& congestion) {
  fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return Failure{Failure::Kind::network,
                   fmt::format("cannot open a socket: {}", std::strerror(errno)),
                   "raise the limit of open files (ulimit -n)"};
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!congestion.empty() && ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion.data(),
                                          static_cast<socklen_t>(congestion.size())) != 0) {
    return Failure{
        Failure::Kind::input,
        fmt::format("cannot use the congestion control '{}': {}", congestion, std::strerror(errno)),
        "see sysctl net.ipv4.tcp_available_congestion_control"};
  }
  state = State::connecting;
  writable = false;
  if (::connect(fd, address, address_size) != 0 && errno != EINPROGRESS) {
    return Failure{Failure::Kind::network, fmt::format("cannot connect: {}", std::strerror(errno)),
                   "with EADDRNOTAVAIL the local ports are used up: wait a minute or widen "
                   "net.ipv4.ip_local_port_range"};
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = tag;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
    return Failure{Failure::Kind::network,
                   fmt::format("cannot watch a socket: {}", std::strerror(errno)),
                   "raise fs.epoll.max_user_watches"};
  }
  return std::nullopt;
}

void Link::send_frame(wire::Opcode opcode, wire::Bytes payload, std::uint32_t mask) {
  std::string frame;
  wire::append_masked_frame(frame, opcode, true, payload, mask);
  out.append(frame);
}

bool Link::flush() {
  while (!out.empty() && writable) {
    const wire::Bytes pending = out.pending();
    const ssize_t sent = ::send(fd, pending.data(), pending.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      out.consume(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      writable = false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void Link::close() {
  if (fd >= 0) ::close(fd);
  fd = -1;
  state = State::closed;
}

}  // namespace ringcast::bench
