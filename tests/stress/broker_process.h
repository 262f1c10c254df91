// The real broker as a child process: started on a port of its own choosing, its log read, its
// counters asked for, its workers known by pid. One thread. Whatever happens to the check, the
// broker does not outlive it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ringcast::stress {

// What SIGUSR1 makes the broker log: one set per worker.
class CounterSets {
 public:
  std::size_t workers() const { return sets_.size(); }
  std::uint64_t at(std::size_t worker, const std::string& name) const;
  std::uint64_t sum(const std::string& name) const;
  void add(std::string_view line);

 private:
  std::vector<std::map<std::string, std::uint64_t>> sets_;
};

class BrokerProcess {
 public:
  // `busy` is called again and again while something is waited for, and sleeps a moment itself.
  using Busy = std::function<void()>;

  // `binary` empty: the one beside this program. Returns when every worker is ready.
  BrokerProcess(const std::string& binary, std::vector<std::string> arguments);
  ~BrokerProcess();
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  std::uint16_t port() const { return port_; }
  std::size_t workers() const { return workers_.size(); }
  pid_t worker_pid(std::size_t worker) const { return workers_.at(worker).pid; }
  // How often it has become ready: 1 unless it was started again.
  unsigned worker_starts(std::size_t worker) const { return workers_.at(worker).starts; }
  std::vector<pid_t> pids() const;  // of all its processes that are known to live

  // Takes in what it has logged; to be called now and then.
  void read_log();
  CounterSets counters(const Busy& busy);

  // SIGTERM, and the exit code; fails if it does not end of itself.
  int stop(const Busy& busy);

  // Lines of level error that it has logged.
  const std::vector<std::string>& errors() const { return errors_; }

 private:
  struct Worker {
    pid_t pid = 0;
    unsigned starts = 0;
  };

  void take_line(std::string_view line);
  void wait_ready();
  [[noreturn]] void fail_start(const char* what);

  pid_t pid_ = 0;
  int log_fd_ = -1;
  std::uint16_t port_ = 0;
  std::string partial_line_;
  std::string log_tail_;  // the last lines, for the case that it does not start
  std::vector<Worker> workers_;
  std::vector<std::string> errors_;
  CounterSets counters_;
  bool counters_complete_ = false;
};

}  // namespace ringcast::stress
