#include "client/bench/cpu_usage.h"

#include <dirent.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

namespace ringcast::bench {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::string read_small_file(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "re"));
  if (!file) return {};
  char text[1024];
  return {text, std::fread(text, 1, sizeof text, file.get())};
}

// Names in a directory of /proc that are numbers.
std::vector<pid_t> numbers_in(const std::string& path) {
  std::vector<pid_t> numbers;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (!directory) return numbers;
  while (const dirent* entry = ::readdir(directory.get())) {
    const pid_t number = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (number > 0) numbers.push_back(number);
  }
  return numbers;
}

struct Stat {
  pid_t parent = 0;
  std::uint64_t ticks = 0;  // utime + stime, the dead threads' included
};

std::optional<Stat> stat_of(pid_t pid) {
  const std::string text = read_small_file(fmt::format("/proc/{}/stat", pid));
  const std::size_t name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  int parent = 0;
  unsigned long user = 0;
  unsigned long system = 0;
  if (std::sscanf(text.c_str() + name_end + 1,
                  " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &parent, &user,
                  &system) != 3) {
    return std::nullopt;
  }
  return Stat{parent, std::uint64_t{user} + system};
}

// Nanoseconds on the CPU of all living threads; finer than the ticks of stat. Nothing where the
// kernel keeps no such figure.
std::optional<std::uint64_t> scheduled_ns(pid_t pid) {
  std::uint64_t total = 0;
  for (const pid_t thread : numbers_in(fmt::format("/proc/{}/task", pid))) {
    const std::string text =
        read_small_file(fmt::format("/proc/{}/task/{}/schedstat", pid, thread));
    unsigned long long ns = 0;
    if (std::sscanf(text.c_str(), "%llu", &ns) != 1) return std::nullopt;
    total += ns;
  }
  if (total == 0) return std::nullopt;
  return total;
}

}  // namespace

CpuSample cpu_of_process_tree(const std::vector<pid_t>& roots) {
  struct Process {
    pid_t pid;
    Stat stat;
  };
  std::vector<Process> all;
  for (const pid_t pid : numbers_in("/proc")) {
    if (const auto stat = stat_of(pid)) all.push_back({pid, *stat});
  }
  std::vector<pid_t> tree(roots);
  const auto in_tree = [&tree](pid_t pid) {
    return std::find(tree.begin(), tree.end(), pid) != tree.end();
  };
  for (bool grew = true; grew;) {
    grew = false;
    for (const Process& process : all) {
      if (in_tree(process.stat.parent) && !in_tree(process.pid)) {
        tree.push_back(process.pid);
        grew = true;
      }
    }
  }
  const auto ns_per_tick = 1'000'000'000u / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  CpuSample sample;
  for (const Process& process : all) {
    if (!in_tree(process.pid)) continue;
    ++sample.processes;
    sample.ns += scheduled_ns(process.pid).value_or(process.stat.ticks * ns_per_tick);
  }
  return sample;
}

std::uint64_t own_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace ringcast::bench
