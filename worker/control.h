// The socket between the supervisor and one worker thread: SOCK_SEQPACKET, one fixed-size message
// each, passed fds where the kind says so. Either side's end of file means that the other process
// is gone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringcast::worker {

enum class ControlKind : std::uint32_t {
  // supervisor to worker
  connections = 1,  // with the fds of accepted sockets; argument: how many were sent
  drain = 2,   // say goodbye to everyone and end when all are gone; argument: milliseconds at most
  reload = 3,  // files that the configuration names may have changed
  // worker to supervisor
  live = 16,  // takes connections now
};

struct ControlMessage {
  ControlKind kind = ControlKind::connections;
  std::uint32_t argument = 0;
};

enum class ControlResult : std::uint8_t { done, again, closed };

// Of one message. The kernel passes 253.
inline constexpr std::size_t kPassedFdsMax = 16;

// Sends without blocking. `fds` are passed along and stay the caller's; at most kPassedFdsMax.
// again: the socket is full.
ControlResult send_control(int socket, const ControlMessage& message,
                           std::span<const int> fds = {});

struct ReceivedControl {
  ControlResult result = ControlResult::again;
  ControlMessage message;
  // The receiver's from now on. Fewer than were sent if this process has no descriptors left: the
  // kernel has closed the others.
  std::array<int, kPassedFdsMax> fds;
  std::size_t fd_count = 0;
};
// Receives without blocking.
ReceivedControl receive_control(int socket);

}  // namespace ringcast::worker
