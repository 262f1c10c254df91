// Callees in a process of their own, so that it can be killed: the kernel closes their connections
// as it does for any program that crashes. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace ringcast::stress {

class CalleeProcess {
 public:
  CalleeProcess() = default;
  ~CalleeProcess() { end(); }
  CalleeProcess(const CalleeProcess&) = delete;
  CalleeProcess& operator=(const CalleeProcess&) = delete;

  // This program again, with `--act-as-callees PORT`. It ends when its parent does.
  void start(std::uint16_t port);
  // SIGKILL; nothing if it does not run. Fails if it had ended by itself: it says why.
  void kill();
  bool running() const { return pid_ > 0; }

 private:
  int end();

  pid_t pid_ = 0;
};

// What that process does until it is killed: some callees, which come back when a worker dies.
[[noreturn]] void act_as_callees(std::uint16_t port);

}  // namespace ringcast::stress
