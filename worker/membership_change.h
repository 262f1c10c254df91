// What becomes of a registration or subscription by what one session does (WAMP, "Registration Meta
// Events", "Subscription Meta Events"). Values; any thread.
#pragma once

#include <cstdint>

namespace ringcast::worker {

// A first session creates it and then joins; the last one leaves, and it is deleted.
enum class MembershipChange : std::uint8_t { created, joined, left, deleted };
inline constexpr std::uint8_t kMembershipChanges = 4;

}  // namespace ringcast::worker
