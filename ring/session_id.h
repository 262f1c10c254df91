// WAMP session ids without a table: a keyed permutation of the 53 bits of a ConnectionId.
//
// Any worker finds from a session id the worker and slot to address, and by the generation whether
// it is still the same session; to a client ids look random, as the specification wants (WAMP,
// "IDs"). Values; any thread.
#pragma once

#include <array>
#include <cstdint>

#include "ring/connection_id.h"

namespace ringcast::ring {

using SessionKey = std::array<std::uint64_t, 2>;

// 1 to 2^53 - 1. `id.generation` must not be 0.
std::uint64_t session_id_of(ConnectionId id, const SessionKey& key);

// The inverse. Input from outside: any value; a generation of 0 comes back for what cannot be a
// session id.
ConnectionId connection_of_session(std::uint64_t session_id, const SessionKey& key);

}  // namespace ringcast::ring
