#include "bench/floor/socket_pairs.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace ringcast::floor_bench {
namespace {

constexpr int kPeerPatienceMs = 10'000;

int check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

void set_no_delay(int socket) {
  const int on = 1;
  check(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt TCP_NODELAY");
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Listener listen_on_loopback() {
  constexpr int kBacklog = 4096;
  Listener listener;
  listener.socket = check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  check(::bind(listener.socket, generic, size), "bind");
  check(::listen(listener.socket, kBacklog), "listen");
  check(::getsockname(listener.socket, generic, &size), "getsockname");
  listener.port = ntohs(address.sin_port);
  return listener;
}

std::vector<int> connect_all(std::uint16_t port, std::size_t count) {
  const sockaddr_in address = loopback(port);
  std::vector<int> sockets;
  while (sockets.size() < count) {
    sockets.push_back(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    check(::connect(sockets.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "connect");
    set_no_delay(sockets.back());
  }
  return sockets;
}

std::vector<int> accept_all(int listener, std::size_t count) {
  std::vector<int> sockets;
  while (sockets.size() < count) {
    pollfd waiting{listener, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kPeerPatienceMs);
    if (ready < 0 && errno == EINTR) continue;
    if (check(ready, "poll") == 0) throw std::runtime_error("the receiver does not connect");
    sockets.push_back(check(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    set_no_delay(sockets.back());
  }
  return sockets;
}

void close_all(std::vector<int>& sockets) {
  for (const int socket : sockets) ::close(socket);
  sockets.clear();
}

std::string congestion_of(int socket) {
  char name[16] = {};  // TCP_CA_NAME_MAX
  socklen_t size = sizeof name - 1;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, &size) != 0) return "unknown";
  return name;
}

}  // namespace ringcast::floor_bench
