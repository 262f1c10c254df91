// The supervisor: makes the shared segment, starts the worker processes, starts dead ones again,
// and stops everything in good order. It parses no byte from the network. Main thread only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/acceptor.h"
#include "broker/config.h"
#include "broker/listener.h"
#include "ring/segment.h"
#include "worker/clock.h"

namespace ringcast::broker {

class Supervisor {
 public:
  // `arguments` are the program's own: worker processes are the same binary with the same
  // arguments. `config_text` is what the configuration file said when it was read; they get it
  // from here.
  Supervisor(Config config, std::vector<std::string> arguments, std::string config_text);
  ~Supervisor();

  // Serves until it is told to stop. Returns the exit code.
  int run();

 private:
  struct Process {
    pid_t pid = 0;               // 0: none
    std::uint32_t failures = 0;  // deaths in a row without a stable time in between
    worker::TimeMs started_ms = 0;
    worker::TimeMs start_at_ms = 0;  // when to start it (again), while pid is 0
  };
  struct Thread {
    int control = -1;         // our end
    int control_worker = -1;  // the worker's end; kept, so that a successor finds what is queued
    std::uint64_t turns = 0;  // last proof of life
    worker::TimeMs turns_ms = 0;  // when it was seen
    bool announced = false;       // "worker ready" has been logged for this incarnation
  };

  // setting up; each returns an exit code, 0 to go on
  int prepare_limits();
  int keep_config();
  int make_segment();
  int make_channels();
  int start_acceptor(std::vector<Listener> listeners);

  void loop();
  void handle_signals();
  void handle_live(std::uint32_t worker);
  void log_ready_once();
  void reap();
  void bury(std::uint32_t index, const std::string& how);
  void start_due(worker::TimeMs now);
  void spawn(std::uint32_t index);
  void check_alive(worker::TimeMs now);
  void reload();
  void log_counters();
  void begin_stop();
  bool stop_finished(worker::TimeMs now);
  void wake_all();
  std::uint32_t first_thread(std::uint32_t process) const { return process * config_.threads; }

  Config config_;
  std::vector<std::string> arguments_;
  std::string config_text_;
  int config_fd_ = -1;  // a sealed memory file of it; -1: there is no configuration file
  std::unique_ptr<ring::Segment> segment_;
  std::vector<int> wake_fds_;
  std::vector<Process> processes_;
  std::vector<Thread> threads_;
  std::unique_ptr<Acceptor> acceptor_;
  std::string listen_text_;  // "ws://127.0.0.1:8080/ws,…"
  int signal_fd_ = -1;
  bool ready_logged_ = false;
  bool stopping_ = false;
  bool killed_ = false;
  worker::TimeMs stop_deadline_ms_ = 0;
  int exit_code_ = 0;
};

}  // namespace ringcast::broker
