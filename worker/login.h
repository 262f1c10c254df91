// How a client comes to have a session: HELLO, CHALLENGE, AUTHENTICATE, and WELCOME or ABORT.
// Decides which realm and which authentication method, and who the session is; what a session is
// and does is the Router's.
//
// The client's methods in its order, the first that the realm offers: that one decides. Wrong
// secrets and principals that do not exist cost the same work and get the same answer after the
// same delay. Keys are derived from passwords on the worker's background thread. A session that was
// let in by a token ends when the token does.
//
// One per worker, owned by its Router, used by its thread only. What it keeps of a connection goes
// when the login is over or the connection ends (forget()).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "auth/attempt_limiter.h"
#include "ring/segment.h"
#include "wire/message.h"
#include "worker/background.h"
#include "worker/jwt_keys.h"
#include "worker/login_attempt.h"
#include "worker/options.h"
#include "worker/realms.h"
#include "worker/transport.h"

namespace ringcast::worker {

// Who has been let in, and where.
struct Admission {
  std::uint16_t realm = 0;             // its number
  std::unique_ptr<Identity> identity;  // null: anonymous
  Extra welcome_extra;                 // for WELCOME.Details.authextra
};

// Whom a Login tells what becomes of a HELLO. Each is admitted or refused, once, unless its
// connection ends before; a challenge may come first.
class LoginUser {
 public:
  virtual ~LoginUser() = default;
  virtual void on_challenged(Connection& connection, std::string_view method,
                             const Extra& extra) = 0;
  virtual void on_admitted(Connection& connection, Admission admission) = 0;
  // The session is to be aborted for `reason` (a URI), and the connection closed.
  virtual void on_refused(Connection& connection, std::string_view reason,
                          std::string_view message) = 0;
  // What the session was let in by is no longer valid: it is to end now.
  virtual void on_identity_expired(Connection& connection) = 0;
};

class Login {
 public:
  Login(ring::Segment& segment, std::uint32_t self, Transport& transport, Background& background,
        Realms& realms, const WorkerOptions& options, LoginUser& user);

  // A HELLO has come. REQUIRES: the connection has no session, and no login under way.
  void begin(Connection& connection, const wire::Hello& hello);

  // AUTHENTICATE has come. False if nothing was asked, or if it has been answered already: that
  // breaks the protocol.
  bool authenticate(Connection& connection, const wire::Authenticate& answer);

  // A session that was admitted to this realm is over. Call once for each.
  void session_ended(std::uint16_t realm);

  // The connection or its session is over: nothing of a login is kept for it.
  void forget(Connection& connection);

  // Sends the refusals that are due, ends the sessions whose token has, and looks whether keys have
  // changed. Call every turn.
  void expire(TimeMs now);
  TimeMs next_deadline() const;  // UINT64_MAX: none
  // The files of keys may have changed: reads them now rather than in a while.
  void reload_keys() { next_key_look_ms_ = 0; }

 private:
  struct Pending {
    ring::ConnectionId who;
    std::string realm;  // its name
    LoginAttempt attempt;
    bool answered = false;  // AUTHENTICATE has come; waiting for the background or the delay
    TimeMs answered_ms = 0;
    std::uint64_t background_work = 0;  // 0: none
  };
  struct Ending {
    ring::ConnectionId who;
    TimeMs at_ms = 0;
  };
  struct Refusal {
    TimeMs due_ms = 0;
    ring::ConnectionId who;
  };

  bool enter(std::uint16_t realm);
  void enter(Connection& connection, std::string_view realm, std::unique_ptr<Identity> identity,
             Extra extra);
  void refuse(Connection& connection, std::string_view reason, std::string_view message);
  bool may_try(Connection& connection, Pending& pending);
  void check_ticket(Connection& connection, Pending& pending, std::string_view ticket);
  void check_token(Connection& connection, Pending& pending, std::string_view token);
  void derived(ring::ConnectionId who, std::uint64_t work, bool matches);
  void concluded(Connection& connection, Pending& pending, const auth::Verdict& verdict);
  void admit(Connection& connection, Pending& pending, Identity identity, Extra extra);
  void deny_later(Connection& connection, Pending& pending, std::string_view why);
  void log_refusal(const Connection& connection, const Pending& pending, std::string_view why);
  void end_at(Connection& connection, std::int64_t unix_s);
  Pending* find(ring::ConnectionId who);

  void read_keys_at_start();
  void look_for_changed_keys();

  ring::Segment& segment_;
  std::uint32_t self_;
  Transport& transport_;
  Background& background_;
  Realms& realms_;
  WorkerOptions options_;
  LoginUser& user_;
  auth::Bytes32 decoy_key_;
  std::optional<auth::AttemptLimiter> limiter_;  // from the first AUTHENTICATE on
  TimeMs now_ = 0;

  std::unordered_map<std::uint32_t, Pending> pending_;  // by slot; at most one of a connection
  std::deque<Refusal> refusals_;                       // by time; what was forgotten is passed over
  std::unordered_map<std::uint32_t, Ending> endings_;  // by slot: sessions that end with a token
  std::set<std::pair<TimeMs, std::uint32_t>> endings_by_time_;  // and slot

  std::unordered_map<const Realm*, std::shared_ptr<const JwtKeySet>> keys_;  // of realms with jwt
  TimeMs next_key_look_ms_ = 0;
  bool looking_ = false;  // true exactly while the background reads the files
};

}  // namespace ringcast::worker
