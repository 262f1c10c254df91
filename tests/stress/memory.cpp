#include "tests/stress/memory.h"

#include <fstream>
#include <string>

#include "tests/stress/verdict.h"

namespace ringcast::stress {

std::int64_t memory_bytes(const std::vector<pid_t>& pids) {
  std::int64_t total = 0;
  for (const pid_t pid : pids) {
    std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
    int found = 0;
    for (std::string word; file >> word;) {
      if (word != "Pss_Anon:" && word != "Pss_Shmem:") continue;
      std::int64_t kibibytes = 0;
      file >> kibibytes;
      total += kibibytes * 1024;
      ++found;
    }
    if (found != 2) fail("the broker's process {} is gone, or /proc does not show it", pid);
  }
  return total;
}

}  // namespace ringcast::stress
