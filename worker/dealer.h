// The dealer of the realms whose home this worker is: who has registered which procedure, and every
// call from the moment it is made until it has been answered and its callee is done with it.
//
// One per worker; used by its thread only. It knows sessions by their ConnectionIds and speaks to
// them through a DealerOutput, which sends across workers; it does no I/O and has no clock.
//
// Each call has one record here, whatever its caller's and callee's workers know, so it is answered
// exactly once (invariant I6). All calls of a realm pass through one worker, so invocations reach a
// callee in the order in which its caller made the calls, whichever procedures they are for (WAMP,
// "Ordering Guarantees": Calling).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ring/connection_id.h"
#include "worker/call_table.h"
#include "worker/clock.h"
#include "worker/deadlines.h"
#include "worker/membership_change.h"
#include "worker/registrations.h"

namespace ringcast::worker {

// What a callee, or its worker, says of a call that it was given.
enum class Outcome : std::uint8_t {
  progress,     // a progressive result; the call goes on
  result,       // the last one
  error,        // an ERROR of the callee's
  unavailable,  // wamp.error.unavailable: the next callee, if there is one
  undelivered,  // its session or registration had ended before the call came; the frame is the call
};

// Calls of a DealerOutput may not call the dealer back.
class DealerOutput {
 public:
  virtual ~DealerOutput() = default;

  // What of a registration shows in the INVOCATION; `frame` is the caller's, untouched.
  struct Invocation {
    std::uint64_t call = 0;  // the dealer's name for it, to be given back with its outcome
    std::uint16_t realm = 0;
    std::uint32_t registration = 0;
    bool by_pattern = false;        // the callee is told the procedure
    bool discloses_caller = false;  // registered so; the caller may also have asked for it
    bool forwards_timeout = false;  // the callee is told the timeout
    bool continues = false;         // more of a progressive call that it has been given before
  };
  virtual void invoke(ring::ConnectionId callee, const Invocation& invocation,
                      std::string_view frame) = 0;
  // Only to callees that understand it.
  virtual void interrupt(ring::ConnectionId callee, std::uint64_t call, wire::CancelMode mode) = 0;
  // `frame` as the callee gave it. `outcome`: progress, result or error.
  virtual void answer(ring::ConnectionId caller, std::uint64_t request, Outcome outcome,
                      std::string_view frame) = 0;
  virtual void refuse(ring::ConnectionId caller, std::uint64_t request, std::string_view error,
                      std::string_view message) = 0;
  // Not of what restore() brings back.
  virtual void registration_changed(MembershipChange change, ring::ConnectionId session,
                                    const Registration& registration) = 0;
};

class Dealer {
 public:
  static constexpr std::size_t kCallsMax = 1u << 20;  // of all realms at home here
  // Given to a session and not done with by it, whether their callers still wait or not: who never
  // answers must not fill the table for all.
  static constexpr std::size_t kGivenMax = 65'536;
  static constexpr std::size_t kQueuedCallsMax = 1024;     // of a registration at its concurrency
  static constexpr std::size_t kKeptBytesMax = 64u << 20;  // of calls that wait or may be rerouted

  // `draw_id` gives registration ids that nobody else in the node has or had; 0: there are none
  // left.
  Dealer(DealerOutput& output, std::uint64_t hash_seed, std::function<std::uint32_t()> draw_id);

  // --- registrations
  struct Registered {
    std::uint32_t registration = 0;  // 0: refused, for the reason in `error` and `message`
    std::uint64_t order = 0;         // the callee's place among those who share it, for restore()
    std::string_view error = {};
    std::string_view message = {};
  };
  Registered register_procedure(ring::ConnectionId callee, const ProcedureKey& key,
                                const RegistrationTerms& terms);
  // What the dealer before this one knew: the callee has registered it under this id, in this
  // order. Of contradictions (a torn announcement) the first stands.
  void restore(ring::ConnectionId callee, const ProcedureKey& key, const RegistrationTerms& terms,
               std::uint32_t registration, std::uint64_t order);
  // Gives calls that wait for a callee to those who have room. Call when a new one has been told
  // that it is registered, which comes before its first call.
  void serve_queue(std::uint32_t registration);
  // The callee gets no more calls from it; what it has it may still answer. False: it has none.
  bool unregister(ring::ConnectionId callee, std::uint32_t registration);

  // --- calls
  struct NewCall {
    ring::ConnectionId caller;
    std::uint64_t request = 0;
    std::uint16_t realm = 0;
    std::string_view procedure;
    std::uint64_t timeout_ms = 0;  // 0: none
    bool wants_progress = false;   // of results
    bool continues = false;        // more follows under the same request (progressive invocations)
    bool more = false;             // of a call whose first part came before
    std::string_view frame;        // goes to the callee as it is
  };
  void call(const NewCall& call);
  void cancel(ring::ConnectionId caller, std::uint64_t request, wire::CancelMode mode);
  // Of whatever it is that no record matches is dropped: false.
  bool outcome(ring::ConnectionId callee, std::uint64_t call, Outcome outcome,
               std::string_view frame);
  // The call ends for its caller with an ERROR, and its callee is asked to end it; named by the
  // caller's request (false: it is not open), or as it was given to its callee.
  bool give_up(ring::ConnectionId caller, std::uint64_t request, std::string_view error,
               std::string_view message);
  void give_up_given(ring::ConnectionId callee, std::uint64_t call, std::string_view error,
                     std::string_view message);

  // --- ends
  void session_gone(ring::ConnectionId session);
  void worker_lost(std::uint32_t worker);
  // Answers calls whose timeout has passed. Call every turn.
  void expire(TimeMs now);
  TimeMs next_deadline() const { return deadlines_.next(); }  // UINT64_MAX: none

  Registrations& registered() { return registrations_; }
  std::size_t calls() const { return calls_.size(); }
  std::size_t registrations() const { return registrations_.size(); }
  std::size_t sessions() const { return parties_.size(); }
  std::size_t kept_bytes() const { return kept_bytes_; }
  std::size_t deadlines() const { return deadlines_.size(); }

 private:
  // A session that has calls or registrations here.
  struct Party {
    CallList made;   // by it, and not answered yet
    CallList given;  // to it, and not done with
    std::vector<std::uint32_t> registrations;
  };
  using Parties = std::unordered_map<std::uint64_t, Party>;

  void refuse(const NewCall& call, std::string_view error, std::string_view message);
  void continue_call(std::uint32_t index, const NewCall& more);
  void dispatch(std::uint32_t index, std::string_view frame);
  void give(std::uint32_t index, Registration& registration, Callee& callee,
            std::string_view frame);
  void enqueue(std::uint32_t index, Registration& registration, std::string_view frame);
  void leave_queue(std::uint32_t index);
  void reroute(std::uint32_t index, std::string_view frame);
  // Answers the caller with an ERROR of the dealer's.
  void fail(std::uint32_t index, std::string_view error, std::string_view message);
  void give_up(std::uint32_t index, std::string_view error, std::string_view message);
  void stop(std::uint32_t index);
  // The two sides of a call end by themselves; with the second the record goes.
  void end_for_caller(std::uint32_t index);
  void end_for_callee(std::uint32_t index);
  void destroy_if_over(std::uint32_t index);
  void keep(std::uint32_t index, std::string_view frame);
  void drop_kept(std::uint32_t index);
  void set_deadline(std::uint32_t index);
  void remove_callee(Registration& registration, ring::ConnectionId callee);
  Party& party(ring::ConnectionId session) { return parties_[session.packed()]; }
  Party* find_party(ring::ConnectionId session);
  void forget_if_idle(ring::ConnectionId session);

  DealerOutput& output_;
  std::function<std::uint32_t()> draw_id_;
  Registrations registrations_;
  CallTable calls_;
  Parties parties_;
  Deadlines deadlines_;
  TimeMs now_ = 0;
  std::size_t kept_bytes_ = 0;
  std::uint64_t order_ = 0;  // given last
};

}  // namespace ringcast::worker
