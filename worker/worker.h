// One worker thread: its event loop and everything it owns. Made and run on the thread that it is.
//
// A turn: push what is staged for other workers, submit sends until something comes or all have
// left, sleep only if there is nothing to do, handle completions, process what was received, drain
// the rings. Each stage has a bound (Transport::stage_full), so that no connection and no other
// worker keeps the rest waiting.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "ring/segment.h"
#include "worker/background.h"
#include "worker/busy_poll.h"
#include "worker/io_ring.h"
#include "worker/options.h"
#include "worker/peers.h"
#include "worker/router.h"
#include "worker/transport.h"

namespace ringcast::worker {

struct WorkerSetup {
  ring::Segment* segment = nullptr;
  std::uint32_t index = 0;
  std::vector<int> wake_fds;  // eventfd of every worker of the node
  int control_socket = -1;
  WorkerOptions options;
};

class Worker {
 public:
  using Result = std::variant<std::unique_ptr<Worker>, IoRingError>;
  // Throws std::system_error if memory can't be mapped.
  static Result create(WorkerSetup setup);

  // Serves until it has drained, or until the supervisor is gone.
  void run();

 private:
  Worker(WorkerSetup setup, std::unique_ptr<IoRing> io);

  static constexpr std::size_t kCompletionsPerTurn = 1024;

  void become_live();
  void watch(int fd, Operation operation);
  void turn();
  void send();
  void submit();
  std::uint64_t idle_ms() const;
  bool look_for_work(std::int64_t since_ns, std::uint64_t wait_ms);
  bool announce_sleep();
  bool handle_completions();
  void handle_own(const Completion& completion, Operation operation);
  bool take_control();
  void begin_drain(std::uint32_t timeout_ms);
  void report();

  WorkerSetup setup_;
  ring::WorkerBlock& block_;
  std::unique_ptr<IoRing> io_;
  std::array<Completion, kCompletionsPerTurn> completions_;
  Transport transport_;
  Peers peers_;
  Background background_;
  Router router_;
  BusyPoll busy_poll_;

  TimeMs now_ = 0;
  TimeMs next_report_ms_ = 0;
  TimeMs drain_deadline_ms_ = 0;  // 0: not draining
  bool work_left_ = false;        // a stage stopped at its bound
  bool control_ready_ = true;
  bool stopped_ = false;
};

}  // namespace ringcast::worker
