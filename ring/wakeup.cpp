#include "ring/wakeup.h"

#include <unistd.h>

#include <cassert>
#include <cerrno>

namespace ringcast::ring {

void wake(int event_fd) {
  const std::uint64_t one = 1;
  for (;;) {
    const ssize_t written = write(event_fd, &one, sizeof one);
    if (written == static_cast<ssize_t>(sizeof one)) return;
    // EINTR: a signal came first. EAGAIN: the counter is at its maximum, so the reader is awake
    // anyway.
    if (errno == EINTR) continue;
    assert(errno == EAGAIN);
    return;
  }
}

}  // namespace ringcast::ring
