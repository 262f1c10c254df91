#include "worker/peer_address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace ringcast::worker {

auth::AddressKey peer_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  // ENOTCONN: the peer has reset it meanwhile.
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  if (storage.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof address);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
    return auth::ipv4_key(bytes);
  }
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, &storage, sizeof address);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
    return auth::ipv6_key(bytes);
  }
  return 0;
}

}  // namespace ringcast::worker
