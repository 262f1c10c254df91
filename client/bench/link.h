// One connection of the load generator: its socket, what is to be sent, what has come. Owned by the
// run, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "client/bench/frame_scan.h"
#include "client/bench/send_buffer.h"
#include "client/failure.h"
#include "wire/bytes.h"
#include "wire/frame_writer.h"

struct sockaddr;

namespace ringcast::bench {

struct Link {
  enum class State : std::uint8_t {
    idle,         // no socket yet
    connecting,   // TCP
    upgrading,    // HTTP
    welcoming,    // HELLO was sent
    subscribing,  // SUBSCRIBE was sent
    ready,
    closed,
  };

  std::uint32_t index = 0;  // among the subscribers, or among the publishers
  bool subscriber = false;
  bool writable = true;  // false from EAGAIN until epoll says otherwise
  State state = State::idle;
  int fd = -1;
  std::uint64_t subscription = 0;  // WAMP id, once subscribed
  SendBuffer out;
  std::string partial;  // the beginning of a frame whose rest has not come
  FrameScan frames;

  Link() = default;
  Link(Link&&) = default;
  ~Link();

  // Starts a non-blocking connection and adds the socket, edge-triggered, to `epoll` under `tag`.
  std::optional<client::Failure> connect(int epoll, std::uint64_t tag, const sockaddr* address,
                                         unsigned address_size, const std::string& congestion);
  void send_frame(wire::Opcode opcode, wire::Bytes payload, std::uint32_t mask);
  // Sends what is queued as far as the socket takes it. False if the connection is gone.
  bool flush();
  void close();
};

// Masks of client frames need not be secret here: server and generator are the user's own.
class MaskSource {
 public:
  std::uint32_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::uint32_t>(state_ >> 16);
  }

 private:
  std::uint64_t state_ = 0x2545F4914F6CDD1D;
};

}  // namespace ringcast::bench
