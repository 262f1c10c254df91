#include "broker/config_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "broker/config_file.h"

namespace ringcast::broker {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

// Everything from `fd`'s beginning on, but for what lies beyond `size_max` and one byte. False if
// that fails: errno.
bool read_all(int fd, std::size_t size_max, std::string& text) {
  char piece[64 * 1024];
  while (text.size() <= size_max) {
    const ssize_t got = pread(fd, piece, sizeof piece, static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return true;
    text.append(piece, static_cast<std::size_t>(got));
  }
  return true;
}

// False if that fails: errno.
bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;  // ENOSPC, ENOMEM: memory is short
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

auth::Failure failed(const char* what) {
  return {std::string(what) + ": " + std::strerror(errno), "free memory or file descriptors"};
}

}  // namespace

auth::Result<std::string> read_text_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  std::string text;
  const bool read = fd >= 0 && read_all(fd, kConfigFileSizeMax, text);
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!read) {
    return auth::Failure{"cannot read " + path + ": " + std::strerror(error),
                         "give a regular file that this user may read"};
  }
  if (text.size() > kConfigFileSizeMax) {
    return auth::Failure{path + " is larger than " + std::to_string(kConfigFileSizeMax) + " bytes",
                         "shorten it"};
  }
  return text;
}

auth::Result<int> seal_text(const std::string& text) {
  const int fd = memfd_create("ringcast-config", MFD_ALLOW_SEALING | MFD_CLOEXEC);
  if (fd < 0) return failed("cannot keep the configuration (memfd_create)");
  if (write_all(fd, text) && fcntl(fd, F_ADD_SEALS, kSeals) == 0) return fd;
  const auth::Failure failure = failed("cannot keep the configuration in a sealed memory file");
  close(fd);
  return failure;
}

auth::Result<std::string> read_sealed_text(int fd) {
  std::string text;
  if (!read_all(fd, kConfigFileSizeMax, text)) return failed("cannot read the kept configuration");
  return text;
}

}  // namespace ringcast::broker
