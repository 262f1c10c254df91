// This worker's end of the rings to and from all others, and its view of who is there.
//
// One per worker thread, used by that thread only. Outbound descriptors are staged and pushed in
// batches; inbound ones are popped in batches and handed to a PeerUser. Nothing here waits: a full
// ring or arena leaves things staged and is an answer to the publisher (invariant I4).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "ring/frame_arena.h"
#include "ring/segment.h"
#include "worker/publication.h"

namespace ringcast::worker {

// Whom a Peers tells. Calls come from drain() and refresh().
class PeerUser {
 public:
  virtual ~PeerUser() = default;
  // A descriptor whose checks have passed; `frame` is empty if it has none, and gone when this
  // returns.
  virtual void on_descriptor(std::uint32_t from, const ring::Descriptor& descriptor,
                             std::string_view frame) = 0;
  // `worker` died; everything it had pushed has been handed over before.
  virtual void on_worker_lost(std::uint32_t worker) = 0;
  // `worker` takes descriptors now, in a new incarnation.
  virtual void on_worker_live(std::uint32_t worker) = 0;
};

class Peers {
 public:
  static constexpr std::size_t kStagedMax =
      256;  // publications per peer; beyond it the publisher is paused
  static constexpr std::size_t kStagedControlMax = 64;  // of the home protocol, on top of those
  static constexpr std::size_t kInboxSize = 32;         // descriptors popped at once

  // `wake_fds[w]` is worker w's eventfd. Starts with an empty arena: see own_arena_free().
  Peers(ring::Segment& segment, std::uint32_t self, std::vector<int> wake_fds);

  // --- outbound
  // ---------------------------------------------------------------------------------------- Bit
  // per worker other than this one to which a descriptor can go.
  std::uint64_t live() const { return live_; }

  // Hands the publication to every worker in `targets` (a subset of live()). False, and nothing is
  // done, if a ring's stage or the arena has no room; then the publisher is to be paused.
  bool publish(const Publication& publication, std::uint64_t topic_hash, std::uint64_t targets);

  // Queues a message of the home protocol or of a call, with `body` as its frame if it is not
  // empty; dropped if `to` is not live. Unlike publications these are never refused. Who makes them
  // keeps their number small: a session's request waits while control_backlog() is large, and a
  // dealer refuses calls while control_bytes() is.
  void send(std::uint32_t to, ring::Descriptor descriptor, std::string body = {});

  // Messages that wait for worker `to`.
  std::size_t control_backlog(std::uint32_t to) const { return peers_[to].control.size(); }

  // What all messages that wait take up.
  std::size_t control_bytes() const { return control_bytes_; }

  // Pushes what is staged and wakes who sleeps.
  void flush();
  // Something could not be pushed: try again soon.
  bool congested() const { return congested_; }

  // --- inbound
  // ----------------------------------------------------------------------------------------- Hands
  // over descriptors until the rings are empty or `stop()` says that this turn has done enough;
  // true if some are left.
  template <typename Stop>
  bool drain(PeerUser& user, Stop stop);
  // Nothing is waiting. After announce_sleep() it decides whether to sleep.
  bool inbound_empty() const;

  // --- membership
  // -------------------------------------------------------------------------------------- Acts on
  // what has changed since the last call: one load if nothing has.
  void refresh(PeerUser& user);
  // Bit per worker other than this one that is live by the segment, whatever refresh() has seen.
  std::uint64_t live_in_segment() const;
  // Whether no live worker can still hold a frame of this worker's earlier incarnation.
  bool own_arena_free(std::uint32_t epoch) const;

  // Gauges of the arena.
  void report();

 private:
  struct Control {
    Control(const ring::Descriptor& what, std::string frame)
        : descriptor(what), body(std::move(frame)) {}
    ring::Descriptor descriptor;
    std::string body;
    std::size_t bytes() const { return sizeof *this + body.size(); }
  };
  struct Peer {
    ring::StateWord known;  // the state that refresh() acted on last
    std::vector<ring::Descriptor> staged;
    std::deque<Control> control;
  };

  void stage(std::uint32_t to, ring::Descriptor descriptor);
  bool stage_control(std::uint32_t to);
  void push(std::uint32_t to);
  void fill_inbox();
  void take(PeerUser& user, std::uint32_t from, const ring::Descriptor& descriptor);
  void drain_wholly(PeerUser& user, std::uint32_t from);
  void change(PeerUser& user, std::uint32_t worker, ring::StateWord now);

  ring::Segment& segment_;
  std::uint32_t self_;
  std::uint32_t epoch_;  // of this incarnation
  std::vector<int> wake_fds_;
  ring::Counters& counters_;
  ring::FrameArena arena_;
  std::vector<Peer> peers_;
  std::uint64_t live_ = 0;
  std::uint64_t membership_seen_ = UINT64_MAX;
  bool congested_ = false;
  std::size_t control_bytes_ = 0;

  // Popped and not yet handed over.
  std::array<ring::Descriptor, kInboxSize> inbox_;
  std::size_t inbox_begin_ = 0;
  std::size_t inbox_end_ = 0;
  std::uint32_t inbox_from_ = 0;
  std::uint32_t next_producer_ = 0;
};

template <typename Stop>
bool Peers::drain(PeerUser& user, Stop stop) {
  for (;;) {
    while (inbox_begin_ < inbox_end_) {
      if (stop()) return true;
      take(user, inbox_from_, inbox_[inbox_begin_++]);
    }
    fill_inbox();
    if (inbox_begin_ == inbox_end_) return false;
    // Who has just turned live may be among the senders, and is to be answered.
    refresh(user);
  }
}

}  // namespace ringcast::worker
