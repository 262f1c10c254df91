// The sending process: one io_uring and nothing else. What it costs per delivery is what the
// kernel asks for the bytes, whatever the program around it does.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <vector>

namespace ringcast::floor_bench {

class Sender {
 public:
  // Sends `send_bytes` bytes to each of `sockets` per round; `rounds` is where the receiver tells
  // that a round has arrived. The sockets stay the caller's. Throws std::system_error.
  Sender(const std::vector<int>& sockets, int rounds, std::size_t send_bytes);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // One send per socket, all submitted at once, and then the wait for the receiver. Throws
  // std::system_error, also if the receiver is gone.
  void round();

 private:
  void prepare_sends();
  void take_completions();

  io_uring ring_{};
  std::vector<char> bytes_;
  std::vector<std::size_t> left_;  // bytes of this round that each socket has not taken yet
  std::size_t sends_due_ = 0;      // sockets of which left_ is not 0
  std::size_t in_flight_ = 0;
  char done_ = 0;
  bool round_arrived_ = false;
};

}  // namespace ringcast::floor_bench
