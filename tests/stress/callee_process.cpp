#include "tests/stress/callee_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/stress/clock.h"
#include "tests/stress/rpc_callee.h"

namespace ringcast::stress {
namespace {

constexpr std::size_t kCallees = 4;

}  // namespace

void CalleeProcess::start(std::uint16_t port) {
  kill();
  const std::string number = std::to_string(port);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) fail("fork: {}", std::strerror(errno));
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  execl("/proc/self/exe", "rpc_check", "--act-as-callees", number.c_str(), nullptr);
  _exit(127);
}

void CalleeProcess::kill() {
  if (pid_ <= 0) return;
  const int status = end();
  if (WIFEXITED(status)) fail("a process of callees has ended with {}", WEXITSTATUS(status));
}

int CalleeProcess::end() {
  if (pid_ <= 0) return 0;
  ::kill(pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = 0;
  return status;
}

void act_as_callees(std::uint16_t port) {
  Engine engine;
  RpcWorld world(static_cast<std::uint64_t>(getpid()));
  world.workers_die = true;
  std::vector<std::unique_ptr<Callee>> callees(kCallees);
  for (;;) {
    const std::int64_t now = now_ms();
    for (auto& callee : callees) {
      if (callee == nullptr || callee->ended()) {
        callee = std::make_unique<Callee>(engine, world, world.random(2) == 0, 0xFF);
        callee->connect({.port = port});
      }
      callee->tick(now);
    }
    world.forget_given();
    engine.turn(1);
  }
}

}  // namespace ringcast::stress
