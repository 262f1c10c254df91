// The receiving half of Transport: from provided buffers to HTTP upgrades and WebSocket messages.
#include <algorithm>
#include <cassert>
#include <cerrno>

#include "wire/http_upgrade.h"
#include "worker/transport.h"

namespace ringcast::worker {
namespace {

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

// Sets a completed receive aside until process_received() gets to its connection.
void Transport::set_aside(Connection& connection, const Completion& completion) {
  std::uint32_t index = 0;
  if (free_receives_.empty()) {
    index = static_cast<std::uint32_t>(receives_.size());
    receives_.emplace_back();
  } else {
    index = free_receives_.back();
    free_receives_.pop_back();
  }
  receives_[index] = {.completion = completion};
  if (connection.first_receive == Connection::kNoReceive) {
    connection.first_receive = index;
    // A deque would take and give back memory as it moves along.
    if (ready_.full()) ready_.set_capacity(std::max<std::size_t>(64, 2 * ready_.capacity()));
    ready_.push_back(reference(connection));
  } else {
    receives_[connection.last_receive].next = index;
  }
  connection.last_receive = index;
}

// One buffer of each connection in turn, so that nobody waits for all that somebody else has sent.
bool Transport::process_received() {
  while (!ready_.empty() && !stage_full()) {
    Connection* connection = resolve(ready_.front());
    ready_.pop_front();
    assert(connection != nullptr && "a connection ends only after its last receive was looked at");
    const std::uint32_t index = connection->first_receive;
    if (!handle_receive(*connection, receives_[index])) {
      ready_.push_back(reference(*connection));
      continue;
    }
    const std::uint32_t next = receives_[index].next;
    connection->first_receive = next;
    if (next == Connection::kNoReceive) {
      connection->last_receive = Connection::kNoReceive;
    } else {
      ready_.push_back(reference(*connection));
    }
    io_.give_back(receives_[index].completion);
    free_receives_.push_back(index);
    after_receive(*connection, receives_[index].completion);
  }
  return !ready_.empty();
}

// Looks at what came; false if the stage ended in the middle of it.
bool Transport::handle_receive(Connection& connection, Receive& receive) {
  const Completion& completion = receive.completion;
  if (completion.res <= 0) return true;
  if (receive.used == 0) {
    counters_.add(ring::Counter::bytes_received, static_cast<std::uint64_t>(completion.res));
    connection.last_received_ms = static_cast<std::uint32_t>(now_);
    connection.awaiting_pong = false;
  }
  wire::Bytes bytes = io_.received(completion).substr(receive.used);
  if (connection.paused) {
    connection.held->bytes.append(bytes);
  } else if (reads_input(connection)) {
    take_input(connection, bytes);
    receive.used = static_cast<std::size_t>(completion.res) - bytes.size();
    return bytes.empty();
  }
  return true;
}

// A multishot receive that has ended goes on, unless the connection is paused or over.
void Transport::after_receive(Connection& connection, const Completion& completion) {
  if ((completion.flags & IORING_CQE_F_MORE) != 0) return;
  connection.receive_armed = false;
  if (completion.res <= 0) {
    receive_ended(connection, completion.res);
  } else if (connection.phase == Phase::ending) {
    finish_if_quiet(connection);
  } else if (!connection.paused) {
    arm_receive(connection);
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
  if (result == 0) return input_over(connection);
  begin_ending(connection);
}

// The peer says no more but may still be reading: it gets what is queued, a refusal or a GOODBYE
// among it.
void Transport::input_over(Connection& connection) {
  end_user(connection);  // queues what the user has held back
  if (connection.queue.empty() || connection.phase == Phase::lingering) {
    return begin_ending(connection);
  }
  connection.input_ended = true;
  schedule(connection, kCloseTimeoutMs);
}

void Transport::rearm_starved() {
  if (starved_.empty() || !ready_.empty()) return;
  std::vector<Reference> starved;
  starved.swap(starved_);
  for (const Reference& listed : starved) {
    Connection* connection = resolve(listed);
    if (connection == nullptr || connection->receive_armed || connection->paused) continue;
    if (connection->phase == Phase::ending) continue;
    arm_receive(*connection);
  }
}

// Takes from the front of `input`; something is left only if the stage is full.
void Transport::take_input(Connection& connection, wire::Bytes& input) {
  if (connection.refused) {
    input = {};
  } else if (connection.phase == Phase::upgrading) {
    read_handshake(connection, input);
    input = {};
  } else {
    read_frames(connection, input);
  }
}

// A request that comes in one piece, as nearly every one does, is read where it lies.
void Transport::read_handshake(Connection& connection, wire::Bytes input) {
  std::unique_ptr<std::string> before = std::move(connection.handshake);
  if (before) input = before->append(input);
  wire::UpgradeRequestResult result = wire::parse_upgrade_request(input);
  if (std::holds_alternative<wire::UpgradeIncomplete>(result)) {
    connection.handshake = before ? std::move(before) : std::make_unique<std::string>(input);
    return;
  }
  if (const auto* refusal = std::get_if<wire::UpgradeRefusal>(&result)) {
    refuse(connection, *refusal);
    return;
  }
  const auto& request = std::get<wire::UpgradeRequest>(result);
  accept_upgrade(connection, request);
  if (connection.phase != Phase::open) return;
  // Frames may have come in the same segment as the request.
  wire::Bytes rest = input.substr(request.consumed);
  if (!rest.empty()) read_frames(connection, rest);
  if (!rest.empty()) hold(connection, rest);
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

void Transport::read_frames(Connection& connection, wire::Bytes& input) {
  using Kind = wire::FrameEvent::Kind;
  while (reads_input(connection) && !connection.peer_closed && !connection.paused) {
    if (stage_full() && !input.empty()) return connection.reader.rest();
    const wire::FrameEvent event = connection.reader.read(input);
    switch (event.kind) {
      case Kind::need_more:
        return;
      case Kind::text:
      case Kind::binary: {
        counters_.add(ring::Counter::messages_received);
        ++stage_messages_;
        const bool binary = event.kind == Kind::binary;
        const Taken taken = take_message(connection, binary, event.payload);
        if (taken != Taken::yes) pause(connection, binary, event.payload, input, taken);
        break;
      }
      case Kind::ping:
        send_frame(connection, wire::Opcode::pong, event.payload);
        break;
      case Kind::pong:
        break;
      case Kind::close:
        peer_close(connection, event.code);
        break;
      case Kind::violation:
        counters_.add(ring::Counter::protocol_violations);
        // After a violation the stream can't be read any further, so the peer's close frame is not
        // waited for.
        connection.peer_closed = true;
        connection.unreadable = true;
        close(connection, event.code, event.payload);
        if (connection.queue.empty()) after_queue_empty(connection);
        break;
    }
  }
  // Nothing more is read from it now: what is left is of no interest, or held.
  connection.reader.rest();
  input = {};
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

void Transport::pause(Connection& connection, bool binary, wire::Bytes message, wire::Bytes rest,
                      Taken taken) {
  hold(connection, rest, taken == Taken::waiting);
  connection.held->message = message;
  connection.held->has_message = true;
  connection.held->binary = binary;
}

// Stops reading from a connection, and keeps what was read already.
void Transport::hold(Connection& connection, wire::Bytes rest, bool waiting) {
  assert(!connection.paused);
  connection.held = std::make_unique<HeldInput>();
  connection.held->bytes = rest;
  connection.held->waiting = waiting;
  connection.paused = true;
  if (!waiting) paused_.push_back(reference(connection));
  counters_.add(ring::Counter::publishers_paused);
  if (!connection.receive_armed) return;
  io_uring_sqe* entry = io_.prepare({.operation = Operation::none});
  io_uring_prep_cancel64(entry, tag(connection, Operation::receive).packed(), 0);
}

// Each of them, whatever the others wait for; order matters within a connection only.
void Transport::resume_paused() {
  std::vector<Reference> candidates;
  candidates.swap(paused_);
  for (const Reference& listed : candidates) {
    Connection* connection = resolve(listed);
    if (connection == nullptr || !connection->paused) continue;
    if (stage_full() || !resume(*connection)) paused_.push_back(listed);
  }
}

void Transport::offer_again(Connection& connection) {
  if (!connection.paused || !connection.held->waiting) return;
  connection.held->waiting = false;
  paused_.push_back(reference(connection));
}

bool Transport::resume(Connection& connection) {
  HeldInput& held = *connection.held;
  // A connection that has been closed meanwhile (a drain, a slow reader) has no session to take it.
  if (held.has_message && connection.phase == Phase::open) {
    const Taken taken = user_->on_message(connection, held.binary, held.message);
    held.waiting = taken == Taken::waiting;
    if (taken != Taken::yes) return held.waiting;
  }
  const std::unique_ptr<HeldInput> done = std::move(connection.held);
  connection.paused = false;
  counters_.subtract(ring::Counter::publishers_paused);
  wire::Bytes rest = done->bytes;
  if (reads_input(connection)) take_input(connection, rest);
  if (connection.phase == Phase::ending) return true;
  if (!rest.empty()) hold(connection, rest);  // the stage is full
  if (connection.paused) {
    connection.held->ended = done->ended;
  } else if (done->ended) {
    input_over(connection);
  } else if (!connection.receive_armed) {
    arm_receive(connection);
  }
  return true;
}

}  // namespace ringcast::worker
