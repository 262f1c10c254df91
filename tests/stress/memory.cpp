#include "tests/stress/memory.h"

#include <fstream>
#include <string>

#include "tests/stress/verdict.h"

namespace ringcast::stress {

std::int64_t memory_bytes(const std::vector<pid_t>& pids) {
  std::int64_t total = 0;
  for (const pid_t pid : pids) {
    std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
    std::int64_t kibibytes = -1;
    for (std::string word; file >> word;) {
      if (word == "Pss:") {
        file >> kibibytes;
        break;
      }
    }
    if (kibibytes < 0) fail("the broker's process {} is gone, or /proc does not show it", pid);
    total += kibibytes * 1024;
  }
  return total;
}

}  // namespace ringcast::stress
