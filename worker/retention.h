// Retained events (WAMP, "Event Retention"): those of the topics that this worker is home to, and
// what its own sessions fetch when they subscribe.
//
// One per worker; used by its thread only. A topic's home worker keeps its event; a subscription by
// pattern is for topics of many homes, so all workers are asked. They answer a page at a time, and
// the next page is asked for when the receiver has room, of a few fetches of a session at a time:
// so nothing is unbounded, however much is retained, however slow the receiver and however much it
// subscribes to at once. In memory only: a home worker's death loses what it had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ring/connection_id.h"
#include "ring/segment.h"
#include "worker/event_store.h"
#include "worker/peers.h"
#include "worker/publication.h"
#include "worker/retained_page.h"
#include "worker/topics.h"

namespace ringcast::worker {

// Who gets retained events: a session, for one of its subscriptions.
struct RetainedReceiver {
  ring::ConnectionId who;
  std::uint32_t subscription = 0;
};

class RetentionClient {
 public:
  virtual ~RetentionClient() = default;
  enum class State : std::uint8_t {
    ready,
    busy,  // much is queued for it: ask again later
    gone,  // the session is over, or does not subscribe any more
  };
  virtual State receiver_state(const RetainedReceiver& receiver) = 0;
  // REQUIRES: it is not gone.
  virtual void on_retained(const RetainedReceiver& receiver, const Publication& publication) = 0;
};

class Retention {
 public:
  static constexpr std::size_t kPageBytes =
      128 * 1024;                                    // a page ends with the event that passes it
  static constexpr std::size_t kLookedAtMax = 4096;  // topics for one page
  static constexpr unsigned kPagesAtOnce = 8;        // of its own events, for one session
  static constexpr std::size_t kFetchesMax = 65536;
  static constexpr unsigned kUnderWayMax = 4;                // of a session: the others wait
  static constexpr std::size_t kFetchesOfSessionMax = 4096;  // that wait
  // Pages on their way to a worker that does not keep up; beyond it they are empty.
  static constexpr std::size_t kWaitingBytesMax = std::size_t{16} << 20;

  Retention(ring::Segment& segment, std::uint32_t self, Peers& peers, RetentionClient& client);

  // REQUIRES: this worker is home to the topic, and the publication has extras.
  void keep(const Publication& publication);

  // The receiver will get what is retained for its subscription, which has this key. REQUIRES: it
  // has been sent SUBSCRIBED.
  void fetch(const RetainedReceiver& receiver, const TopicKey& key);

  // Too much is waited for: no SUBSCRIBE of this session's that asks for retained events is to be
  // taken.
  bool full(ring::ConnectionId who) const;

  void on_request(std::uint32_t from, std::uint64_t token, std::string_view frame);
  void on_page(std::uint32_t from, std::uint64_t token, std::string_view frame);

  // What it had been asked for will not come.
  void on_worker_lost(std::uint32_t worker);

  // Answers what was asked for. Call every turn, after rings have been drained: what was published
  // before somebody asked has come by then.
  void end_turn();
  bool has_due() const { return !due_.empty(); }  // for the next end_turn()

  // Goes on with receivers that were busy. Call a few times a second.
  void resume();

 private:
  struct Fetch {
    RetainedReceiver receiver;
    std::uint32_t from = 0;  // the worker that has them
    std::uint16_t realm = 0;
    wire::MatchPolicy match = wire::MatchPolicy::exact;
    bool under_way = false;  // else its session's others come first
    bool waits = false;      // under way: for the receiver; else for a page
    bool begun = false;      // `after` says where to go on
    std::string uri;
    std::string after;
    RetainedQuery query() const;
  };

  struct Request {
    std::uint32_t from = 0;
    std::uint64_t token = 0;
    std::string query;
  };

  // Of one session.
  struct Fetching {
    unsigned under_way = 0;
    std::deque<std::uint64_t> waiting;  // tokens
  };
  using Fetches = std::unordered_map<std::uint64_t, Fetch>;

  void begin_next(ring::ConnectionId who);
  void begin(std::uint64_t token, Fetch& fetch);
  void finish(Fetches::iterator fetch);
  std::string page(const RetainedQuery& query, std::size_t waiting_bytes) const;
  void ask(std::uint64_t token, Fetch& fetch);
  enum class Left : std::uint8_t {
    nothing,
    more,
    later,  // more, but neither who has it nor who gets it has room now
  };
  Left deliver(Fetch& fetch, std::string_view frame);
  void report();

  ring::Segment& segment_;
  std::uint32_t self_;
  Peers& peers_;
  RetentionClient& client_;
  ring::Counters& counters_;
  RetainedEvents events_{RetainedLimits{}};
  Fetches fetches_;                                       // by token
  std::unordered_map<std::uint64_t, Fetching> sessions_;  // by ConnectionId
  std::vector<std::uint64_t> due_;  // tokens of fetches of its own events, for end_turn()
  std::vector<Request> requests_;   // as many as others have fetches
  std::uint64_t next_token_;  // begins at random: answers to an earlier incarnation match nothing
};

}  // namespace ringcast::worker
