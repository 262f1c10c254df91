// The address that a connection comes from, as attempts to log in are limited by it. Stateless; any
// thread.
#pragma once

#include "auth/attempt_limiter.h"

namespace ringcast::worker {

// Of the peer of a connected socket; 0 if it has none, such as one that is gone already.
auth::AddressKey peer_address(int fd);

}  // namespace ringcast::worker
