#include "tests/client/terminal.h"

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace ringcast::test {

Outcome run_on_terminal(const std::string& path, const std::vector<std::string>& args,
                        unsigned short columns) {
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  winsize size{};
  size.ws_row = 24;
  size.ws_col = columns;
  int terminal = -1;
  const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (pid < 0) throw std::runtime_error("no pseudo-terminal");
  if (pid == 0) {
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  Outcome outcome;
  char bytes[4096];
  for (;;) {
    const ssize_t got = ::read(terminal, bytes, sizeof bytes);
    if (got > 0) outcome.err.append(bytes, static_cast<std::size_t>(got));
    // Once the program has ended, a terminal answers EIO.
    if (got == 0 || (got < 0 && errno != EINTR)) break;
  }
  ::close(terminal);
  int status = 0;
  ::waitpid(pid, &status, 0);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

}  // namespace ringcast::test
