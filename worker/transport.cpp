#include "worker/transport.h"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>

#include "wire/http_upgrade.h"
#include "worker/peer_address.h"

namespace ringcast::worker {
namespace {

constexpr std::size_t kStageRangesMax = 65536;
constexpr std::size_t kStageDueBytesMax = 64u << 20;  // 10 to 40 ms of sends (bench/RESULTS.md)
constexpr std::size_t kStageMessagesMax = 4096;

// When memory is given back: a second of hardly any traffic after much of it.
constexpr unsigned kQuietCalls = 4;
constexpr std::uint64_t kQuietBytesMax = 64u << 10;
constexpr std::uint64_t kTrimBytesMin = 1u << 20;
constexpr std::uint64_t kTrimClosedMin = 1024;

// Half of the log holds twice the largest message, since an event may be larger than the message
// that it came in (a transcoded payload), and no frame is larger than half of the log.
std::size_t log_capacity(const WorkerOptions& options) {
  return std::max<std::size_t>(8u << 20, 4 * (options.message_bytes_max + 4096));
}

}  // namespace

Transport::Transport(std::uint32_t worker, ring::Segment& segment, IoRing& io,
                     const WorkerOptions& options)
    : options_(options),
      io_(io),
      counters_(segment.block(worker).counters),
      frame_limits_{.message_size_max = options.message_bytes_max, .fragments_max = 65536},
      table_(worker, segment.generations(worker), frame_limits_, frame_states_),
      log_(log_capacity(options)),
      wheel_(segment.header().sizes.slots_per_worker, now_ms()),
      now_(now_ms()),
      stage_bytes_max_(std::max<std::size_t>(options.queue_bytes_max / 4, 64u << 10)) {}

OperationTag Transport::tag(const Connection& connection, Operation operation) const {
  return {
      .operation = operation, .slot = connection.id.slot, .generation = connection.io_generation};
}

void Transport::begin(int fd, TimeMs now) {
  now_ = now;
  // No fd came with the message if this process had no descriptor left for it.
  Connection* connection = fd >= 0 ? table_.create() : nullptr;
  // Slots are some more than connections_max, for those who are answered 503; beyond that the door
  // is shut.
  if (connection == nullptr) {
    counters_.add(ring::Counter::connections_refused);
    counters_.add(ring::Counter::connections_closed);  // the acceptor reckons the load by that
    if (fd >= 0) ::close(fd);
    return;
  }
  const std::uint32_t slot = connection->id.slot;
  if (slot >= addresses_.size()) addresses_.resize(std::size_t{slot} + 1);
  addresses_[slot] = peer_address(fd);
  io_.install(slot, fd);
  counters_.add(ring::Counter::connections);
  connection->last_received_ms = static_cast<std::uint32_t>(now);
  schedule(*connection, draining_ ? kCloseTimeoutMs : options_.handshake_timeout_ms);
  arm_receive(*connection);
}

void Transport::handle(const Completion& completion) {
  const OperationTag tag = OperationTag::from_packed(completion.user_data);
  if (tag.operation == Operation::none) return;
  Connection* connection = table_.in_slot(tag.slot);
  if (connection == nullptr || connection->io_generation != tag.generation) {
    counters_.add(ring::Counter::stale_completions_dropped);
    io_.give_back(completion);
    return;
  }
  switch (tag.operation) {
    case Operation::receive:
      return set_aside(*connection, completion);
    case Operation::send:
      return handle_send(*connection, completion);
    case Operation::poll_writable:
      return handle_writable(*connection, completion);
    case Operation::shutdown:
      return handle_shutdown(*connection, completion);
    case Operation::close:
      return handle_close(*connection);
    default:
      assert(false && "an operation that Transport does not start");
  }
}

void Transport::refuse(Connection& connection, const wire::UpgradeRefusal& refusal) {
  if (refusal.status != 503) counters_.add(ring::Counter::upgrades_refused);
  const std::string response = wire::encode_refusal(refusal);
  char* out = reserve(response.size());
  std::copy(response.begin(), response.end(), out);
  connection.queue.append_raw(commit(response.size()));
  connection.handshake.reset();
  connection.refused = true;
  backlog_add(connection);
  mark_dirty(connection);
  schedule(connection, kCloseTimeoutMs);
}

void Transport::end_user(Connection& connection) {
  if (!connection.session) return;
  user_->on_end(connection);
  connection.session.reset();
}

void Transport::queue_close(Connection& connection, std::uint16_t code, wire::Bytes reason) {
  if (connection.close_queued) return;
  // 1005 is never on the wire: it stands for a close frame without a code.
  const std::string payload = code == 1005 ? std::string() : wire::close_payload(code, reason);
  const LogRange frame = write_frame(wire::Opcode::close, payload);
  // Control frames are never dropped for the sake of the queue's bound.
  const bool was_empty = connection.queue.empty();
  connection.queue.append(frame, log_);
  if (was_empty) backlog_add(connection);
  mark_dirty(connection);
  connection.close_queued = true;
}

void Transport::close(Connection& connection, std::uint16_t code, wire::Bytes reason) {
  if (connection.phase != Phase::open) return;
  end_user(connection);
  offer_again(connection);  // what it waits for is not looked at any more
  queue_close(connection, code, reason);
  connection.phase = Phase::closing;
  schedule(connection, draining_ ? options_.drain_timeout_ms : kCloseTimeoutMs);
}

// What was queued has been handed to the kernel. After a whole close handshake nothing more comes
// from the peer and the socket can be closed; otherwise unread input would turn the close into a
// reset, which may overtake our last words: so our side is shut down, and input discarded until the
// peer's end.
void Transport::begin_linger(Connection& connection) {
  if (connection.peer_closed && !connection.unreadable) return begin_ending(connection);
  connection.phase = Phase::lingering;
  io_uring_sqe* entry = io_.prepare(tag(connection, Operation::shutdown));
  io_uring_prep_shutdown(entry, static_cast<int>(connection.id.slot), SHUT_WR);
  entry->flags |= IOSQE_FIXED_FILE;
  connection.shutdown_in_flight = true;
  schedule(connection, kCloseTimeoutMs);
}

void Transport::begin_ending(Connection& connection) {
  if (connection.phase == Phase::ending) return;
  end_user(connection);
  connection.phase = Phase::ending;
  if (connection.paused) {
    connection.paused = false;
    connection.held.reset();
    counters_.subtract(ring::Counter::publishers_paused);
  }
  connection.queue.clear();
  backlog_remove(connection);
  connection.dirty = false;
  wheel_.cancel(connection.id.slot);
  cancel_operations(connection);
  finish_if_quiet(connection);
}

// Ends a receive and a poll that are in flight; each still answers with a completion of its own.
void Transport::cancel_operations(Connection& connection) {
  if (!connection.receive_armed && !connection.poll_in_flight) return;
  io_uring_sqe* entry = io_.prepare({.operation = Operation::none});
  io_uring_prep_cancel_fd(entry, static_cast<int>(connection.id.slot),
                          IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_ALL);
}

void Transport::handle_shutdown(Connection& connection, const Completion& completion) {
  connection.shutdown_in_flight = false;
  // ENOTCONN: the peer has reset the connection already. ECANCELED: the kernel had no helper thread
  // for it, or the connection is ending. No end of file will come of lingering then.
  if (completion.res < 0) begin_ending(connection);
  finish_if_quiet(connection);
}

// Invariant I2: only when no operation is in flight, and the generation before the close.
void Transport::finish_if_quiet(Connection& connection) {
  if (connection.phase != Phase::ending || connection.close_in_flight) return;
  if (connection.receive_armed || connection.send_in_flight || connection.poll_in_flight ||
      connection.shutdown_in_flight) {
    return;
  }
  table_.advance_generation(connection);
  connection.io_generation = connection.id.generation;
  io_uring_sqe* entry = io_.prepare(tag(connection, Operation::close));
  io_uring_prep_close_direct(entry, connection.id.slot);
  connection.close_in_flight = true;
}

void Transport::handle_close(Connection& connection) {
  counters_.add(ring::Counter::connections_closed);
  counters_.subtract(ring::Counter::connections);
  table_.destroy(connection);
}

void Transport::set_established(Connection& connection, bool established) {
  connection.established = established;
  connection.awaiting_pong = false;
  schedule(connection, established ? options_.ping_interval_ms : options_.handshake_timeout_ms);
}

void Transport::begin_stage(Stage stage) {
  // Whoever has something queued is in the backlog, and between stages nobody else holds a range.
  if (backlog_.empty() && !unsettled_) log_.rewind();
  stage_ = stage;
  flush_sends_ = 0;
  stage_ranges_ = 0;
  stage_messages_ = 0;
}

bool Transport::stage_full() const {
  const Bytes& now = this_round_[stage_];
  const Bytes& before = round_before_[stage_];
  return now.log_bytes + before.log_bytes >= stage_bytes_max_ ||
         now.due_bytes + before.due_bytes >= kStageDueBytesMax ||
         stage_ranges_ >= kStageRangesMax || stage_messages_ >= kStageMessagesMax;
}

void Transport::trim_if_quiet() {
  const Activity now{.bytes = counters_.get(ring::Counter::bytes_received) +
                              counters_.get(ring::Counter::bytes_sent),
                     .closed = counters_.get(ring::Counter::connections_closed)};
  const bool quiet =
      now.bytes - last_activity_.bytes <= kQuietBytesMax && now.closed == last_activity_.closed;
  quiet_calls_ = quiet ? quiet_calls_ + 1 : 0;
  last_activity_ = now;
  if (quiet_calls_ < kQuietCalls) return;
  const bool much_closed = now.closed - trimmed_activity_.closed >= kTrimClosedMin;
  if (!much_closed && now.bytes - trimmed_activity_.bytes < kTrimBytesMin) return;
  trimmed_activity_ = now;
  io_.release_buffers();
  if (backlog_.empty() && !unsettled_) log_.release();
  if (!much_closed) return;
  table_.trim();
  malloc_trim(0);  // the allocator keeps what was freed in the middle of its heap
}

void Transport::expire_timers() {
  due_.clear();
  wheel_.expire(now_, due_);
  for (const std::uint32_t slot : due_) {
    if (Connection* connection = table_.in_slot(slot)) on_timer(*connection);
  }
}

void Transport::on_timer(Connection& connection) {
  if (connection.input_ended) return begin_ending(connection);
  switch (connection.phase) {
    case Phase::upgrading:
      if (connection.refused) return begin_ending(connection);
      counters_.add(ring::Counter::handshake_timeouts);
      return refuse(connection, {.status = 408,
                                 .body = "The upgrade request did not arrive in time.\n",
                                 .extra_header = {}});
    case Phase::open:
      return timer_open(connection);
    case Phase::closing:
    case Phase::lingering:
      return begin_ending(connection);
    case Phase::ending:
      return;
  }
}

void Transport::timer_open(Connection& connection) {
  if (!connection.established) {
    counters_.add(ring::Counter::handshake_timeouts);
    user_->on_handshake_timeout(connection);
    return;
  }
  // While it is paused it is we who do not read: its silence says nothing.
  if (connection.paused) return schedule(connection, options_.ping_interval_ms);
  if (connection.awaiting_pong) {
    // Silent although asked: the path or the peer is gone, so no close handshake either.
    counters_.add(ring::Counter::ping_timeouts);
    return begin_ending(connection);
  }
  const std::uint32_t silent_ms = static_cast<std::uint32_t>(now_) - connection.last_received_ms;
  if (silent_ms < options_.ping_interval_ms) {
    return schedule(connection, options_.ping_interval_ms - silent_ms);
  }
  send_frame(connection, wire::Opcode::ping, {});
  connection.awaiting_pong = true;
  schedule(connection, options_.ping_timeout_ms);
}

void Transport::begin_drain() {
  draining_ = true;
  table_.for_each([this](Connection& connection) {
    // Who has not asked for anything yet need not be answered.
    const bool silent =
        connection.phase == Phase::upgrading && !connection.refused && !connection.handshake;
    if (silent) {
      begin_ending(connection);
    } else if (connection.phase == Phase::upgrading) {
      schedule(connection, kCloseTimeoutMs);
    } else {
      close(connection, 1001, "the broker is stopping");
    }
  });
}

}  // namespace ringcast::worker
