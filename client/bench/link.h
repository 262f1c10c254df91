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

namespace ringcast::bench {

class Addresses;

// How a connection looked when it was read to its end.
struct LinkEnd {
  bool open = false;         // nothing says that it has ended
  std::string close_reason;  // code and reason of the server's close frame; empty without one
};

// "1008 too slow", from the payload of a close frame.
std::string close_text(wire::Bytes payload);

struct Link {
  enum class State : std::uint8_t {
    idle,         // no socket yet
    connecting,   // TCP
    upgrading,    // HTTP
    welcoming,    // HELLO was sent, or what the protocol has for it
    subscribing,  // SUBSCRIBE was sent, or what the protocol has for it
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
  std::string stream;  // NATS, MQTT: the beginning of a packet whose rest has not come

  Link() = default;
  Link(Link&&) = default;
  Link& operator=(Link&&) = default;
  ~Link();

  // Starts a non-blocking connection and adds the socket, edge-triggered, to `epoll` under `tag`.
  std::optional<client::Failure> connect(int epoll, std::uint64_t tag, Addresses& addresses,
                                         const std::string& congestion);
  void send_frame(wire::Opcode opcode, wire::Bytes payload, std::uint32_t mask);
  // Sends what is queued as far as the socket takes it. False if the connection is gone.
  bool flush();
  void close();
  // As new, but for its place in the run.
  void reset();
  // TCP_CONGESTION that the socket has.
  std::string congestion() const;
  // Closes at once with a reset; no TIME_WAIT stays behind.
  void abort();
  // Reads, blocking until `deadline`, until the connection has ended or is quiet for a while.
  LinkEnd read_to_end(char* buffer, std::size_t size, std::int64_t deadline);
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
