// Connections over io_uring: accepted sockets in, WebSocket messages out, frames back.
//
// One per worker thread, used by that thread only. It knows HTTP upgrades, WebSocket frames, timers
// and send queues, and nothing of WAMP: what messages mean is the business of its TransportUser.
//
// Sending. Every frame is written once into the fan-out log; connections queue ranges of it, and
// flush() submits one send per connection with something due. Sends are non-blocking
// (MSG_DONTWAIT), so they complete within the submission: between turns the kernel holds no pointer
// into the log, and a connection that falls behind can be given a private copy at any time
// (invariant I7).
//
// Closing. Cancel, wait until no operation is in flight, advance the generation, close, free the
// slot. A TransportUser hears of the end of every connection it was told of exactly once (invariant
// I6).
#pragma once

#include <sys/uio.h>

#include <array>
#include <boost/circular_buffer.hpp>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "auth/attempt_limiter.h"
#include "ring/counters.h"
#include "ring/segment.h"
#include "wire/http_upgrade.h"
#include "worker/connection.h"
#include "worker/connection_table.h"
#include "worker/fanout_log.h"
#include "worker/io_ring.h"
#include "worker/options.h"
#include "worker/timing_wheel.h"

namespace ringcast::worker {

// Whether a message was taken. If not, the transport stops reading from the connection and offers
// the same message again: in every turn (blocked), or after Transport::offer_again() (waiting).
enum class Taken : std::uint8_t { yes, blocked, waiting };

// What a Transport serves. All calls come from the worker's thread, never from within a call into
// the transport other than the ones that process input (begin, handle, resume_paused,
// expire_timers, drain).
class TransportUser {
 public:
  virtual ~TransportUser() = default;
  // The upgrade is complete; connection.serializer is set.
  virtual void on_open(Connection& connection) = 0;
  virtual Taken on_message(Connection& connection, bool binary, wire::Bytes payload) = 0;
  // connection.established was still false when the handshake timeout came.
  virtual void on_handshake_timeout(Connection& connection) = 0;
  // The last call for this connection: nothing may be sent to it any more.
  virtual void on_end(Connection& connection) = 0;
  // Called while set_unsettled() holds: queue now what was held back, and say that it is settled.
  virtual void settle_fan_out() = 0;
};

class Transport {
 public:
  Transport(std::uint32_t worker, ring::Segment& segment, IoRing& io, const WorkerOptions& options);

  void set_user(TransportUser& user) { user_ = &user; }

  // --- connections
  // ----------------------------------------------------------------------------------- Takes over
  // an accepted socket; `fd` is closed in any case.
  void begin(int fd, TimeMs now);
  ConnectionTable& connections() { return table_; }
  // Whom attempts to log in are counted for.
  auth::AddressKey address_of(const Connection& connection) const {
    return addresses_[connection.id.slot];
  }

  // --- sending
  // --------------------------------------------------------------------------------------- Room
  // for `size` contiguous bytes at the end of the log. Those who are still behind get private
  // copies.
  // size <= frame_size_max().
  char* reserve(std::size_t size);
  // The same behind frames that are held back; null if somebody would have to get a private copy.
  char* reserve_behind_unsettled(std::size_t size) {
    return log_.floor_needed(size) <= log_.floor() ? log_.write_pointer(size) : nullptr;
  }
  std::size_t frame_size_max() const { return log_.capacity() / 2; }
  // The bytes at reserve() are there now; so many connections are to get them.
  LogRange commit(std::size_t size, std::size_t receivers = 1) {
    this_round_[stage_].log_bytes += size;
    this_round_[stage_].due_bytes += size * receivers;
    return log_.commit(size);
  }
  // Frames of a burst that go to the same connections are better queued as one range. While the
  // user holds some back it says so here, and is asked to queue them
  // (TransportUser::settle_fan_out) before anything else is written to the log or leaves: ranges
  // are queued in the order in which they lie in it.
  void set_unsettled(bool unsettled) { unsettled_ = unsettled; }
  // One unmasked frame around `payload`, in the log.
  LogRange write_frame(wire::Opcode opcode, wire::Bytes payload);
  // Queues frames for a connection; ignored after its close frame. Past queue_bytes_max it is
  // listed as a slow reader and closed at the end of the stage: no connection ends while somebody
  // walks a list of them.
  // True if it was queued.
  bool queue(Connection& connection, LogRange frames);
  void send_frame(Connection& connection, wire::Opcode opcode, wire::Bytes payload);

  // --- closing
  // --------------------------------------------------------------------------------------- Ends
  // the user's part now, sends a close frame behind what is queued, and closes.
  void close(Connection& connection, std::uint16_t code, wire::Bytes reason);
  // The user has finished its handshake (or begins it anew): timers change.
  void set_established(Connection& connection, bool established);

  // What a message of this connection was waiting for is there: it is offered in the next turn.
  // Nothing happens if none is waiting, for it may have been closed meanwhile.
  void offer_again(Connection& connection);

  // --- the stages of a turn
  // --------------------------------------------------------------------------
  void set_now(TimeMs now) { now_ = now; }
  // Some of the due sends into submissions: between them there is time for what has come meanwhile.
  void flush();
  bool round_under_way() const { return round_left_ != 0; }  // flush() left some for the next call
  void handle(const Completion& completion);                 // receives are set aside
  bool process_received();  // those; true if some are left for the next turn
  void resume_paused();     // offers held messages again
  void expire_timers();
  bool has_dirty() const { return !dirty_.empty() || !doomed_.empty() || unsettled_; }
  bool has_paused() const { return !paused_.empty(); }
  // A stage ends by what it has made: messages read and ranges queued, which take time now, and
  // bytes for the sends. The latter count within a round and the one before, so that whoever is due
  // is served before more is queued for it than its bound allows.
  enum Stage : std::uint8_t { kStageInput, kStageRings };
  void begin_stage(Stage stage);
  bool stage_full() const;
  // Something was looked through that has so many elements, which takes this stage's time too.
  void count_work(std::size_t elements) { stage_ranges_ += elements; }
  // Call a few times a second: gives memory back once it is quiet after it was not.
  void trim_if_quiet();
  // Sends 1001 to everyone that is still open and refuses upgrades from now on.
  void begin_drain();

 private:
  // A connection in a list of work to do later: not its ConnectionId, which moves on with a second
  // session.
  struct Reference {
    std::uint32_t slot;
    std::uint32_t io_generation;
  };
  static Reference reference(const Connection& connection) {
    return {connection.id.slot, connection.io_generation};
  }
  Connection* resolve(Reference reference) {  // null if it is gone
    Connection* connection = table_.in_slot(reference.slot);
    const bool same = connection != nullptr && connection->io_generation == reference.io_generation;
    return same ? connection : nullptr;
  }

  // A completed receive: how much of its buffer has been looked at, and the next one of the same
  // connection.
  struct Receive {
    Completion completion;
    std::size_t used = 0;
    std::uint32_t next = Connection::kNoReceive;
  };

  // receiving (transport_receive.cpp)
  void set_aside(Connection& connection, const Completion& completion);
  bool handle_receive(Connection& connection, Receive& receive);
  void after_receive(Connection& connection, const Completion& completion);
  void receive_ended(Connection& connection, int result);
  void input_over(Connection& connection);
  void take_input(Connection& connection, wire::Bytes& input);
  void read_handshake(Connection& connection, wire::Bytes input);
  void accept_upgrade(Connection& connection, const wire::UpgradeRequest& request);
  void read_frames(Connection& connection, wire::Bytes& input);
  Taken take_message(Connection& connection, bool binary, wire::Bytes payload);
  void peer_close(Connection& connection, std::uint16_t code);
  void pause(Connection& connection, bool binary, wire::Bytes message, wire::Bytes rest,
             Taken taken);
  void hold(Connection& connection, wire::Bytes rest, bool waiting = false);
  bool resume(Connection& connection);  // false if it is to be tried again in the next turn
  void arm_receive(Connection& connection);
  void rearm_starved();

  // sending (transport_send.cpp)
  void send_due(Connection& connection);
  void handle_send(Connection& connection, const Completion& completion);
  void handle_writable(Connection& connection, const Completion& completion);
  void wait_writable(Connection& connection);
  void after_queue_empty(Connection& connection);
  void mark_dirty(Connection& connection);
  void backlog_add(Connection& connection);
  void backlog_remove(Connection& connection);
  void begin_round();
  void close_slow_readers();

  // the life of a connection (transport.cpp)
  void refuse(Connection& connection, const wire::UpgradeRefusal& refusal);
  void end_user(Connection& connection);
  void queue_close(Connection& connection, std::uint16_t code, wire::Bytes reason);
  void begin_linger(Connection& connection);
  void begin_ending(Connection& connection);
  void cancel_operations(Connection& connection);
  void finish_if_quiet(Connection& connection);
  void handle_shutdown(Connection& connection, const Completion& completion);
  void handle_close(Connection& connection);
  void on_timer(Connection& connection);
  void timer_open(Connection& connection);
  OperationTag tag(const Connection& connection, Operation operation) const;
  void schedule(const Connection& connection, TimeMs in_ms) {
    wheel_.schedule(connection.id.slot, now_ + in_ms);
  }

  WorkerOptions options_;
  IoRing& io_;
  ring::Counters& counters_;
  TransportUser* user_ = nullptr;
  wire::FrameLimits frame_limits_;
  wire::FrameStatePool frame_states_;
  ConnectionTable table_;
  std::vector<auth::AddressKey> addresses_;  // by slot; grows to the highest slot ever used
  FanoutLog log_;
  TimingWheel wheel_;
  TimeMs now_ = 0;
  bool draining_ = false;
  bool unsettled_ = false;  // true exactly while the user holds frames of the log back

  std::size_t stage_bytes_max_;
  Stage stage_ = kStageInput;
  std::size_t stage_ranges_ = 0;
  std::size_t stage_messages_ = 0;
  // What a stage has made for the sends of a round.
  struct Bytes {
    std::size_t log_bytes = 0;
    std::size_t due_bytes = 0;  // log bytes times receivers
  };
  std::array<Bytes, 2> this_round_;    // by stage
  std::array<Bytes, 2> round_before_;  // none, if nobody was left to be served then

  // Slots with something due and no send in flight, each once. A round serves all that are listed
  // when it begins.
  boost::circular_buffer<std::uint32_t> dirty_;
  std::size_t round_left_ = 0;
  std::size_t flush_sends_ = 0;         // of the last flush in this turn
  std::vector<std::uint32_t> backlog_;  // slots whose queue is not empty: those who may fall behind
  std::vector<Reference> doomed_;       // slow readers, to be closed at the end of the stage
  std::vector<Reference> paused_;       // held input that does not wait, in the order of blocking
  std::vector<Reference> starved_;      // receives that ended for lack of buffers
  // Receives set aside by handle(): as many as the provided buffers hold, where each of them has a
  // byte at least (4 Mi of 40 bytes), and a last one per slot.
  std::vector<Receive> receives_;
  std::vector<std::uint32_t> free_receives_;
  boost::circular_buffer<Reference> ready_;  // connections that have some, each once, in turn
  std::vector<std::uint32_t> due_;

  // For trim_if_quiet().
  struct Activity {
    std::uint64_t bytes = 0;   // received and sent
    std::uint64_t closed = 0;  // connections
  };
  Activity last_activity_;     // at the last call
  Activity trimmed_activity_;  // when memory was given back last
  unsigned quiet_calls_ = 0;

  // Pieces of the sends that are prepared and not yet submitted; see flush().
  static constexpr std::size_t kPiecesPerSend = 16;
  struct VectorSend {
    msghdr header{};
    std::array<iovec, kPiecesPerSend> pieces{};
  };
  std::deque<VectorSend> vector_sends_;
  std::size_t vector_sends_used_ = 0;
};

}  // namespace ringcast::worker
