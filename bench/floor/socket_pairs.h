// TCP sockets over loopback between a sender and a receiver that share nothing else: each process
// makes its own ends, so that the limit of file descriptors holds for each alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ringcast::floor_bench {

struct Listener {
  int socket = -1;
  std::uint16_t port = 0;
};

// All throw std::system_error; all sockets have TCP_NODELAY, as brokers set it.
Listener listen_on_loopback();
std::vector<int> connect_all(std::uint16_t port, std::size_t count);
// Throws std::runtime_error where nobody connects any more.
std::vector<int> accept_all(int listener, std::size_t count);

// Closes all of `sockets`.
void close_all(std::vector<int>& sockets);

// The congestion control that the kernel gave this socket.
std::string congestion_of(int socket);

}  // namespace ringcast::floor_bench
