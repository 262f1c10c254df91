// One connection as its worker sees it: from the accepted socket through the HTTP upgrade to the
// end. Owned by the Transport of one worker thread; nobody else reads or writes it (invariant I1).
//
// An idle connection owns no buffer: parser state, handshake bytes and send ranges exist only while
// there is something in progress.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ring/connection_id.h"
#include "wire/frame_reader.h"
#include "wire/serializer.h"
#include "worker/send_queue.h"
#include "worker/session.h"

namespace ringcast::worker {

enum class Phase : std::uint8_t {
  upgrading,  // reading the HTTP request
  open,       // WebSocket messages flow
  closing,    // our close frame is queued or sent; reading until the peer's comes
  lingering,  // everything has been sent and our side is shut down; discarding until the peer's end
  ending,     // operations are cancelled; waiting until none is in flight, then closed
};

// Input that could not be taken because a ring or the arena was full (invariant I4), or as long as
// nobody knows whether its session may do what it asks. Bounded by
// what the kernel had already handed over when reading was cancelled: the provided buffers of one
// worker.
struct HeldInput {
  std::string message;  // the message that could not be taken, if has_message
  bool has_message = false;
  bool binary = false;
  bool waiting = false;  // the message is offered after Transport::offer_again() only
  std::string bytes;     // what came behind it, not yet looked at
  bool ended = false;    // and then the peer was gone
};

struct Connection {
  Connection(ring::ConnectionId name, const wire::FrameLimits& limits, wire::FrameStatePool& pool)
      : id(name), io_generation(name.generation), reader(wire::Role::server, limits, pool) {}

  // The name in rings and of the WAMP session. The generation moves on when a second session begins
  // on the same transport, and before the slot's socket is closed.
  ring::ConnectionId id;
  std::uint32_t io_generation;  // what completions carry; drawn at accept from the same sequence

  Phase phase = Phase::upgrading;
  wire::Serializer serializer = wire::Serializer::json;
  bool echo : 1 = false;                // on the echo endpoint: no WAMP session
  bool established : 1 = false;         // the user of the transport has finished its own handshake
  bool receive_armed : 1 = false;       // true exactly while a multishot receive is in flight
  bool send_in_flight : 1 = false;      // true exactly until a send's completion has been handled
  bool poll_in_flight : 1 = false;      // true exactly while waiting for the socket to be writable
  bool shutdown_in_flight : 1 = false;  // true exactly while our side is being shut down
  bool close_in_flight : 1 = false;     // the last operation of a slot
  bool close_queued : 1 = false;        // a close frame is queued: nothing may be queued behind it
  bool peer_closed : 1 = false;         // the peer's close frame has come
  bool input_ended : 1 = false;  // the peer has shut down its side; what is queued still leaves
  bool unreadable : 1 = false;   // the peer broke the framing: its bytes mean nothing any more
  bool refused : 1 = false;      // an HTTP refusal is queued: no WebSocket will be spoken
  bool dirty : 1 = false;        // listed to be flushed
  bool paused : 1 = false;       // not read; `held` is set
  bool overflowed : 1 = false;   // passed its queue bound; listed to be closed as a slow reader
  bool awaiting_pong : 1 = false;
  std::uint32_t last_received_ms =
      0;  // the low bits of the clock, for differences of less than weeks
  std::uint32_t backlog_index = UINT32_MAX;  // position in the list of connections with a queue
  // Receives that have completed and were not looked at yet, oldest first: indices of a list that
  // the transport keeps. Both are kNoReceive exactly while there is none.
  static constexpr std::uint32_t kNoReceive = UINT32_MAX;
  std::uint32_t first_receive = kNoReceive;
  std::uint32_t last_receive = kNoReceive;

  SendQueue queue;
  wire::FrameReader reader;
  std::unique_ptr<std::string> handshake;  // an HTTP request that came in part; else null
  std::unique_ptr<HeldInput> held;         // null unless paused
  std::optional<Session> session;          // none before the upgrade and on the echo endpoint
};
// All that a connection owns while it is idle, in whichever phase (docs/performance.md).
static_assert(sizeof(Connection) <= 208);

}  // namespace ringcast::worker
