#include "client/bench/link.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "client/bench/addresses.h"
#include "client/bench/clock.h"

namespace ringcast::bench {

using client::Failure;

Link::~Link() {
  if (fd >= 0) ::close(fd);
}

std::string close_text(wire::Bytes payload) {
  const unsigned code = payload.size() < 2 ? 1005u
                                           : static_cast<unsigned char>(payload[0]) << 8 |
                                                 static_cast<unsigned char>(payload[1]);
  return fmt::format("{} {}", code, payload.size() > 2 ? payload.substr(2) : "");
}

std::optional<Failure> Link::connect(int epoll, std::uint64_t tag, Addresses& addresses,
                                     const std::string& congestion) {
  fd = ::socket(addresses.server()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return Failure{Failure::Kind::network,
                   fmt::format("cannot open a socket: {}", std::strerror(errno)),
                   "raise the limit of open files (ulimit -n)"};
  }
  if (auto failure = addresses.bind(fd)) return failure;
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
  if (::connect(fd, addresses.server(), addresses.server_size()) != 0 && errno != EINPROGRESS) {
    return Failure{Failure::Kind::network, fmt::format("cannot connect: {}", std::strerror(errno)),
                   "if no address is available the local ports are used up: give several --source, "
                   "or widen net.ipv4.ip_local_port_range"};
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

void Link::reset() {
  const std::uint32_t place = index;
  const bool subscribes = subscriber;
  close();
  *this = Link();
  index = place;
  subscriber = subscribes;
}

std::string Link::congestion() const {
  char name[32] = {};
  socklen_t size = sizeof name - 1;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) != 0) return "unknown";
  return name;
}

void Link::abort() {
  const linger at_once{1, 0};
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

LinkEnd Link::read_to_end(char* buffer, std::size_t size, std::int64_t deadline) {
  constexpr int kQuietMs = 300;
  LinkEnd end;
  while (fd >= 0) {
    pollfd readable{fd, POLLIN, 0};
    const std::int64_t left_ms = (deadline - now_ns()) / 1'000'000;
    const int wait = static_cast<int>(std::clamp<std::int64_t>(left_ms, 0, kQuietMs));
    if (::poll(&readable, 1, wait) == 0) {
      end.open = end.close_reason.empty();
      return end;
    }
    const ssize_t received = ::recv(fd, buffer, size, 0);
    if (received < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (received <= 0) return end;
    partial.append(buffer, static_cast<std::size_t>(received));
    const auto result =
        frames.scan(partial.data(), partial.size(), [&](wire::Opcode opcode, wire::Bytes payload) {
          if (opcode != wire::Opcode::close) return true;
          end.close_reason = close_text(payload);
          return false;
        });
    if (!end.close_reason.empty()) return end;
    partial.erase(0, result.consumed);
  }
  return end;
}

void Link::close() {
  if (fd >= 0) ::close(fd);
  fd = -1;
  state = State::closed;
}

}  // namespace ringcast::bench
