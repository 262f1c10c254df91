// How a client comes to have a session: HELLO to WELCOME or ABORT. Decides which realm and which
// authentication method, and who the session is; what a session is and does is the Router's.
//
// One per worker, owned by its Router, used by its thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "wire/message.h"
#include "worker/connection.h"
#include "worker/realms.h"

namespace ringcast::worker {

// Who has been let in, and where.
struct Admission {
  std::uint16_t realm = 0;             // its number
  std::unique_ptr<Identity> identity;  // null: anonymous
};

// Whom a Login tells what has become of a HELLO. Each HELLO is either admitted or refused, once,
// unless its connection ends before.
class LoginUser {
 public:
  virtual ~LoginUser() = default;
  virtual void on_admitted(Connection& connection, Admission admission) = 0;
  // The session is to be aborted for `reason` (a URI), and the connection closed.
  virtual void on_refused(Connection& connection, std::string_view reason,
                          std::string_view message) = 0;
};

class Login {
 public:
  Login(const Realms& realms, LoginUser& user) : realms_(realms), user_(user) {}

  // A HELLO has come. REQUIRES: the connection has no session, and no login under way.
  void begin(Connection& connection, const wire::Hello& hello);

 private:
  const Realms& realms_;
  LoginUser& user_;
};

}  // namespace ringcast::worker
