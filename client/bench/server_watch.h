// What the server under test uses: CPU time and memory of the processes given by --pid with all
// their descendants. Without --pid it measures nothing. Reads /proc; one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "client/bench/cpu_usage.h"
#include "client/bench/result.h"
#include "client/failure.h"

namespace ringcast::bench {

class ServerWatch {
 public:
  explicit ServerWatch(const std::vector<pid_t>& roots) : roots_(roots) {}

  // Why there is nothing to watch although there should be.
  std::optional<client::Failure> check() const;

  bool active() const { return !roots_.empty(); }
  CpuSample cpu() const;

  // The memory is read at these moments only: reading it takes milliseconds, in which the server
  // may have to wait too. The peak in between is what the kernel keeps of each process.
  void before_connections();
  void after_connections();
  void at_end();
  // Absent without --pid, and if the kernel does not tell.
  std::optional<ServerMemory> memory() const;

 private:
  std::uint64_t now_bytes();

  std::vector<pid_t> roots_;
  ServerMemory memory_;
  bool known_ = true;
};

}  // namespace ringcast::bench
