#include "tests/client/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

namespace ringcast::test {

Program::Program(const std::string& path, const std::vector<std::string>& args,
                 const std::string& input, bool keep_open) {
  ::signal(SIGPIPE, SIG_IGN);
  int in[2];
  int out[2];
  int err[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipes");
  }
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  ::close(err[1]);
  in_ = in[1];
  out_ = out[0];
  err_ = err[0];
  write(input);
  if (!keep_open) end_input();
}

Program::~Program() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (const int fd : {in_, out_, err_}) {
    if (fd >= 0) ::close(fd);
  }
}

void Program::write(const std::string& more) {
  std::size_t done = 0;
  while (done < more.size()) {
    const ssize_t size = ::write(in_, more.data() + done, more.size() - done);
    if (size < 0) return;  // it has ended; wait() tells
    done += static_cast<std::size_t>(size);
  }
}

void Program::end_input() {
  if (in_ >= 0) ::close(std::exchange(in_, -1));
}

void Program::signal(int number) { ::kill(pid_, number); }

bool Program::read_some() {
  pollfd fds[2] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
  if (out_ < 0 && err_ < 0) return false;
  ::poll(fds, 2, -1);
  char bytes[4096];
  for (const bool to_out : {true, false}) {
    if (fds[to_out ? 0 : 1].revents == 0) continue;
    int& fd = to_out ? out_ : err_;
    const ssize_t size = ::read(fd, bytes, sizeof bytes);
    if (size > 0) {
      (to_out ? outcome_.out : outcome_.err).append(bytes, static_cast<std::size_t>(size));
    } else if (size == 0 || errno != EINTR) {
      ::close(std::exchange(fd, -1));
    }
  }
  return out_ >= 0 || err_ >= 0;
}

bool Program::wait_for_error_text(const std::string& text) {
  while (outcome_.err.find(text) == std::string::npos) {
    if (!read_some()) return outcome_.err.find(text) != std::string::npos;
  }
  return true;
}

Outcome Program::wait() {
  while (read_some()) {
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  outcome_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome_;
}

Outcome run_program(const std::string& path, const std::vector<std::string>& args,
                    const std::string& input) {
  return Program(path, args, input).wait();
}

}  // namespace ringcast::test
