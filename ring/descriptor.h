// What travels through a ring between two workers: one cache line that says what it is, whom it is
// for, and where its frame lies. Trivially copyable; written by the producer, read by the consumer,
// who believes none of it before descriptor_intact() and its own bounds checks have passed.
#pragma once

#include <cstdint>
#include <type_traits>

namespace ringcast::ring {

enum class DescriptorKind : std::uint16_t {
  none = 0,
  publication = 1,  // frame: a publication; fan out to the consumer's subscribers of topic_hash
  // to a home worker. frame: the URI; reserved: match policy; token: given back in the reply
  subscribe_request = 2,
  // from a home worker. target: who asked; argument: subscription id, 0 refused
  subscribe_reply = 3,
  // to a home worker: the producer holds the subscription `argument` no more; target: the session
  // that was the last to leave it
  unsubscribe_notice = 4,
  // to a restarted home worker. frame: the URI; reserved: match policy; argument: subscription id
  // held
  announce = 5,
  announce_done = 6,  // to a restarted home worker: every announcement has been made
  // Questions between workers (worker/queries.h). argument: QueryKind; frame: the request
  query = 7,
  query_reply = 8,  // argument: QueryResult; frame: the reply; token: the question's
  // Retained events (worker/retention.h). token: the asking worker's name for it
  retained_request = 9,  // to who may have some. frame: what is asked for
  retained_page = 10,    // from it. frame: some of them
  // to a home worker, if anybody wants to know. argument: subscription; target: the session that
  // has joined or left; token: MembershipChange
  subscriber_notice = 11,

  // Calls (worker/rpc_router.h). realm: whose dealer; target: the session concerned, packed.
  // To the dealer's worker:
  register_request = 16,   // frame: the URI; argument, reserved: terms; token: for the reply
  unregister_notice = 17,  // argument: registration
  call = 18,               // frame: the call; token: the caller's request
  call_cancel = 19,        // token: the caller's request; argument: mode
  call_outcome = 20,   // frame: what the callee says; token: the dealer's name; argument: Outcome
  dealing_ended = 21,  // the session is gone
  announce_registration = 22,  // after a restart. frame: the URI; argument: registration; token,
                               // reserved: terms; topic_hash: order
  announce_registrations_done = 23,
  // From it:
  register_reply = 24,  // argument: registration, 0: refused, the frame says why; topic_hash: order
  invocation = 25,      // frame: the call; argument: registration; token: the dealer's name;
                        // reserved: flags
  call_interrupt = 26,  // token: the dealer's name; argument: mode
  call_answer = 27,     // frame: what the callee says; token: the caller's request
  call_refusal = 28,    // frame: URI, line end, message; token: the caller's request
  registration_revoked = 29,  // frame: the reason; argument: registration
};

// 64 bytes, on a cache line of its own: Boost's queue puts its slots right behind the read index,
// and the alignment keeps slot 0 off that line.
struct alignas(64) Descriptor {
  std::uint32_t check = 0;  // descriptor_check() of the rest, written last
  DescriptorKind kind = DescriptorKind::none;
  std::uint16_t realm = 0;           // index of the realm in the configuration
  std::uint32_t consumer_epoch = 0;  // the incarnation of the consumer it was meant for
  std::uint32_t argument = 0;
  std::uint64_t target = 0;  // ConnectionId, packed
  std::uint64_t token = 0;
  std::uint64_t topic_hash = 0;
  std::uint64_t frame = 0;       // offset in the producer's arena
  std::uint32_t frame_size = 0;  // bytes; 0: no frame
  std::uint32_t reserved = 0;
};
static_assert(sizeof(Descriptor) == 64 && alignof(Descriptor) == 64);
static_assert(std::is_trivially_copyable_v<Descriptor>);

__extension__ using Uint128 = unsigned __int128;  // both compilers have it, ISO C++ does not

// Folds every field but `check`. It tells a torn or scribbled descriptor from a good one; it is no
// protection against a worker that lies on purpose, which is trusted code.
inline std::uint32_t descriptor_check(const Descriptor& d) {
  auto fold = [](std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<Uint128>(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD6E8FEB86659FD93u);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  const std::uint64_t head = (std::uint64_t{static_cast<std::uint16_t>(d.kind)} << 48) |
                             (std::uint64_t{d.realm} << 32) | d.consumer_epoch;
  const std::uint64_t tail = (std::uint64_t{d.frame_size} << 32) | d.argument;
  const std::uint64_t mixed = fold(head, d.target) ^ fold(d.token, d.topic_hash) ^
                              (fold(d.frame, tail) << 1) ^ d.reserved * 0x9E3779B97F4A7C15u;
  return static_cast<std::uint32_t>(mixed ^ (mixed >> 32));
}

inline void seal(Descriptor& d) { d.check = descriptor_check(d); }
inline bool descriptor_intact(const Descriptor& d) { return d.check == descriptor_check(d); }

}  // namespace ringcast::ring
