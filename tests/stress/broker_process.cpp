#include "tests/stress/broker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>

#include "tests/stress/clock.h"
#include "tests/stress/verdict.h"

namespace ringcast::stress {
namespace {

constexpr std::int64_t kStartTimeoutMs = 30'000;
constexpr std::int64_t kAnswerTimeoutMs = 30'000;

// The number after " key=" in a log line.
std::optional<std::uint64_t> number_of(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(fmt::format(" {}=", key));
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const char* begin = line.data() + at + key.size() + 2;
  const auto parsed = std::from_chars(begin, line.data() + line.size(), value);
  if (parsed.ec != std::errc{}) return std::nullopt;
  return value;
}

std::string beside_this_program() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "ringcast").string();
}

}  // namespace

void CounterSets::add(std::string_view line) {
  auto& set = sets_.emplace_back();
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), word.size() + 1));
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view digits = word.substr(equals + 1);
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (parsed.ec == std::errc{}) set.emplace(word.substr(0, equals), value);
  }
}

std::uint64_t CounterSets::at(std::size_t worker, const std::string& name) const {
  const auto& set = sets_.at(worker);
  const auto found = set.find(name);
  if (found == set.end()) fail("the broker logs no counter named {}", name);
  return found->second;
}

std::uint64_t CounterSets::sum(const std::string& name) const {
  std::uint64_t total = 0;
  for (std::size_t worker = 0; worker < sets_.size(); ++worker) total += at(worker, name);
  return total;
}

BrokerProcess::BrokerProcess(const std::string& binary, std::vector<std::string> arguments) {
  const std::string program = binary.empty() ? beside_this_program() : binary;
  arguments.insert(arguments.begin(), {program, "--listen", "127.0.0.1:0"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe: {}", std::strerror(errno));
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) fail("fork: {}", std::strerror(errno));
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    dup2(ends[1], STDERR_FILENO);
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  close(ends[1]);
  log_fd_ = ends[0];
  fcntl(log_fd_, F_SETFL, O_NONBLOCK);
  wait_ready();
}

BrokerProcess::~BrokerProcess() {
  if (pid_ > 0) {
    // It was not stopped in order, so the check has failed: what it logged last may say why.
    read_log();
    fmt::print(stderr, "the broker's log ends with:\n{}",
               log_tail_.substr(log_tail_.size() > 3000 ? log_tail_.size() - 3000 : 0));
    // Stopped workers can't hear of the supervisor's end.
    for (const Worker& worker : workers_) {
      if (worker.pid > 0) kill(worker.pid, SIGCONT);
    }
    kill(pid_, SIGKILL);  // its workers end when it does
    waitpid(pid_, nullptr, 0);
  }
  if (log_fd_ >= 0) close(log_fd_);
}

void BrokerProcess::fail_start(const char* what) {
  const std::string text = fmt::format("the broker {}; it says:\n{}", what, log_tail_);
  // No destructor runs for a constructor that throws.
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(log_fd_);
  throw Verdict(Exit::not_started, text);
}

void BrokerProcess::wait_ready() {
  const std::int64_t deadline = now_ms() + kStartTimeoutMs;
  while (port_ == 0) {
    pollfd log{.fd = log_fd_, .events = POLLIN, .revents = 0};
    poll(&log, 1, 50);
    read_log();
    if (port_ == 0 && (log.revents & POLLHUP) != 0) fail_start("has ended before it was ready");
    if (now_ms() >= deadline) fail_start("was not ready within 30 s");
  }
}

void BrokerProcess::read_log() {
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t size = read(log_fd_, buffer.data(), buffer.size());
    if (size <= 0) return;
    partial_line_.append(buffer.data(), static_cast<std::size_t>(size));
    std::size_t begin = 0;
    for (std::size_t end; (end = partial_line_.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      take_line(std::string_view(partial_line_).substr(begin, end - begin));
    }
    partial_line_.erase(0, begin);
  }
}

void BrokerProcess::take_line(std::string_view line) {
  if (line.find(" counters worker=") != std::string_view::npos) return counters_.add(line);
  if (line.ends_with(" counters end")) {
    counters_complete_ = true;
    return;
  }
  log_tail_.append(line).push_back('\n');
  if (log_tail_.size() > 16384) log_tail_.erase(0, 8192);
  if (line.find(" error ") != std::string_view::npos) errors_.emplace_back(line);
  if (line.find(" worker ready ") != std::string_view::npos) {
    const auto worker = number_of(line, "worker");
    const auto pid = number_of(line, "pid");
    if (!worker || !pid) return;
    if (workers_.size() <= *worker) workers_.resize(*worker + 1);
    workers_[*worker].pid = static_cast<pid_t>(*pid);
    ++workers_[*worker].starts;
  } else if (line.find(" ready pid=") != std::string_view::npos) {
    const std::size_t colon = line.rfind(':');
    std::from_chars(line.data() + colon + 1, line.data() + line.size(), port_);
  }
}

std::vector<pid_t> BrokerProcess::pids() const {
  std::vector<pid_t> all{pid_};
  for (const Worker& worker : workers_) {
    if (std::find(all.begin(), all.end(), worker.pid) == all.end()) all.push_back(worker.pid);
  }
  return all;
}

CounterSets BrokerProcess::counters(const Busy& busy) {
  counters_ = {};
  counters_complete_ = false;
  kill(pid_, SIGUSR1);
  const std::int64_t deadline = now_ms() + kAnswerTimeoutMs;
  while (!counters_complete_) {
    if (now_ms() >= deadline) fail("the broker did not log its counters within 30 s");
    busy();
    read_log();
  }
  return counters_;
}

int BrokerProcess::stop(const Busy& busy) {
  kill(pid_, SIGTERM);
  const std::int64_t deadline = now_ms() + kAnswerTimeoutMs;
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (now_ms() >= deadline) fail("the broker did not stop within 30 s of SIGTERM");
    busy();
    read_log();
  }
  pid_ = 0;
  read_log();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace ringcast::stress
