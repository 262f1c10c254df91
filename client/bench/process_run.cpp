#include "client/bench/process_run.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "client/bench/clock.h"

namespace ringcast::bench {
namespace {

constexpr std::int64_t kTickNs = 50'000'000;
constexpr std::int64_t kDrainTickNs = 5'000'000;

}  // namespace

ProcessRun::ProcessRun(const FanoutOptions& options, std::uint32_t process, Board& board,
                       std::uint32_t run)
    : options_(options),
      board_(board),
      tally_(board.tally(process)),
      pool_(options, process, board.wakeup(process)),
      handshake_(options, masks_),
      traffic_(options, process, pool_, handshake_, masks_, board, run) {}

std::optional<client::Failure> ProcessRun::connect() {
  if (auto failure = pool_.resolve()) return failure;
  if (auto failure = Connector(options_, pool_, handshake_).run()) return failure;
  pool_.stall();
  tally_.ready.store(true, std::memory_order_release);
  return std::nullopt;
}

void ProcessRun::follow_phase() {
  const Control& control = board_.control();
  const Phase phase = control.phase.load(std::memory_order_acquire);
  traffic_.deliveries().measure(control.measured_from_ns.load(std::memory_order_relaxed),
                                control.measured_to_ns.load(std::memory_order_relaxed));
  if (phase == phase_) return;
  if (phase == Phase::running) traffic_.publishing().start(control.started_ns);
  if (phase == Phase::draining) traffic_.publishing().stop();
  phase_ = phase;
}

void ProcessRun::turn(std::int64_t wake_at) {
  follow_phase();
  const std::int64_t now = now_ns();
  if (std::exchange(idle_, false)) tally_.idle_ns += now - last_turn_ns_;
  last_turn_ns_ = now;
  const std::uint64_t published = tally_.published;
  Publishing& publishing = traffic_.publishing();
  publishing.publish_due();
  std::int64_t timeout = 0;
  if (phase_ == Phase::draining) {
    timeout = kDrainTickNs;
    tally_.settled.store(traffic_.settled(), std::memory_order_release);
  } else if (!options_.spin && !publishing.has_work()) {
    timeout =
        std::clamp(std::min(publishing.next_due_ns(), wake_at) - now, std::int64_t{0}, kTickNs);
  }
  const bool arrived = pool_.poll(timeout, traffic_);
  if (options_.processes > 1) traffic_.deliveries().tell_others();
  idle_ = !arrived && tally_.published == published;
}

void ProcessRun::finish() {
  traffic_.deliveries().finish();
  pool_.close_all(masks_);
  tally_.done.store(true, std::memory_order_release);
}

int run_follower(const FanoutOptions& options, std::uint32_t process, Board& board,
                 std::uint32_t run) {
  ProcessRun part(options, process, board, run);
  if (const auto failure = part.connect()) {
    board.tally(process).fail(*failure);
    return 1;
  }
  const std::atomic<Phase>& phase = board.control().phase;
  while (phase.load(std::memory_order_acquire) == Phase::connecting) ::usleep(200);
  while (phase.load(std::memory_order_acquire) != Phase::over)
    part.turn(std::numeric_limits<std::int64_t>::max());
  part.finish();
  return 0;
}

}  // namespace ringcast::bench
