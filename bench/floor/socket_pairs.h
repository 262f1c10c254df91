// Connected TCP sockets over loopback, for a sender and a receiver that share nothing else. Made
// before the two part ways; each side then closes the other's ends.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ringcast::floor_bench {

struct SocketPairs {
  std::vector<int> senders;
  std::vector<int> receivers;  // receivers[i] gets what senders[i] sends
};

// `count` pairs with TCP_NODELAY, as brokers set it. Throws std::system_error.
SocketPairs connect_pairs(std::size_t count);

// Closes all of `sockets`.
void close_all(std::vector<int>& sockets);

// The congestion control that the kernel gave this socket.
std::string congestion_of(int socket);

}  // namespace ringcast::floor_bench
