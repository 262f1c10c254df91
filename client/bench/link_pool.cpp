#include "client/bench/link_pool.h"

#include <fmt/format.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>

namespace ringcast::bench {

using client::Failure;

LinkPool::LinkPool(const FanoutOptions& options)
    : options_(options),
      links_(std::size_t{options.subscribers} + options.publishers),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      // Holds the largest message of the run whole, with whatever a router adds to it.
      buffer_size_(std::max<std::size_t>(256 * 1024, 2 * options.payload_bytes + 64 * 1024)),
      buffer_(new char[buffer_size_]) {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    links_[i].subscriber = i < options.subscribers;
    links_[i].index =
        static_cast<std::uint32_t>(links_[i].subscriber ? i : i - options.subscribers);
  }
}

LinkPool::~LinkPool() { ::close(epoll_); }

std::optional<Failure> LinkPool::resolve() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(options_.url.host.c_str(), options_.url.port.c_str(), &hints, &found);
  if (error != 0) {
    return Failure{
        Failure::Kind::network,
        fmt::format("cannot find the host '{}': {}", options_.url.host, ::gai_strerror(error)),
        "check the host name in --url"};
  }
  std::memcpy(&address_, found->ai_addr, found->ai_addrlen);
  address_size_ = found->ai_addrlen;
  ::freeaddrinfo(found);
  return std::nullopt;
}

std::optional<Failure> LinkPool::connect(std::size_t index) {
  return links_[index].connect(epoll_, index, reinterpret_cast<const sockaddr*>(&address_),
                               address_size_, options_.congestion);
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
