#include "worker/fanout_log.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace ringcast::worker {
namespace {

constexpr std::size_t kPage = 4096;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

FanoutLog::FanoutLog(std::size_t capacity) : capacity_((capacity + kPage - 1) / kPage * kPage) {
  const int fd = memfd_create("ringcast-log", MFD_CLOEXEC);
  if (fd < 0) fail("cannot create the fan-out log (memfd_create)");
  void* reserved = nullptr;
  const bool mapped = [&] {
    if (ftruncate(fd, static_cast<off_t>(capacity_)) != 0) return false;
    // Reserve the addresses first, then lay the same memory over both halves.
    reserved = mmap(nullptr, 2 * capacity_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (reserved == MAP_FAILED) return false;
    for (int half = 0; half < 2; ++half) {
      if (mmap(static_cast<char*>(reserved) + half * capacity_, capacity_, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
        return false;
      }
    }
    return true;
  }();
  const int cause = errno;
  close(fd);
  errno = cause;
  if (!mapped) fail("cannot map the fan-out log");
  base_ = static_cast<char*>(reserved);
}

void FanoutLog::release() {
  rewind();
  madvise(base_, capacity_, MADV_REMOVE);
}

FanoutLog::~FanoutLog() { munmap(base_, 2 * capacity_); }

}  // namespace ringcast::worker
