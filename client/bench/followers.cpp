#include "client/bench/followers.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "client/bench/process_run.h"

namespace ringcast::bench {

using client::Failure;

Followers::~Followers() {
  for (const pid_t pid : pids_) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
}

std::optional<Failure> Followers::start(std::uint32_t run) {
  for (std::uint32_t process = 1; process < options_.processes; ++process) {
    const pid_t pid = ::fork();
    if (pid < 0) {
      return Failure{Failure::Kind::network,
                     fmt::format("cannot start a process: {}", std::strerror(errno)),
                     "raise the limit of processes (ulimit -u), or give fewer --processes"};
    }
    if (pid == 0) {
      // The leader decides when the run ends, and it ends with the leader.
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::signal(SIGINT, SIG_IGN);
      ::signal(SIGTERM, SIG_IGN);
      ::_exit(run_follower(options_, process, board_, run));
    }
    pids_.push_back(pid);
  }
  return std::nullopt;
}

std::optional<Failure> Followers::failure() {
  for (std::uint32_t process = 1; process < options_.processes; ++process) {
    const Tally& tally = board_.tally(process);
    if (auto failure = tally.failure()) return failure;
    siginfo_t ended{};
    const auto pid = static_cast<id_t>(pids_[process - 1]);
    if (!tally.done.load(std::memory_order_acquire) &&
        ::waitid(P_PID, pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0 &&
        !tally.done.load(std::memory_order_acquire)) {
      // It may have said why just before it ended.
      if (auto failure = tally.failure()) return failure;
      return Failure{Failure::Kind::network, "a process of the generator has ended unexpectedly",
                     "the kernel's log may tell why"};
    }
  }
  return std::nullopt;
}

std::optional<Failure> Followers::wait_until_done() {
  for (std::uint32_t process = 1; process < options_.processes; ++process) {
    while (!board_.tally(process).done.load(std::memory_order_acquire)) {
      if (auto failed = failure()) return failed;
      ::usleep(200);
    }
  }
  return std::nullopt;
}

}  // namespace ringcast::bench
