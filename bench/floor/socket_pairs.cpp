#include "bench/floor/socket_pairs.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace ringcast::floor_bench {
namespace {

int check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

void set_no_delay(int socket) {
  const int on = 1;
  check(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt TCP_NODELAY");
}

}  // namespace

SocketPairs connect_pairs(std::size_t count) {
  const int listener = check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  check(::bind(listener, generic, size), "bind");
  check(::listen(listener, 16), "listen");
  check(::getsockname(listener, generic, &size), "getsockname");
  SocketPairs pairs;
  for (std::size_t i = 0; i < count; ++i) {
    // A blocking connect on loopback is complete when it returns: the accept below is its own.
    const int receiver = check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    check(::connect(receiver, generic, size), "connect");
    const int sender = check(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept");
    set_no_delay(receiver);
    set_no_delay(sender);
    pairs.receivers.push_back(receiver);
    pairs.senders.push_back(sender);
  }
  ::close(listener);
  return pairs;
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
