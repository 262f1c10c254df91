// The WAMP session of one connection. Data only; worker/router.h says what happens to it. Its id is
// not kept: it follows from the connection's name (ring/session_id.h). Owned by its connection,
// used by that connection's worker thread.
#pragma once

#include <cstdint>
#include <memory>

#include "worker/identity.h"
#include "worker/memberships.h"

namespace ringcast::worker {

struct Session {
  enum class State : std::uint8_t {
    awaiting_hello,
    authenticating,  // CHALLENGE was sent (worker/login.h)
    established,
    killed,  // our GOODBYE is sent: everything but the peer's is ignored
    ended,   // GOODBYE was exchanged; another HELLO may follow
  };
  Memberships memberships;
  std::unique_ptr<Identity> identity;  // null: anonymous
  std::uint64_t last_request = 0;      // the peer's last request id; 0: none yet
  // SUBSCRIBEs of this transport that wait for a home worker, those of earlier sessions on it
  // included.
  std::uint32_t subscribes_pending = 0;
  std::uint16_t realm = 0;  // its number (worker/realms.h)
  State state = State::awaiting_hello;
  // Its role may do everything. Otherwise, and before it has one, the Authorizer is asked.
  bool unrestricted : 1 = false;
  // Of what it announced as a callee.
  bool understands_interrupt : 1 = false;
  bool understands_timeout : 1 = false;
  bool understands_registration_revocation : 1 = false;
  // And as a subscriber.
  bool understands_subscription_revocation : 1 = false;
  // Of what it does as a caller (worker/client_quirks.h).
  bool forgets_canceled_calls : 1 = false;
};
static_assert(sizeof(Session) == 48, "part of every connection");

}  // namespace ringcast::worker
