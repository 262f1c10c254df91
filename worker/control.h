// The socket between the supervisor and one worker thread: SOCK_SEQPACKET, one fixed-size message
// each, a passed fd where the kind says so. Either side's end of file means that the other process
// is gone.
#pragma once

#include <cstdint>
#include <optional>

namespace ringcast::worker {

enum class ControlKind : std::uint32_t {
  // supervisor to worker
  connection = 1,  // with the fd of an accepted socket
  drain = 2,  // say goodbye to everyone and end when all are gone; argument: milliseconds at most
  // worker to supervisor
  live = 16,  // takes connections now
};

struct ControlMessage {
  ControlKind kind = ControlKind::connection;
  std::uint32_t argument = 0;
};

enum class ControlResult : std::uint8_t { done, again, closed };

// Sends without blocking. `fd` (or -1) is passed along and stays the caller's. again: the socket is
// full.
ControlResult send_control(int socket, const ControlMessage& message, int fd);

struct ReceivedControl {
  ControlResult result = ControlResult::again;
  ControlMessage message;
  int fd = -1;  // the receiver's from now on
};
// Receives without blocking.
ReceivedControl receive_control(int socket);

}  // namespace ringcast::worker
