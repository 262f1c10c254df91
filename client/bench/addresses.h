// Where connections go to and come from. One thread.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/failure.h"
#include "client/ws_url.h"

namespace ringcast::bench {

class Addresses {
 public:
  // Sources are taken in turn, beginning at another one in each process.
  Addresses(const std::vector<std::string>& sources, std::uint32_t process)
      : names_(sources), next_(process) {}

  // Finds the server's address and those of the sources. To be called before the rest.
  std::optional<client::Failure> resolve(const client::WsUrl& url);

  const sockaddr* server() const { return reinterpret_cast<const sockaddr*>(&server_); }
  socklen_t server_size() const { return server_size_; }
  // Gives a socket that is about to connect the next source address, if there are any.
  std::optional<client::Failure> bind(int fd);

 private:
  struct Address {
    sockaddr_storage address{};
    socklen_t size = 0;
  };

  std::vector<std::string> names_;
  std::size_t next_;
  std::vector<Address> sources_;
  sockaddr_storage server_{};
  socklen_t server_size_ = 0;
};

}  // namespace ringcast::bench
