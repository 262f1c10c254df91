// Questions from one worker to some or all of the others, and what they answer: the way to what
// only another worker knows (a dealer's registrations, a home worker's topics, who of a worker's
// sessions has subscribed), for requests that are not on the way of publications and calls.
//
// One per worker thread, used by that thread only, part of its Router. A question goes to any set
// of workers, this one among them, and its callback is called exactly once: when all have answered,
// or when kTimeoutMs have passed. A worker that dies meanwhile counts as one that has answered
// nothing. Descriptors of one worker to another stay in their order, so a question sees what was
// told before.
//
// Bounds: kPendingMax questions of a worker, kReplyBytesMax for each reply, kServedBytesMax for the
// replies of a turn; what a worker must answer and can't yet is bounded by those who ask.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ring/segment.h"
#include "worker/clock.h"
#include "worker/peers.h"

namespace ringcast::worker {

// What is asked; the request's and the reply's bytes are a matter between who asks and who serves.
enum class QueryKind : std::uint32_t {
  registrations = 1,  // of the realm's dealer (worker/registration_meta.h)
  events = 2,         // of a history's home worker (worker/history_meta.h)
  subscriptions = 3,  // worker/subscription_meta.h
  kill_sessions = 4,  // worker/session_meta.h
};

// Who answers questions on a worker.
class QueryServer {
 public:
  virtual ~QueryServer() = default;
  // Appends the answer to `reply`, which is empty. False: it can't be known yet, as this worker is
  // just starting; the question is put again in a moment. `realm` and `request` come from another
  // worker and are checked by whoever believes them. May not ask from within.
  virtual bool serve_query(QueryKind kind, std::uint16_t realm, std::string_view request,
                           std::string& reply) = 0;
};

enum class QueryResult : std::uint32_t {
  answered,
  too_large,  // the reply would have been longer than kReplyBytesMax
  lost,       // the worker died, or did not answer in time
};

struct QueryReply {
  std::uint32_t worker = 0;
  QueryResult result = QueryResult::lost;
  std::string bytes;  // empty unless answered
};

class Queries {
 public:
  static constexpr std::size_t kPendingMax = 4096;
  static constexpr std::size_t kReplyBytesMax = 512u << 10;
  // Of a turn: a list costs as much as it is long, and what waits for the rings counts against the
  // calls of all.
  static constexpr std::size_t kServedBytesMax = 1u << 20;
  // What an answer counts as at least: finding that there is nothing may be work, too.
  static constexpr std::size_t kServedBytesLeast = 32u << 10;
  static constexpr TimeMs kTimeoutMs = 5'000;

  // One reply for each worker that was asked, by worker number.
  using Done = std::function<void(const std::vector<QueryReply>& replies)>;

  Queries(ring::Segment& segment, std::uint32_t self, Peers& peers, QueryServer& server);

  // Bit per worker that can be asked: the live ones and this one.
  std::uint64_t everybody() const { return peers_.live() | std::uint64_t{1} << self_; }

  // Asks the workers in `workers`; those that are not live count as lost. `done` may be called
  // before this returns. False, and nothing happens, if there are too many questions already, or if
  // one of the workers does not keep up with what it is sent.
  bool ask(std::uint64_t workers, QueryKind kind, std::uint16_t realm, std::string_view request,
           Done done);

  // --- from other workers
  void on_query(std::uint32_t from, const ring::Descriptor& descriptor, std::string_view request);
  void on_reply(std::uint32_t from, const ring::Descriptor& descriptor, std::string_view bytes);
  void on_worker_lost(std::uint32_t worker);

  // Puts again what could not be answered. Call every turn.
  void retry();
  bool has_deferred() const { return !deferred_.empty(); }
  // Gives up what has waited too long. Call a few times a second.
  void expire(TimeMs now);

 private:
  struct Pending {
    std::vector<QueryReply> replies;
    std::uint64_t awaited = 0;  // bit per worker
    TimeMs asked_ms = 0;
    Done done;
  };
  struct Question {
    std::uint32_t from = 0;
    std::uint64_t token = 0;
    QueryKind kind = QueryKind::registrations;
    std::uint16_t realm = 0;
    std::string request;
  };

  void serve(const Question& question);
  bool try_serve(const Question& question);
  void take(std::uint64_t token, QueryReply reply);
  void finish(std::uint64_t token);

  ring::Counters& counters_;
  std::uint32_t self_;
  Peers& peers_;
  QueryServer& server_;
  std::unordered_map<std::uint64_t, Pending> pending_;  // by token
  std::uint64_t next_token_;  // begins at random: replies to an earlier incarnation match nothing
  std::deque<Question> deferred_;
  std::size_t served_bytes_ = 0;  // in this turn
  TimeMs now_ = 0;
};

}  // namespace ringcast::worker
