#include "worker/control.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>

namespace ringcast::worker {
namespace {

union ControlBuffer {
  cmsghdr header;
  char bytes[CMSG_SPACE(kPassedFdsMax * sizeof(int))];
};

void take_passed_fds(msghdr& header, ReceivedControl& received) {
  const cmsghdr* control = CMSG_FIRSTHDR(&header);
  if (control == nullptr || control->cmsg_type != SCM_RIGHTS) return;
  received.fd_count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  std::memcpy(received.fds.data(), CMSG_DATA(control), received.fd_count * sizeof(int));
}

}  // namespace

ControlResult send_control(int socket, const ControlMessage& message, std::span<const int> fds) {
  assert(fds.size() <= kPassedFdsMax);
  ControlMessage copy = message;
  iovec piece{.iov_base = &copy, .iov_len = sizeof copy};
  ControlBuffer buffer;
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = buffer.bytes;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(control), fds.data(), fds.size_bytes());
  }
  for (;;) {
    if (sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return ControlResult::done;
    if (errno == EINTR) continue;
    // EAGAIN: the queue is full. ETOOMANYREFS: too many fds are in flight to workers that do not
    // take them.
    if (errno == EAGAIN || errno == ETOOMANYREFS || errno == ENOBUFS) return ControlResult::again;
    return ControlResult::closed;  // EPIPE, ECONNRESET: nobody is at the other end
  }
}

ReceivedControl receive_control(int socket) {
  ReceivedControl received;
  iovec piece{.iov_base = &received.message, .iov_len = sizeof received.message};
  ControlBuffer buffer;
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = buffer.bytes;
  header.msg_controllen = sizeof buffer.bytes;
  for (;;) {
    const ssize_t size = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size == static_cast<ssize_t>(sizeof received.message)) {
      take_passed_fds(header, received);
      received.result = ControlResult::done;
      return received;
    }
    if (size < 0 && errno == EINTR) continue;
    // EAGAIN: nothing is there. Anything else, 0 among it: the other process is gone.
    received.result = size < 0 && errno == EAGAIN ? ControlResult::again : ControlResult::closed;
    return received;
  }
}

}  // namespace ringcast::worker
