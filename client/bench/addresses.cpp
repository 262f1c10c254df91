#include "client/bench/addresses.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace ringcast::bench {

using client::Failure;

namespace {

// IPv4 and IPv6 alike; `family` restricts it. Returns what getaddrinfo says.
int find(const std::string& host, const char* port, int family, int flags,
         sockaddr_storage& address, socklen_t& size) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = family;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port, &hints, &found);
  if (error != 0) return error;
  std::memcpy(&address, found->ai_addr, found->ai_addrlen);
  size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return 0;
}

}  // namespace

std::optional<Failure> Addresses::resolve(const client::WsUrl& url) {
  int error = find(url.host, url.port.c_str(), AF_UNSPEC, 0, server_, server_size_);
  if (error != 0) {
    return Failure{Failure::Kind::network,
                   fmt::format("cannot find the host '{}': {}", url.host, ::gai_strerror(error)),
                   "check the host name in --url"};
  }
  for (const std::string& name : names_) {
    Address& source = sources_.emplace_back();
    error = find(name, nullptr, server_.ss_family, AI_NUMERICHOST, source.address, source.size);
    if (error == 0) continue;
    return Failure{Failure::Kind::input,
                   fmt::format("--source {} is no address from which {} can be reached: {}", name,
                               url.host, ::gai_strerror(error)),
                   "give addresses of this machine, of the same family as the server's"};
  }
  return std::nullopt;
}

std::optional<Failure> Addresses::bind(int fd) {
  if (sources_.empty()) return std::nullopt;
  const std::size_t turn = next_++ % sources_.size();
  const Address& source = sources_[turn];
  // The port is chosen when the connection is made: it need be free towards this server only.
  const int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&source.address), source.size) == 0)
    return std::nullopt;
  return Failure{
      Failure::Kind::input,
      fmt::format("cannot connect from --source {}: {}", names_[turn], std::strerror(errno)),
      "give addresses of this machine (ip address)"};
}

}  // namespace ringcast::bench
