#include "client/cli/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace ringcast::cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// A pipe whose ends close themselves unless they are taken.
struct Pipe {
  Pipe() { ok = ::pipe2(ends, O_CLOEXEC) == 0; }
  ~Pipe() {
    for (const int fd : ends) {
      if (fd >= 0) ::close(fd);
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int take(int end) { return std::exchange(ends[end], -1); }
  int ends[2] = {-1, -1};
  bool ok = false;
};

// By number: the C library's declaration is unusable from C++ before glibc 2.37.
int open_pidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

// Between fork and exec: nothing but system calls.
[[noreturn]] void become(const char* path, char* const* words, pid_t parent, const Pipe& in,
                         const Pipe& out, const Pipe& err, int status) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before that took effect
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const bool connected =
      ::dup2(in.ends[0], STDIN_FILENO) >= 0 && ::dup2(out.ends[1], STDOUT_FILENO) >= 0 &&
      ::dup2(err.ends[1], STDERR_FILENO) >= 0 && ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
  if (connected) ::execve(path, words, environ);
  const int why = errno;
  [[maybe_unused]] const ssize_t told = ::write(status, &why, sizeof why);
  ::_exit(127);
}

}  // namespace

class Child::Impl : public std::enable_shared_from_this<Child::Impl> {
 public:
  Impl(asio::io_context& context, std::size_t output_bytes_max, OnEnd on_end)
      : output_bytes_max_(output_bytes_max),
        on_end_(std::move(on_end)),
        context_(context),
        input_(context),
        output_(context),
        errors_(context),
        exit_(context),
        kill_timer_(context) {}

  void start(const std::string& path, const std::vector<std::string>& words, std::string input) {
    text_ = std::move(input);
    const int error = spawn(path, words);
    if (error != 0) {
      result_.start_error = error;
      return asio::post(context_, [self = shared_from_this()] { self->finish(); });
    }
    asio::async_write(input_, asio::buffer(text_), [self = shared_from_this()](error_code, size_t) {
      self->close(self->input_);  // whether or not it was read
    });
    read(output_, output_buffer_);
    read(errors_, errors_buffer_);
    exit_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](error_code error_waiting) {
                       if (!error_waiting) self->ended();
                     });
  }

  void end() {
    if (pid_ < 0 || std::exchange(ending_, true)) return;
    ::kill(-pid_, SIGTERM);
    kill_timer_.expires_after(std::chrono::milliseconds(kKillGraceMs));
    kill_timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error && self->pid_ >= 0) ::kill(-self->pid_, SIGKILL);
    });
  }

  void abandon() {
    on_end_ = nullptr;
    if (pid_ >= 0) {
      ::kill(-pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
    close_all();
  }

 private:
  using Stream = asio::posix::stream_descriptor;
  using Buffer = std::array<char, 16 * 1024>;

  // 0, or errno. Waits until the program runs or cannot, which is a matter of milliseconds.
  int spawn(const std::string& path, const std::vector<std::string>& words) {
    Pipe in, out, err, status;
    if (!in.ok || !out.ok || !err.ok || !status.ok) return errno;
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return errno;
    if (pid == 0) become(path.c_str(), argv.data(), parent, in, out, err, status.ends[1]);
    ::close(status.take(1));
    int why = 0;
    ssize_t told = 0;
    do told = ::read(status.ends[0], &why, sizeof why);
    while (told < 0 && errno == EINTR);
    const int watch = told == 0 ? open_pidfd(pid) : -1;
    if (watch < 0) {
      if (told == 0) why = errno;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      return why == 0 ? EIO : why;
    }
    pid_ = pid;
    exit_.assign(watch);
    input_.assign(in.take(1));
    output_.assign(out.take(0));
    errors_.assign(err.take(0));
    for (Stream* stream : {&input_, &output_, &errors_}) stream->native_non_blocking(true);
    return 0;
  }

  void read(Stream& stream, Buffer& buffer) {
    stream.async_read_some(asio::buffer(buffer), [self = shared_from_this(), &stream, &buffer](
                                                     error_code error, std::size_t size) {
      if (error) return;
      self->collect(stream, buffer, size);
      self->read(stream, buffer);
    });
  }

  void collect(const Stream& stream, const Buffer& buffer, std::size_t size) {
    if (&stream == &errors_) {
      result_.errors.append(buffer.data(), size);
      if (result_.errors.size() > kErrorTailBytes)
        result_.errors.erase(0, result_.errors.size() - kErrorTailBytes);
      return;
    }
    const std::size_t room = output_bytes_max_ - result_.output.size();
    result_.output.append(buffer.data(), std::min(size, room));
    if (size <= room) return;
    result_.output_too_large = true;
    end();
  }

  // The process is over, though what it started may hold the pipes' other ends: what it wrote
  // itself is in them, and nothing more is waited for.
  void ended() {
    if (pid_ < 0) return;
    if (ending_) ::kill(-pid_, SIGKILL);  // before it is reaped: until then the number is its own
    ::waitpid(std::exchange(pid_, -1), &result_.wait_status, 0);
    drain(output_, output_buffer_);
    drain(errors_, errors_buffer_);
    finish();
  }

  void drain(Stream& stream, Buffer& buffer) {
    // At most a full pipe, were there a writer that never stops.
    for (int turns = 0; turns < 64; ++turns) {
      const ssize_t size = ::read(stream.native_handle(), buffer.data(), buffer.size());
      if (size <= 0) return;
      collect(stream, buffer, static_cast<std::size_t>(size));
    }
  }

  void close(Stream& stream) {
    error_code ignored;
    if (stream.is_open()) stream.close(ignored);
  }

  void close_all() {
    kill_timer_.cancel();
    for (Stream* stream : {&input_, &output_, &errors_, &exit_}) close(*stream);
  }

  void finish() {
    close_all();
    if (const OnEnd on_end = std::exchange(on_end_, nullptr)) on_end(std::move(result_));
  }

  const std::size_t output_bytes_max_;
  OnEnd on_end_;  // empty once it was called, or nobody is there any more
  asio::io_context& context_;
  Stream input_;
  Stream output_;
  Stream errors_;
  Stream exit_;  // a pidfd: readable once the process has ended
  asio::steady_timer kill_timer_;
  std::string text_;  // what is written to its standard input
  Buffer output_buffer_;
  Buffer errors_buffer_;
  ChildResult result_;
  pid_t pid_ = -1;       // -1 unless it runs or waits to be reaped
  bool ending_ = false;  // it was asked to end
};

Child::Child(asio::io_context& context, std::size_t output_bytes_max, OnEnd on_end)
    : impl_(std::make_shared<Impl>(context, output_bytes_max, std::move(on_end))) {}

Child::~Child() { impl_->abandon(); }

void Child::start(const std::string& path, const std::vector<std::string>& words,
                  std::string input) {
  impl_->start(path, words, std::move(input));
}

void Child::end() { impl_->end(); }

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos)
    return ::access(name.c_str(), X_OK) == 0 ? std::optional(name) : std::nullopt;
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!name.empty() && !rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string folder(rest.substr(0, colon));
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return std::nullopt;
}

void ensure_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", O_RDWR);
  }
}

}  // namespace ringcast::cli
