#include "client/cli/input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ringcast::cli {

using client::Failure;

std::variant<std::unique_ptr<Input>, Failure> Input::open(boost::asio::io_context& context,
                                                          const std::string& path,
                                                          std::optional<InputFormat> format) {
  const bool standard_input = path == "-";
  const std::string name = standard_input ? "standard input" : path;
  // A duplicate, so that closing it leaves the caller's standard input open.
  const int fd = standard_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) {
    return Failure{Failure::Kind::input,
                   fmt::format("cannot read {}: {}", name, std::strerror(errno)),
                   "check the file's name and its permissions"};
  }
  if (S_ISDIR(status.st_mode)) {
    ::close(fd);
    return Failure{Failure::Kind::input, fmt::format("{} is a directory", name), "name a file"};
  }
  auto parser = RecordParser::create(format.value_or(format_for_file(path)), name);
  return std::unique_ptr<Input>(
      new Input(context, fd, S_ISREG(status.st_mode), name, std::move(parser)));
}

Input::Input(boost::asio::io_context& context, int fd, bool regular, std::string name,
             std::unique_ptr<RecordParser> parser)
    : name_(std::move(name)), parser_(std::move(parser)), pipe_(context) {
  boost::system::error_code refused;
  if (!regular) pipe_.assign(fd, refused);
  // /dev/null and the like cannot be polled, and never block either.
  if (regular || refused) file_ = fd;
}

Input::~Input() {
  if (file_ >= 0) ::close(file_);
}

Input::Next Input::next() {
  for (;;) {
    if (failure_) return *failure_;
    auto record = parser_->next();
    if (auto* publication = std::get_if<Publication>(&record)) {
      ++records_;
      return std::move(*publication);
    }
    if (auto* failure = std::get_if<Failure>(&record)) return std::move(*failure);
    if (ended_) return InputEnd{};
    if (file_ < 0) return InputLater{};
    failure_ = read_file();
  }
}

void Input::wait(std::function<void()> on_ready) {
  pipe_.async_read_some(
      boost::asio::buffer(buffer_),
      [this, ready = std::move(on_ready)](boost::system::error_code error, std::size_t size) {
        if (error == boost::asio::error::operation_aborted) return;
        if (size > 0) parser_->feed({buffer_.data(), size});
        if (error == boost::asio::error::eof) {
          ended_ = true;
          parser_->finish();
        } else if (error) {
          failure_ = unreadable(error.message());
        }
        ready();
      });
}

std::optional<Failure> Input::read_file() {
  const ssize_t size = ::read(file_, buffer_.data(), buffer_.size());
  if (size > 0) {
    parser_->feed({buffer_.data(), static_cast<std::size_t>(size)});
  } else if (size == 0) {
    ended_ = true;
    parser_->finish();
  } else if (errno != EINTR) {
    return unreadable(std::strerror(errno));
  }
  return std::nullopt;
}

Failure Input::unreadable(const std::string& why) const {
  return {Failure::Kind::input, fmt::format("cannot read {}: {}", name_, why),
          "check what the input is"};
}

}  // namespace ringcast::cli
