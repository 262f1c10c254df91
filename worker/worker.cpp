#include "worker/worker.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>

#include "ring/wakeup.h"
#include "worker/control.h"

namespace ringcast::worker {
namespace {

constexpr int kControlMessagesPerTurn = 64;
constexpr TimeMs kReportIntervalMs = 250;
static_assert(kBusyPollMaxUs < 1000 * kReportIntervalMs);
constexpr std::uint64_t kCongestedWaitMs = 1;  // until a full ring is tried again
constexpr std::size_t kDescriptorsPerTurn = 2048;

}  // namespace

Worker::Result Worker::create(WorkerSetup setup) {
  IoRing::Result io = IoRing::create(setup.segment->header().sizes.slots_per_worker);
  if (auto* error = std::get_if<IoRingError>(&io)) return std::move(*error);
  return std::unique_ptr<Worker>(
      new Worker(std::move(setup), std::move(std::get<std::unique_ptr<IoRing>>(io))));
}

Worker::Worker(WorkerSetup setup, std::unique_ptr<IoRing> io)
    : setup_(std::move(setup)),
      block_(setup_.segment->block(setup_.index)),
      io_(std::move(io)),
      transport_(setup_.index, *setup_.segment, *io_, setup_.options),
      peers_(*setup_.segment, setup_.index, setup_.wake_fds),
      background_(setup_.wake_fds[setup_.index]),
      router_(*setup_.segment, setup_.index, transport_, peers_, background_, setup_.options),
      busy_poll_(std::int64_t{setup_.options.busy_poll_us} * 1000) {
  transport_.set_user(router_);
}

// The arena may be written again only when no live worker can still be reading what the incarnation
// before this one had put there; each of them says so when it notices the new epoch.
void Worker::become_live() {
  const std::uint32_t epoch = setup_.segment->state(setup_.index).epoch;
  block_.counters.reset_gauges();
  for (;;) {
    peers_.refresh(router_);
    if (peers_.own_arena_free(epoch)) break;
    // A millisecond's rest, or the end of the supervisor; messages stay where they are until later.
    pollfd supervisor{.fd = setup_.control_socket, .events = 0, .revents = 0};
    if (poll(&supervisor, 1, 1) > 0 && (supervisor.revents & POLLHUP) != 0) {
      stopped_ = true;
      return;
    }
  }
  router_.begin(peers_.live());
  setup_.segment->set_state(setup_.index, {.epoch = epoch, .state = ring::WorkerState::live});
  for (std::uint32_t other = 0; other < setup_.wake_fds.size(); ++other) {
    if (other != setup_.index) ring::wake(setup_.wake_fds[other]);
  }
  send_control(setup_.control_socket, {.kind = ControlKind::live, .argument = epoch});
}

void Worker::watch(int fd, Operation operation) {
  io_uring_sqe* entry = io_->prepare({.operation = operation});
  io_uring_prep_poll_multishot(entry, fd, POLLIN);
}

void Worker::run() {
  become_live();
  ring::announce_awake(block_.sleeping);  // the incarnation before this one may have died asleep
  watch(setup_.wake_fds[setup_.index], Operation::wake);
  watch(setup_.control_socket, Operation::control);
  while (!stopped_) turn();
}

void Worker::turn() {
  peers_.flush();
  send();
  submit();
  now_ = now_ms();
  transport_.set_now(now_);
  router_.expire(now_);
  block_.counters.add(ring::Counter::turns);

  const bool completions_left = handle_completions();
  background_.finish();
  peers_.refresh(router_);
  if (control_ready_) control_ready_ = take_control();
  transport_.begin_stage(Transport::kStageInput);
  if (transport_.has_paused()) transport_.resume_paused();
  const bool input_left = transport_.process_received();
  transport_.begin_stage(Transport::kStageRings);
  std::size_t descriptors = 0;
  const bool inbound_left = peers_.drain(router_, [this, &descriptors] {
    return ++descriptors > kDescriptorsPerTurn || transport_.stage_full();
  });
  transport_.expire_timers();
  const bool calls_ended = router_.end_turn();
  work_left_ = completions_left || input_left || inbound_left || control_ready_ || calls_ended;
  if (now_ >= next_report_ms_) report();
  if (drain_deadline_ms_ != 0 &&
      (transport_.connections().in_use() == 0 || now_ >= drain_deadline_ms_)) {
    stopped_ = true;
  }
}

// What is due, piece by piece: what comes meanwhile can still go with what has not left yet.
void Worker::send() {
  for (;;) {
    transport_.flush();
    if (!transport_.round_under_way() || io_->has_work() || !peers_.inbound_empty()) return;
    io_->submit_only();
  }
}

// Hands over what is prepared, and rests until there is something to do.
void Worker::submit() {
  const std::uint64_t wait = idle_ms();
  if (wait == 0) return io_->submit(0);
  const std::int64_t idle_since_ns = busy_poll_.enabled() ? now_ns() : 0;
  const bool found = busy_poll_.worthwhile() && look_for_work(idle_since_ns, wait);
  if (!found && announce_sleep()) {
    io_->submit(idle_ms());  // what is left of it
    ring::announce_awake(block_.sleeping);
  } else {
    io_->submit(0);
  }
  if (busy_poll_.enabled()) busy_poll_.idle_ended(now_ns() - idle_since_ns);
}

// How long this turn may rest: not at all while there is work; a moment while a ring is full; else
// until something happens, and long enough that the proof of life is given and timers fire.
std::uint64_t Worker::idle_ms() const {
  if (work_left_ || transport_.has_dirty()) return 0;
  if (peers_.congested() || transport_.has_paused() || router_.has_waiting())
    return kCongestedWaitMs;
  const TimeMs now = now_ms();
  const TimeMs until = std::min(next_report_ms_, router_.next_deadline());
  return until > now ? until - now : 1;
}

// Looks for work without sleeping, as long as that may pay; true if there is some. Whoever has
// something for this worker need not wake it meanwhile.
bool Worker::look_for_work(std::int64_t since_ns, std::uint64_t wait_ms) {
  const std::int64_t rest_ns = static_cast<std::int64_t>(wait_ms) * 1'000'000;
  const std::int64_t until_ns = since_ns + std::min(busy_poll_.budget_ns(), rest_ns);
  io_->submit(0);
  do {
    if (io_->has_news() || !peers_.inbound_empty()) return true;
    relax();
  } while (now_ns() < until_ns);
  return false;
}

// False if a ring has something after all, which its producer has put there without a wake-up.
bool Worker::announce_sleep() {
  ring::announce_sleep(block_.sleeping);
  if (peers_.inbound_empty()) return true;
  ring::announce_awake(block_.sleeping);
  return false;
}

// True if more may be waiting than one turn takes.
bool Worker::handle_completions() {
  const std::size_t count = io_->take_completions(completions_);
  for (std::size_t i = 0; i < count; ++i) {
    const Operation operation = OperationTag::from_packed(completions_[i].user_data).operation;
    if (operation == Operation::wake || operation == Operation::control) {
      handle_own(completions_[i], operation);
    } else {
      transport_.handle(completions_[i]);
    }
  }
  return count == completions_.size();
}

void Worker::handle_own(const Completion& completion, Operation operation) {
  const bool wake = operation == Operation::wake;
  const int fd = wake ? setup_.wake_fds[setup_.index] : setup_.control_socket;
  if (wake) {
    // Back to 0; the rings say what there is to do. EAGAIN: it was 0 already.
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t size = read(fd, &count, sizeof count);
  } else {
    control_ready_ = true;
  }
  // A multishot poll ends when the completion queue has overflowed.
  if ((completion.flags & IORING_CQE_F_MORE) == 0) watch(fd, operation);
}

// True if more is waiting than one turn may take.
bool Worker::take_control() {
  for (int i = 0; i < kControlMessagesPerTurn; ++i) {
    const ReceivedControl received = receive_control(setup_.control_socket);
    if (received.result == ControlResult::again) return false;
    if (received.result == ControlResult::closed) {
      stopped_ = true;  // the supervisor is gone, and with it who would restart or stop us
      return false;
    }
    switch (received.message.kind) {
      case ControlKind::connections:
        // All at once and first: whatever becomes of them, the acceptor must not wait for them for
        // ever. Those that this worker dies with are counted as lost by the supervisor.
        block_.counters.add(ring::Counter::connections_accepted, received.message.argument);
        for (std::size_t n = 0; n < received.message.argument; ++n) {
          transport_.begin(n < received.fd_count ? received.fds[n] : -1, now_);
        }
        break;
      case ControlKind::drain:
        begin_drain(received.message.argument);
        break;
      case ControlKind::reload:
        router_.reload();
        break;
      case ControlKind::live:
        assert(false && "a worker's message came to a worker");
        break;
    }
  }
  return true;
}

void Worker::begin_drain(std::uint32_t timeout_ms) {
  if (drain_deadline_ms_ != 0) return;
  drain_deadline_ms_ = now_ + timeout_ms;
  router_.begin_drain();
}

void Worker::report() {
  next_report_ms_ = now_ + kReportIntervalMs;
  router_.expire_pending(now_);
  transport_.trim_if_quiet();
  peers_.report();
}

}  // namespace ringcast::worker
