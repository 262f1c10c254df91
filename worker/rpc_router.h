// Calls on one worker: what its sessions have registered, called and been called with, and, for the
// realms whose home this worker is, their dealer.
//
// One per worker thread, used by that thread only, part of its Router. A realm has one home worker
// for all its procedures, by hash; that one alone has the realm's Dealer. Requests of sessions go
// there and come back by the rings, or by plain calls where it is this worker. What is known here
// of an open call or invocation is only what it takes to name it to the session; who gets an answer
// and when is the dealer's decision.
//
// When a home worker dies its open calls end with an ERROR here, and registrations stay: they are
// announced to its next incarnation, which takes calls when everybody has announced.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ring/segment.h"
#include "wire/message.h"
#include "worker/dealer.h"
#include "worker/meta_events.h"
#include "worker/options.h"
#include "worker/peers.h"
#include "worker/realms.h"
#include "worker/router_calls.h"
#include "worker/rpc_frame.h"
#include "worker/transport.h"

namespace ringcast::worker {

// What the dealer says of an invocation, in its descriptor.
enum InvocationFlag : std::uint32_t {
  kByPattern = 1,
  kDisclosesCaller = 2,
  kForwardsTimeout = 4,
  kContinues = 8
};

// What a YIELD or ERROR for an invocation was.
enum class Answered : std::uint8_t { yes, blocked, never_was };

class RpcRouter final : public DealerOutput {
 public:
  RpcRouter(ring::Segment& segment, std::uint32_t self, Transport& transport, Peers& peers,
            const Realms& realms, MetaEvents& events);

  // --- what sessions of this worker ask, and may do. Request ids were checked, but for calls that
  // go on.
  // Whether a CALL of this request is more of a call made in parts.
  bool goes_on(const Connection& connection, std::uint64_t request) const;
  Taken call(Connection& connection, const wire::Call& call, auth::Disclosure disclose);
  // More of this call may come, and is for nobody.
  void drop_rest(const Connection& connection, std::uint64_t request) {
    remember_unfinished(dealing(connection), request);
  }
  // REQUIRES: goes_on().
  Taken call_part(Connection& connection, const wire::Call& call);
  Taken cancel(Connection& connection, const wire::Cancel& cancel);
  Taken register_procedure(Connection& connection, const wire::Register& message);
  Taken unregister(Connection& connection, const wire::Unregister& message);
  Answered yield(Connection& connection, const wire::Yield& yield);
  Answered error(Connection& connection, const wire::Error& error);
  // Ends what the session has made and been given. Call once, while its id still holds.
  void session_ended(const Connection& connection);

  // --- what this worker asks itself. Procedures of a realm, by its dealer, as for any caller. It
  // has no session: a callee that is told its caller finds an id that no session has.
  // `end` is called exactly once, with wamp.error.timeout at the latest, and not before this has
  // returned. False, and nothing is done: too much is under way; try again in the next turn.
  bool call_as_router(const OwnCall& call, RouterCalls::Callback end);
  // Tells those whose calls have ended; call once in a turn. True if there were any.
  bool run_finished() { return own_calls_.run_finished(); }

  // --- from other workers. False: not of this kind.
  bool on_descriptor(std::uint32_t from, const ring::Descriptor& descriptor,
                     std::string_view frame);
  void on_worker_lost(std::uint32_t worker);
  void on_worker_live(std::uint32_t worker);
  // This worker turns live while those in `expected` are: until each of them has announced what its
  // sessions have registered, or is lost, calls and registrations wait.
  void begin(std::uint64_t expected) { awaited_ = expected; }

  // --- what the realms at home here have registered (worker/registration_meta.h)
  std::uint32_t home_of_realm(std::uint16_t realm) const;
  bool is_home_of(std::uint16_t realm) const {
    return realms_.contains(realm) && home_of_realm(realm) == self_;
  }
  bool dealer_complete() const { return awaited_ == 0; }  // everybody has announced
  Registrations& registrations() { return dealer_.registered(); }

  // Takes a registration away from its callee, who is told for this reason (a URI, or empty) if it
  // understands that. False: it does not have it. REQUIRES: the realm is at home here.
  bool revoke(ring::ConnectionId callee, std::uint32_t registration, std::string_view reason);

  // Call every turn.
  void expire(TimeMs now);
  TimeMs next_deadline() const {
    return std::min(dealer_.next_deadline(), own_calls_.next_deadline());
  }
  // Answers REGISTERs whose home worker has been away for too long. Call a few times a second.
  void expire_registers();
  void report();

 private:
  struct OpenCall {
    bool continues = false;  // the caller may send more of it
  };
  struct Held {              // an invocation
    std::uint64_t call = 0;  // the dealer's name for it
    // Of a call in parts: the first without its payload, and what the dealer said of it. Options
    // of those that follow count for nothing (WAMP, "Freezing of Options").
    std::string first_part;
    std::uint32_t flags = 0;
  };
  struct Offer {  // a registration
    std::string uri;
    wire::MatchPolicy match = wire::MatchPolicy::exact;
    RegistrationTerms terms;
    std::uint64_t order = 0;  // among the callees of a shared one
  };
  // What a session has to do with calls.
  struct Dealing {
    ring::ConnectionId who;
    std::uint16_t realm = 0;
    std::unordered_map<std::uint64_t, OpenCall> calls;  // by the caller's request
    std::set<std::uint64_t> unfinished;  // requests of calls that ended before their last part
    std::unordered_map<std::uint64_t, Held> invocations;       // by our request
    std::unordered_map<std::uint64_t, std::uint64_t> by_call;  // the dealer's name to our request
    std::unordered_map<std::uint32_t, Offer> offers;           // by registration
    std::uint64_t last_invocation = 0;
    std::size_t registers_pending = 0;
  };
  struct PendingRegister {
    ring::ConnectionId who;
    std::uint64_t request = 0;
    std::uint16_t realm = 0;
    TimeMs asked_ms = 0;
    Offer offer;
  };
  struct Message {
    std::uint32_t from;
    ring::Descriptor descriptor;
    std::string frame;
  };

  // DealerOutput: to sessions of any worker.
  void invoke(ring::ConnectionId callee, const Invocation& invocation,
              std::string_view frame) override;
  void interrupt(ring::ConnectionId callee, std::uint64_t call, wire::CancelMode mode) override;
  void answer(ring::ConnectionId caller, std::uint64_t request, Outcome outcome,
              std::string_view frame) override;
  void refuse(ring::ConnectionId caller, std::uint64_t request, std::string_view error,
              std::string_view message) override;
  void registration_changed(MembershipChange change, ring::ConnectionId session,
                            const Registration& registration) override;

  // To a realm's dealer (rpc_router.cpp), wherever it is.
  bool home_away(std::uint16_t realm) const;
  bool home_behind(std::uint16_t realm) const;
  void tell_home(const ring::Descriptor& descriptor, std::string frame = {});
  void tell(std::uint32_t worker, const ring::Descriptor& descriptor, std::string frame);
  void settle_local();
  void handle(std::uint32_t from, const ring::Descriptor& descriptor, std::string_view frame);
  void ask_to_register(std::uint64_t token, const PendingRegister& pending);
  void tell_call(Connection& connection, const wire::Call& call, auth::Disclosure disclose,
                 bool more);
  Answered end_invocation(Connection& connection, std::uint64_t request, Outcome outcome,
                          const RpcFrame& frame);

  // As the dealer's worker (rpc_router_home.cpp).
  void at_home(std::uint32_t from, const ring::Descriptor& descriptor, std::string_view frame);
  void defer(std::uint32_t from, const ring::Descriptor& descriptor, std::string_view frame);
  void serve(const ring::Descriptor& descriptor, std::string_view frame);
  void serve_register(const ring::Descriptor& descriptor, std::string_view uri);
  bool overloaded() const;
  void serve_call(const ring::Descriptor& descriptor, std::string_view frame);
  void announced(std::uint32_t from);
  void open_if_complete();

  // To a session of this worker (rpc_router_session.cpp).
  void deliver_invocation(const ring::Descriptor& descriptor, std::string_view frame);
  void deliver_part(const ring::Descriptor& descriptor, const RpcFrame& frame);
  void send_invocation(Connection& connection, std::uint64_t request,
                       const ring::Descriptor& descriptor, const RpcFrame& first,
                       const RpcFrame& part, const wire::Payload& payload);
  void give_back(const ring::Descriptor& descriptor, Outcome outcome, std::string body);
  void deliver_interrupt(const ring::Descriptor& descriptor);
  void deliver_answer(const ring::Descriptor& descriptor, std::string_view frame);
  void deliver_refusal(const ring::Descriptor& descriptor, std::string_view text);
  void deliver_revoked(const ring::Descriptor& descriptor, std::string_view reason);
  void deliver_registered(const ring::Descriptor& descriptor, std::string_view text);
  // The call has been answered. False: it is not open.
  bool close_call(Dealing& session, std::uint64_t request);
  static void remember_unfinished(Dealing& session, std::uint64_t request);
  void send_interrupt(Connection& connection, std::uint64_t request, wire::CancelMode mode);
  void end_all_open(Dealing& session);
  bool is_own(std::uint64_t target) const { return target == own_name().packed(); }
  ring::ConnectionId own_name() const {
    return {.worker = self_, .slot = ring::kRouterSlot, .generation = 1};
  }
  void count_if_stale(bool known);
  bool transcode(const RpcFrame& frame, wire::Serializer to, wire::Payload& payload);

  Connection* live_session(ring::ConnectionId id);
  Dealing& dealing(const Connection& connection);
  Dealing* find_dealing(ring::ConnectionId id);
  void send_error(Connection& connection, wire::MessageType type, std::uint64_t request,
                  std::string_view error, std::string_view message);
  void send(Connection& connection);  // out_

  ring::Segment& segment_;
  std::uint32_t self_;
  Transport& transport_;
  Peers& peers_;
  const Realms& realms_;
  MetaEvents& events_;
  ring::Counters& counters_;
  Dealer dealer_;
  RouterCalls own_calls_;
  std::unordered_map<std::uint32_t, std::unique_ptr<Dealing>> dealings_;  // by slot
  std::unordered_map<std::uint64_t, PendingRegister> pending_;            // by token
  std::uint64_t next_token_;
  TimeMs now_ = 0;
  std::uint64_t awaited_ = 0;     // bit per worker that has yet to announce
  std::deque<Message> deferred_;  // what came for the dealer before it knew what is registered
  std::size_t deferred_bytes_ = 0;
  // From this worker to itself. Like those in rings they are looked at one after the other, when
  // whoever sent them is done: the dealer is not called back from what it calls.
  std::deque<Message> local_;
  bool settling_ = false;
  std::string out_;
  std::string transcoded_args_;
  std::string transcoded_kwargs_;
};

}  // namespace ringcast::worker
