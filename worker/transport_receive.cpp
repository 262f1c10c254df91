// The receiving half of Transport: from provided buffers to HTTP upgrades and WebSocket messages.
#include <algorithm>
#include <cassert>
#include <cerrno>

#include "wire/http_upgrade.h"
#include "worker/transport.h"

namespace ringcast::worker {
namespace {

constexpr std::size_t kReceivesPerTurn = 512;

bool reads_input(const Connection& connection) {
  return connection.phase == Phase::upgrading || connection.phase == Phase::open ||
         connection.phase == Phase::closing;
}

}  // namespace

void Transport::arm_receive(Connection& connection) {
  assert(!connection.receive_armed);
  io_.arm_receive(tag(connection, Operation::receive));
  connection.receive_armed = true;
}

bool Transport::process_received() {
  for (std::size_t i = 0; i < kReceivesPerTurn && !received_.empty(); ++i) {
    if (bytes_unflushed() >= stage_bytes_max_) break;
    const io_uring_cqe completion = received_.front();
    received_.pop_front();
    const OperationTag tag = OperationTag::from_packed(completion.user_data);
    Connection* connection = table_.in_slot(tag.slot);
    if (connection != nullptr && connection->io_generation == tag.generation) {
      handle_receive(*connection, completion);
    } else {
      counters_.add(ring::Counter::stale_completions_dropped);
    }
    io_.give_back(completion);
  }
  return !received_.empty();
}

void Transport::handle_receive(Connection& connection, const io_uring_cqe& completion) {
  const bool ended = (completion.flags & IORING_CQE_F_MORE) == 0;
  if (ended) connection.receive_armed = false;
  if (completion.res > 0) {
    counters_.add(ring::Counter::bytes_received, static_cast<std::uint64_t>(completion.res));
    connection.last_received_ms = now_;
    connection.awaiting_pong = false;
    const wire::Bytes bytes = io_.received(completion);
    if (connection.paused) {
      connection.held->bytes.append(bytes);
    } else if (reads_input(connection)) {
      take_input(connection, bytes);
    }
    // A multishot receive may end with data too; it goes on unless the connection is paused or
    // over.
    if (ended) {
      if (connection.phase == Phase::ending) {
        finish_if_quiet(connection);
      } else if (!connection.paused) {
        arm_receive(connection);
      }
    }
  } else if (ended) {
    receive_ended(connection, completion.res);
  }
}

void Transport::receive_ended(Connection& connection, int result) {
  if (connection.phase == Phase::ending) {
    finish_if_quiet(connection);
    return;
  }
  // ENOBUFS: every provided buffer is in use; go on when they are back. ECANCELED: we paused it
  // ourselves, or resumed already. Both only in connections that are alive.
  if (result == -ENOBUFS) {
    counters_.add(ring::Counter::buffers_exhausted);
    starved_.push_back(reference(connection));
    return;
  }
  if (result == -ECANCELED) {
    if (!connection.paused) arm_receive(connection);
    return;
  }
  // 0: the peer has ended its side. ECONNRESET, ETIMEDOUT, EHOSTUNREACH …: the network or the peer
  // broke it. Either way nothing more comes, and a WebSocket without a close handshake is over; but
  // what it sent before and we have not taken yet still counts.
  if (connection.paused) {
    connection.held->ended = true;
    return;
  }
  begin_ending(connection);
}

void Transport::rearm_starved() {
  if (starved_.empty() || !received_.empty()) return;
  std::vector<Reference> starved;
  starved.swap(starved_);
  for (const Reference& listed : starved) {
    Connection* connection = resolve(listed);
    if (connection == nullptr || connection->receive_armed || connection->paused) continue;
    if (connection->phase == Phase::ending) continue;
    arm_receive(*connection);
  }
}

void Transport::take_input(Connection& connection, wire::Bytes input) {
  if (connection.refused) return;
  if (connection.phase == Phase::upgrading) {
    read_handshake(connection, input);
  } else {
    read_frames(connection, input);
  }
}

void Transport::read_handshake(Connection& connection, wire::Bytes input) {
  connection.handshake->append(input);
  wire::UpgradeRequestResult result = wire::parse_upgrade_request(*connection.handshake);
  if (std::holds_alternative<wire::UpgradeIncomplete>(result)) return;
  if (const auto* refusal = std::get_if<wire::UpgradeRefusal>(&result)) {
    refuse(connection, *refusal);
    return;
  }
  const auto& request = std::get<wire::UpgradeRequest>(result);
  accept_upgrade(connection, request);
  if (connection.phase != Phase::open) return;
  // Frames may have come in the same segment as the request.
  const std::unique_ptr<std::string> bytes = std::move(connection.handshake);
  const wire::Bytes rest = wire::Bytes(*bytes).substr(request.consumed);
  if (!rest.empty()) read_frames(connection, rest);
}

void Transport::accept_upgrade(Connection& connection, const wire::UpgradeRequest& request) {
  if (draining_) {
    refuse(connection, {.status = 503,
                        .body = "The broker is stopping; connect again in a moment.\n",
                        .extra_header = "Retry-After: 1"});
    return;
  }
  if (table_.in_use() > options_.connections_max) {
    counters_.add(ring::Counter::connections_refused);
    refuse(connection,
           {.status = 503,
            .body = "The broker has reached its limit of connections; try again later.\n",
            .extra_header = "Retry-After: 5"});
    return;
  }
  std::string subprotocol;
  if (!options_.echo_path.empty() && request.path == options_.echo_path) {
    connection.echo = true;
  } else if (request.path != options_.websocket_path) {
    refuse(connection, {.status = 404,
                        .body = "There is no WebSocket endpoint at this path; the broker's is " +
                                options_.websocket_path + "\n",
                        .extra_header = {}});
    return;
  } else if (const auto chosen = wire::choose_serializer(request.subprotocols)) {
    connection.serializer = *chosen;
    subprotocol = wire::subprotocol_name(*chosen);
  } else {
    refuse(connection, {.status = 400,
                        .body = "None of the offered WebSocket subprotocols is supported; offer "
                                "wamp.2.msgpack or wamp.2.json in Sec-WebSocket-Protocol.\n",
                        .extra_header = {}});
    return;
  }
  const std::string response = wire::encode_upgrade_response(request.key, subprotocol);
  char* out = reserve(response.size());
  std::copy(response.begin(), response.end(), out);
  connection.queue.append_raw(commit(response.size()));
  backlog_add(connection);
  mark_dirty(connection);
  connection.phase = Phase::open;
  if (connection.echo) {
    set_established(connection, true);
  } else {
    schedule(connection, options_.handshake_timeout_ms);
    user_->on_open(connection);
  }
}

void Transport::read_frames(Connection& connection, wire::Bytes input) {
  using Kind = wire::FrameEvent::Kind;
  while (connection.phase == Phase::open || connection.phase == Phase::closing) {
    if (connection.peer_closed) return;
    const wire::FrameEvent event = connection.reader.read(input);
    switch (event.kind) {
      case Kind::need_more:
        return;
      case Kind::text:
      case Kind::binary: {
        counters_.add(ring::Counter::messages_received);
        const bool binary = event.kind == Kind::binary;
        if (take_message(connection, binary, event.payload) == Taken::blocked) {
          pause(connection, binary, event.payload, input);
          connection.reader.rest();
          return;
        }
        break;
      }
      case Kind::ping:
        send_frame(connection, wire::Opcode::pong, event.payload);
        break;
      case Kind::pong:
        break;
      case Kind::close:
        peer_close(connection, event.code);
        connection.reader.rest();
        return;
      case Kind::violation:
        counters_.add(ring::Counter::protocol_violations);
        // After a violation the stream can't be read any further, so the peer's close frame is not
        // waited for.
        connection.peer_closed = true;
        connection.unreadable = true;
        close(connection, event.code, event.payload);
        connection.reader.rest();
        return;
    }
  }
}

Taken Transport::take_message(Connection& connection, bool binary, wire::Bytes payload) {
  if (connection.phase == Phase::closing)
    return Taken::yes;  // after our close frame: not looked at
  if (connection.echo) {
    send_frame(connection, binary ? wire::Opcode::binary : wire::Opcode::text, payload);
    return Taken::yes;
  }
  return user_->on_message(connection, binary, payload);
}

void Transport::peer_close(Connection& connection, std::uint16_t code) {
  connection.peer_closed = true;
  if (connection.close_queued) {
    // Ours has been queued before: the handshake is complete once it has left.
    if (connection.queue.empty()) begin_linger(connection);
    return;
  }
  // RFC 6455 section 5.5.1: the answer repeats the code; 1005 stands for none.
  close(connection, code, {});
}

void Transport::pause(Connection& connection, bool binary, wire::Bytes message, wire::Bytes rest) {
  auto held = std::make_unique<HeldInput>();
  held->message = message;
  held->has_message = true;
  held->binary = binary;
  held->bytes = rest;
  connection.held = std::move(held);
  connection.paused = true;
  paused_.push_back(reference(connection));
  counters_.add(ring::Counter::publishers_paused);
  if (!connection.receive_armed) return;
  io_uring_sqe* entry = io_.prepare({.operation = Operation::none});
  io_uring_prep_cancel64(entry, tag(connection, Operation::receive).packed(), 0);
}

void Transport::resume_paused() {
  std::vector<Reference> candidates;
  candidates.swap(paused_);
  bool blocked = false;
  for (const Reference& listed : candidates) {
    Connection* connection = resolve(listed);
    if (connection == nullptr || !connection->paused) continue;
    // The first that is blocked keeps its place, and those behind it theirs.
    if (blocked || bytes_unflushed() >= stage_bytes_max_ || !resume(*connection)) {
      blocked = true;
      if (connection->paused) paused_.push_back(listed);
    }
  }
}

bool Transport::resume(Connection& connection) {
  HeldInput& held = *connection.held;
  // A connection that has been closed meanwhile (a drain, a slow reader) has no session to take it.
  if (held.has_message && connection.phase == Phase::open &&
      user_->on_message(connection, held.binary, held.message) == Taken::blocked) {
    return false;
  }
  const std::unique_ptr<HeldInput> done = std::move(connection.held);
  connection.paused = false;
  counters_.subtract(ring::Counter::publishers_paused);
  if (connection.phase == Phase::ending) return true;
  if (!done->bytes.empty() && reads_input(connection)) take_input(connection, done->bytes);
  if (connection.phase == Phase::ending) return true;
  if (done->ended) {
    if (connection.paused) {
      connection.held->ended = true;
    } else {
      begin_ending(connection);
    }
  } else if (!connection.paused && !connection.receive_armed) {
    arm_receive(connection);
  }
  return true;
}

}  // namespace ringcast::worker
