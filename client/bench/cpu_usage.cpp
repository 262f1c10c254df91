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

std::optional<pid_t> parent_of(pid_t pid) {
  const std::string text = read_small_file(fmt::format("/proc/{}/stat", pid));
  const std::size_t name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  int parent = 0;
  if (std::sscanf(text.c_str() + name_end + 1, " %*c %d", &parent) != 1) return std::nullopt;
  return parent;
}

std::uint64_t ns_of(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

std::vector<pid_t> process_tree(const std::vector<pid_t>& roots) {
  struct Process {
    pid_t pid;
    pid_t parent;
  };
  std::vector<Process> all;
  for (const pid_t pid : numbers_in("/proc")) {
    if (const auto parent = parent_of(pid)) all.push_back({pid, *parent});
  }
  std::vector<pid_t> tree;
  const auto in_tree = [&tree](pid_t pid) {
    return std::find(tree.begin(), tree.end(), pid) != tree.end();
  };
  const auto is_root = [&roots](pid_t pid) {
    return std::find(roots.begin(), roots.end(), pid) != roots.end();
  };
  for (bool grew = true; grew;) {
    grew = false;
    for (const Process& process : all) {
      if (in_tree(process.pid) || !(is_root(process.pid) || in_tree(process.parent))) continue;
      tree.push_back(process.pid);
      grew = true;
    }
  }
  return tree;
}

CpuSample cpu_of(const std::vector<pid_t>& processes) {
  CpuSample sample;
  for (const pid_t pid : processes) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) continue;
    ++sample.processes;
    sample.ns += ns_of(time);
  }
  return sample;
}

std::uint64_t own_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return ns_of(time);
}

}  // namespace ringcast::bench
