// The sending side of a process of a run: its publishers, and when each may publish what. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "client/bench/board.h"
#include "client/bench/codec.h"
#include "client/bench/fanout_options.h"
#include "client/bench/handshake.h"
#include "client/bench/link_pool.h"
#include "client/bench/replay.h"
#include "client/bench/topic_choice.h"

namespace ringcast::bench {

class Publishing {
 public:
  Publishing(const FanoutOptions& options, std::uint32_t process, LinkPool& pool,
             const Handshake& handshake, MaskSource& masks, Board& board, const Codec& codec,
             std::uint32_t run);

  void start(std::int64_t now);
  void stop() { stopped_ = true; }
  // Publishes what window or rate allow now.
  void publish_due();
  // True if publish_due() has something to do at once.
  bool has_work() const { return !to_serve_.empty(); }
  // When publish_due() wants to be called again if nothing arrives; the far future in window mode.
  std::int64_t next_due_ns() const;
  // True once the server has shown that it took what stands before the last ping.
  bool confirmed() const;

  // All subscribers of a lane of ours have more than before.
  void on_delivered(std::uint32_t lane);
  // The same for any of our lanes: other processes have delivered.
  void on_delivered_elsewhere();
  // The oldest unanswered ping of this publisher was answered.
  void on_pong(std::uint32_t publisher);
  void on_writable(std::uint32_t publisher);
  void on_gone(std::uint32_t publisher);

 private:
  struct Publisher {
    std::vector<std::uint32_t> lanes;
    std::uint64_t sent = 0;
    std::uint64_t finished = 0;       // with all their subscribers; or confirmed by the server
    std::deque<std::uint64_t> pings;  // what had been sent before each unanswered one
    bool dead = false;
    bool listed = false;  // in to_serve_
  };
  struct Lane {
    std::uint64_t sent = 0;
    std::uint64_t finished = 0;
    std::map<std::size_t, Codec::Publication> publications;  // by payload size
  };

  bool ours(std::uint32_t publisher) const { return publisher % options_.processes == process_; }
  Publisher& publisher(std::uint32_t index) { return publishers_[index / options_.processes]; }
  void list(std::uint32_t publisher);
  void publish_window(std::uint32_t publisher);
  bool may_publish(std::uint32_t publisher);
  void publish_rate();
  void publish_one(std::uint32_t publisher, std::int64_t intended_ns);
  void finish(std::uint32_t lane, std::uint64_t below);
  void send_ping(std::uint32_t publisher);

  const FanoutOptions& options_;
  const std::uint32_t process_;
  LinkPool& pool_;
  const Handshake& handshake_;
  MaskSource& masks_;
  Board& board_;
  Tally& tally_;
  const Codec& codec_;
  const std::uint32_t run_;
  const bool subscriberless_;
  ReplayFeed feed_;
  TopicChoice choice_;
  std::vector<Publisher> publishers_;    // this process's
  std::vector<Lane> lanes_;              // all; those of other processes stay empty
  std::vector<std::uint32_t> to_serve_;  // publishers that may have something to publish or flush
  std::int64_t started_ns_ = 0;
  std::uint64_t rate_index_ = 0;  // rate mode: publications made, of all processes together
  bool rate_blocked_ = false;     // rate mode: the next publisher's socket takes nothing
  bool stopped_ = false;
};

}  // namespace ringcast::bench
