// Whether a session may do what it asks for: by the rules of its role, or by what the role's
// dynamic authorizer answers, a procedure that some session of the realm has registered.
//
// One per worker, owned by its Router, used by its thread only. A session is looked at by its own
// worker, before anything else happens. While an authorizer has not answered, the session's message
// waits with the transport (Taken::waiting) and is offered again when it has; so the session's
// order holds, and nobody else waits.
//
// An answer serves the message that asked, and is kept for others only if the answer says that it
// may be and the configuration for how long. Messages that ask for the same meanwhile share the
// call; if the answer may not be kept, each of them asks again, for itself. An error, no answer in
// time, and an answer that is none are a no. [decision]
//
// A role that has a dynamic authorizer may not register one: its own session would wait for itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/decision_cache.h"
#include "ring/counters.h"
#include "ring/session_id.h"
#include "worker/connection.h"
#include "worker/log_limiter.h"
#include "worker/realms.h"
#include "worker/router_calls.h"

namespace ringcast::worker {

enum class Verdict : std::uint8_t {
  allowed,
  denied,
  concealed,  // it asks that its identity be disclosed, which it may not be
  failed,     // the authorizer has not decided
  waiting,    // until AuthorizerUser::on_decided()
  blocked,    // too many calls are open: to be asked again in the next turn
};

struct Permission {
  Verdict verdict = Verdict::allowed;
  auth::Disclosure disclose = auth::Disclosure::asked;  // of who publishes or calls
  std::string_view why = {};                            // of a refusal, for the session

  bool allowed() const { return verdict == Verdict::allowed; }
  bool pending() const { return verdict == Verdict::waiting || verdict == Verdict::blocked; }
};

// What a session asks for. Views, valid for the call.
struct Intent {
  auth::Action kind = auth::Action::publish;
  std::string_view uri;  // valid, for its kind of match
  auth::UriMatch match = auth::UriMatch::exact;
  std::uint64_t request = 0;  // of the message
  wire::Bytes options = {};   // of the message, in the connection's serializer
  bool asks_disclosure = false;
};

// Whom an Authorizer needs, and tells.
class AuthorizerUser {
 public:
  virtual ~AuthorizerUser() = default;
  // As RpcRouter::call_as_router().
  virtual bool call_procedure(const OwnCall& call, RouterCalls::Callback end) = 0;
  // The message that waited can be decided now; or its session is over, and it waits no more.
  virtual void on_decided(ring::ConnectionId session) = 0;
  // A line for the log, which nobody waits for.
  virtual void warn(std::string line) = 0;
};

class Authorizer {
 public:
  Authorizer(const Realms& realms, const ring::SessionKey& session_key, ring::Counters& counters,
             AuthorizerUser& user);

  void set_now(TimeMs now) { now_ = now; }

  // Sessions that are `unrestricted` need not be asked about, so they cost nothing. Asked again for
  // the same request of a session the answer is the same: a message that was
  // allowed may find no room in a ring, and come back.
  Permission check(const Connection& connection, const Intent& intent);

  // Nothing is kept of the session any more. Call once, while its id still holds.
  void session_ended(const Connection& connection);

  std::size_t askings() const { return askings_.size(); }  // calls that are open
  std::size_t waiters() const { return waiters_.size(); }  // sessions of which something is kept

 private:
  // A session's last message that an authorizer was asked about, or shares somebody's call for.
  struct Waiter {
    enum class State : std::uint8_t {
      waiting,
      alone,  // the answer that it waited for was not for it: it is to ask for itself
      decided,
    };
    ring::ConnectionId session;
    std::uint64_t request = 0;
    auth::Action kind = auth::Action::publish;
    State state = State::waiting;
    std::uint64_t asking = 0;  // while it waits
    auth::Grant grant;         // when it is decided
    bool failed = false;
  };
  // A call of an authorizer.
  struct Asking {
    const DynamicAuthorizer* authorizer = nullptr;  // lives as long as the realm
    std::uint16_t realm = 0;
    std::string shared_as;  // key in shared_; empty: it is one message's own
    std::string principal;
    auth::Action kind = auth::Action::publish;
    auth::UriMatch match = auth::UriMatch::exact;
    std::string uri;
    std::vector<ring::ConnectionId> waiters;  // who has asked is the first
  };
  // What an authorizer has said.
  struct Answer {
    bool valid = false;
    auth::Grant grant;
    bool may_be_kept = false;
  };

  Permission ask(const Connection& connection, const DynamicAuthorizer& authorizer,
                 const Intent& intent);
  bool is_authorizer(const Connection& connection, const Intent& intent) const;
  Waiter* find_waiter(ring::ConnectionId session);
  Permission wait(const Connection& connection, const Intent& intent, std::uint64_t asking);
  std::uint64_t begin(const Connection& connection, const DynamicAuthorizer& authorizer,
                      const Intent& intent, std::string shared_as);
  std::string arguments(const Connection& connection, const Intent& intent) const;
  std::string_view principal_of(const Connection& connection, const DynamicAuthorizer& authorizer);
  void decided(std::uint64_t asking, const RouterCalls::End& end);
  void report(const Asking& asking, const RouterCalls::End& end);
  static Answer read(const RouterCalls::End& end);
  static Permission permission(const auth::Grant& grant, const Intent& intent);

  const Realms& realms_;
  ring::SessionKey session_key_;
  ring::Counters& counters_;
  AuthorizerUser& user_;
  auth::DecisionCache cache_;
  std::unordered_map<std::uint32_t, Waiter> waiters_;      // by slot
  std::unordered_map<std::uint64_t, Asking> askings_;      // by their own names
  std::unordered_map<std::string, std::uint64_t> shared_;  // by question: an asking
  std::uint64_t last_asking_ = 0;
  TimeMs now_ = 0;
  LogLimiter log_;
  std::string principal_;
};

}  // namespace ringcast::worker
