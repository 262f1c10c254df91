#include "client/cli/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace ringcast::cli {

using client::Failure;

namespace {

std::variant<std::string, Failure> read_all(int fd, const std::string& name, std::size_t size_max) {
  std::string content;
  char bytes[4096];
  for (;;) {
    const ssize_t size = ::read(fd, bytes, sizeof bytes);
    if (size == 0) return content;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return unreadable(name, std::strerror(errno), "check the file");
    content.append(bytes, static_cast<std::size_t>(size));
    if (content.size() > size_max)
      return unreadable(name, fmt::format("it is larger than {} KiB", size_max / 1024),
                        "check that it is the right file");
  }
}

}  // namespace

client::Failure unreadable(const std::string& name, const std::string& why, std::string remedy) {
  return {Failure::Kind::input, fmt::format("cannot read {}: {}", name, why), std::move(remedy)};
}

std::variant<std::string, Failure> read_file(const std::string& path, std::size_t size_max) {
  if (path == "-") return read_all(STDIN_FILENO, "standard input", size_max);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return unreadable(path, std::strerror(errno), "check the file's name and its permissions");
  auto content = read_all(fd, path, size_max);
  ::close(fd);
  return content;
}

std::variant<std::monostate, Failure> write_private_file(const std::string& path,
                                                         const std::string& content) {
  // O_EXCL: a key that is overwritten is lost, and a link that somebody else made is not followed.
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  std::size_t done = 0;
  bool written = fd >= 0;
  while (written && done < content.size()) {
    const ssize_t size = ::write(fd, content.data() + done, content.size() - done);
    if (size >= 0) done += static_cast<std::size_t>(size);
    written = size >= 0 || errno == EINTR;
  }
  if (written) written = ::fsync(fd) == 0 || errno == EINVAL;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (written) return std::monostate();
  if (fd >= 0) ::unlink(path.c_str());
  return Failure{
      Failure::Kind::input, fmt::format("cannot write {}: {}", path, std::strerror(error)),
      error == EEXIST ? "name a file that does not exist yet" : "check the directory and the disk"};
}

}  // namespace ringcast::cli
