// The sending half of Transport: from frames in the log to bytes taken by the kernel.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "worker/transport.h"

namespace ringcast::worker {
namespace {

// What the kernel makes one packet of at most, over Ethernet and, nearly, over loopback: 45
// segments of 1448 bytes. Few bytes beyond it would be a packet of their own, which costs as much.
constexpr std::size_t kPacketBytes = 65'160;
constexpr std::size_t kSendBytesMax = 16 * kPacketBytes;  // nobody keeps the others waiting

// The first flush of a turn serves so many of those who are due, or such a part of them; each next
// one twice as many, as long as nothing comes between them.
constexpr std::size_t kFirstFlushMin = 8;
constexpr std::size_t kFirstFlushPart = 16;

// How much of what is due leaves at once: whole packets, and the rest with what comes meanwhile. If
// that is a large part of what may be queued, it does not wait.
std::size_t send_size(std::size_t due, std::size_t queue_bytes_max) {
  if (due > kPacketBytes && queue_bytes_max >= kSendBytesMax / 2) due -= due % kPacketBytes;
  return std::min(due, kSendBytesMax);
}

}  // namespace

char* Transport::reserve(std::size_t size) {
  if (unsettled_) user_->settle_fan_out();
  const std::uint64_t needed = log_.floor_needed(size);
  if (needed > log_.floor()) {
    // Give up an eighth of the log at once, so that the backlog is walked once per so many bytes.
    const std::uint64_t floor = std::min(log_.end(), needed + log_.capacity() / 8);
    for (const std::uint32_t slot : backlog_) {
      Connection& connection = *table_.in_slot(slot);
      if (connection.queue.oldest_position() >= floor) continue;
      connection.queue.make_private(log_);
      counters_.add(ring::Counter::log_evacuations);
    }
    log_.raise_floor(floor);
  }
  return log_.write_pointer(size);
}

LogRange Transport::write_frame(wire::Opcode opcode, wire::Bytes payload) {
  const std::size_t header = wire::frame_header_size(payload.size());
  char* out = reserve(header + payload.size());
  out = wire::write_frame_header(out, opcode, payload.size());
  if (!payload.empty()) std::memcpy(out, payload.data(), payload.size());
  return commit(header + payload.size());
}

bool Transport::queue(Connection& connection, LogRange frames) {
  if (connection.close_queued || connection.overflowed || connection.refused) return false;
  ++stage_ranges_;
  const bool was_empty = connection.queue.empty();
  // A queue that is empty takes one frame of any size that the protocol allows, or a run of them up
  // to the bound.
  if (!was_empty && connection.queue.bytes() + frames.size() > options_.queue_bytes_max) {
    connection.overflowed = true;
    doomed_.push_back(reference(connection));
    return false;
  }
  connection.queue.append(frames, log_);
  if (was_empty) backlog_add(connection);
  mark_dirty(connection);
  return true;
}

void Transport::send_frame(Connection& connection, wire::Opcode opcode, wire::Bytes payload) {
  if (connection.close_queued) return;
  queue(connection, write_frame(opcode, payload));
}

void Transport::mark_dirty(Connection& connection) {
  if (connection.dirty || connection.send_in_flight || connection.poll_in_flight) return;
  connection.dirty = true;
  if (dirty_.full()) dirty_.set_capacity(std::max<std::size_t>(64, 2 * dirty_.capacity()));
  dirty_.push_back(connection.id.slot);
}

void Transport::backlog_add(Connection& connection) {
  connection.backlog_index = static_cast<std::uint32_t>(backlog_.size());
  backlog_.push_back(connection.id.slot);
}

void Transport::backlog_remove(Connection& connection) {
  if (connection.backlog_index == UINT32_MAX) return;
  const std::uint32_t moved = backlog_.back();
  backlog_[connection.backlog_index] = moved;
  table_.in_slot(moved)->backlog_index = connection.backlog_index;
  backlog_.pop_back();
  connection.backlog_index = UINT32_MAX;
}

void Transport::flush() {
  if (unsettled_) user_->settle_fan_out();
  close_slow_readers();
  // A sendmsg's header must stay until its entry is submitted. Entries are submitted at the latest
  // by the submit() that follows flush() in the same turn, and then complete at once.
  vector_sends_used_ = 0;
  if (round_left_ == 0) begin_round();
  flush_sends_ = std::max({2 * flush_sends_, kFirstFlushMin, dirty_.size() / kFirstFlushPart});
  for (std::size_t left = std::min(flush_sends_, round_left_); left > 0; --left) {
    // A slot may have been freed, or taken by another connection, since it was listed.
    Connection* connection = table_.in_slot(dirty_.front());
    dirty_.pop_front();
    --round_left_;
    if (connection == nullptr || !connection->dirty) continue;
    connection->dirty = false;
    send_due(*connection);
  }
  if (dirty_.empty()) this_round_ = round_before_ = {};
  rearm_starved();
}

void Transport::begin_round() {
  round_left_ = dirty_.size();
  round_before_ = std::exchange(this_round_, {});
}

void Transport::send_due(Connection& connection) {
  if (connection.send_in_flight || connection.poll_in_flight || connection.queue.empty()) return;
  if (connection.phase == Phase::ending) return;
  std::array<iovec, kPiecesPerSend> pieces;
  const std::size_t count =
      connection.queue.gather(log_, pieces.data(), pieces.size(),
                              send_size(connection.queue.bytes(), options_.queue_bytes_max));
  assert(count != 0);
  io_uring_sqe* entry = io_.prepare(tag(connection, Operation::send));
  const int file = static_cast<int>(connection.id.slot);
  constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
  if (count == 1) {
    io_uring_prep_send(entry, file, pieces[0].iov_base, pieces[0].iov_len, kFlags);
  } else {
    if (vector_sends_used_ == vector_sends_.size()) vector_sends_.emplace_back();
    VectorSend& send = vector_sends_[vector_sends_used_++];
    send.pieces = pieces;
    send.header = {};
    send.header.msg_iov = send.pieces.data();
    send.header.msg_iovlen = count;
    io_uring_prep_sendmsg(entry, file, &send.header, kFlags);
  }
  entry->flags |= IOSQE_FIXED_FILE;
  connection.send_in_flight = true;
  counters_.add(ring::Counter::sends);
}

void Transport::handle_send(Connection& connection, const Completion& completion) {
  connection.send_in_flight = false;
  if (connection.phase == Phase::ending) {
    finish_if_quiet(connection);
    return;
  }
  // EAGAIN: the socket's buffer is full. EINTR: a signal came before anything was sent. ENOBUFS,
  // ENOMEM: the kernel has no memory for it now; the socket is reported as writable when it has.
  if (completion.res == -EAGAIN || completion.res == -ENOBUFS || completion.res == -ENOMEM) {
    wait_writable(connection);
    return;
  }
  if (completion.res < 0 && completion.res != -EINTR) {
    // ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH …: the network or the peer has ended it.
    begin_ending(connection);
    return;
  }
  const auto sent = static_cast<std::size_t>(std::max(completion.res, 0));
  counters_.add(ring::Counter::bytes_sent, sent);
  connection.queue.consume(sent, log_);
  if (connection.queue.empty()) {
    backlog_remove(connection);
    after_queue_empty(connection);
  } else {
    mark_dirty(connection);
  }
}

void Transport::wait_writable(Connection& connection) {
  io_uring_sqe* entry = io_.prepare(tag(connection, Operation::poll_writable));
  io_uring_prep_poll_add(entry, static_cast<int>(connection.id.slot), POLLOUT);
  entry->flags |= IOSQE_FIXED_FILE;
  connection.poll_in_flight = true;
}

void Transport::handle_writable(Connection& connection, const Completion& completion) {
  connection.poll_in_flight = false;
  if (connection.phase == Phase::ending) {
    finish_if_quiet(connection);
    return;
  }
  (void)completion;  // readable, hung up or failed: the next send says which
  if (!connection.queue.empty()) mark_dirty(connection);
}

void Transport::after_queue_empty(Connection& connection) {
  if (connection.input_ended) {
    begin_ending(connection);
  } else if (connection.phase == Phase::closing && connection.close_queued) {
    if (connection.peer_closed) return begin_linger(connection);
    schedule(connection, kCloseTimeoutMs);  // from here on it is the peer who takes its time
  } else if (connection.refused && connection.phase == Phase::upgrading) {
    begin_linger(connection);
  }
}

void Transport::close_slow_readers() {
  std::vector<Reference> later;
  for (const Reference& listed : doomed_) {
    Connection* connection = resolve(listed);
    if (connection == nullptr || !connection->overflowed) continue;
    // How much of the queue has left is known only when the send's completion has been handled.
    if (connection->send_in_flight) {
      later.push_back(listed);
      continue;
    }
    connection->overflowed = false;
    if (connection->phase != Phase::open) continue;
    counters_.add(ring::Counter::slow_readers_closed);
    // What it did not read in time is dropped, but for the frame that has begun to leave.
    counters_.add(ring::Counter::slow_reader_bytes_dropped, connection->queue.drop_unsent(log_));
    if (connection->queue.empty()) backlog_remove(*connection);
    close(*connection, 1008, "slow reader: outbound queue limit passed");
  }
  doomed_ = std::move(later);
}

}  // namespace ringcast::worker
