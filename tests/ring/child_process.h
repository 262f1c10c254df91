// A forked child that runs one function and ends with what it returns, for tests of what happens
// between processes. Only single-threaded tests may fork.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

namespace ringcast::ring::test {

class ChildProcess {
 public:
  explicit ChildProcess(const std::function<int()>& body) : pid_(fork()) {
    // No destructors and no report of a leak: everything of the parent is in the child as well.
    if (pid_ == 0) _exit(body());
  }
  ~ChildProcess() {
    if (pid_ > 0) kill_and_reap();
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  bool running() const { return pid_ > 0; }

  // The child's exit code, or -1 if a signal ended it.
  int exit_code() {
    const int status = reap();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  void kill_and_reap() {
    kill(pid_, SIGKILL);
    reap();
  }

 private:
  int reap() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  pid_t pid_;
};

}  // namespace ringcast::ring::test
