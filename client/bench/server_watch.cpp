#include "client/bench/server_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace ringcast::bench {
namespace {

using client::Failure;

// A line "Name:   123 kB" of a file of /proc, in bytes.
std::optional<std::uint64_t> field(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    unsigned long long kib = 0;
    if (line.compare(0, name.size(), name) == 0 && line.size() > name.size() &&
        std::sscanf(line.c_str() + name.size(), ": %llu kB", &kib) == 1) {
      return kib * 1024;
    }
  }
  return std::nullopt;
}

// How far the memory of a process has been above what it is now, since its peak was reset.
std::uint64_t above_now(pid_t pid) {
  const std::string status = fmt::format("/proc/{}/status", pid);
  const std::uint64_t peak = field(status, "VmHWM").value_or(0);
  const std::uint64_t now = field(status, "VmRSS").value_or(0);
  return peak > now ? peak - now : 0;
}

// 5 resets the peak (proc(5)); where that is refused, it is the peak of the process's life.
void reset_peak(pid_t pid) { std::ofstream(fmt::format("/proc/{}/clear_refs", pid)) << '5'; }

}  // namespace

std::optional<Failure> ServerWatch::check() const {
  for (const pid_t root : roots_) {
    if (!process_tree({root}).empty()) continue;
    return Failure{Failure::Kind::input, fmt::format("there is no process {}", root),
                   "give --pid the process number of the running server"};
  }
  return std::nullopt;
}

CpuSample ServerWatch::cpu() const { return active() ? cpu_of(process_tree(roots_)) : CpuSample{}; }

std::uint64_t ServerWatch::now_bytes() {
  std::uint64_t sum = 0;
  for (const pid_t pid : process_tree(roots_)) {
    const auto bytes = field(fmt::format("/proc/{}/smaps_rollup", pid), "Pss");
    if (!bytes) known_ = false;
    sum += bytes.value_or(0);
  }
  return sum;
}

void ServerWatch::before_connections() {
  if (!active()) return;
  for (const pid_t pid : process_tree(roots_)) reset_peak(pid);
  memory_.before_bytes = now_bytes();
}

void ServerWatch::after_connections() {
  if (active()) memory_.connected_bytes = now_bytes();
}

void ServerWatch::at_end() {
  if (!active()) return;
  memory_.end_bytes = now_bytes();
  std::uint64_t peak = memory_.end_bytes;
  for (const pid_t pid : process_tree(roots_)) peak += above_now(pid);
  memory_.peak_bytes = std::max({peak, memory_.before_bytes, memory_.connected_bytes});
}

std::optional<ServerMemory> ServerWatch::memory() const {
  if (!active() || !known_) return std::nullopt;
  return memory_;
}

}  // namespace ringcast::bench
