#include "ring/session_id.h"

#include <cassert>

namespace ringcast::ring {
namespace {

constexpr unsigned kHalfBits = 27;
constexpr std::uint64_t kHalfMask = (std::uint64_t{1} << kHalfBits) - 1;
constexpr std::uint64_t kDomainEnd = std::uint64_t{1} << kConnectionIdBits;
constexpr unsigned kRounds = 6;

std::uint64_t round_function(std::uint64_t half, unsigned round, const SessionKey& key) {
  std::uint64_t x = half + key[round % 2] + 0x9E3779B97F4A7C15u * (round + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return (x ^ (x >> 31)) & kHalfMask;
}

// A Feistel network over 54 bits, the next even number.
std::uint64_t forward(std::uint64_t value, const SessionKey& key) {
  std::uint64_t left = value >> kHalfBits;
  std::uint64_t right = value & kHalfMask;
  for (unsigned round = 0; round < kRounds; ++round) {
    const std::uint64_t next = left ^ round_function(right, round, key);
    left = right;
    right = next;
  }
  return (left << kHalfBits) | right;
}

std::uint64_t backward(std::uint64_t value, const SessionKey& key) {
  std::uint64_t left = value >> kHalfBits;
  std::uint64_t right = value & kHalfMask;
  for (unsigned round = kRounds; round-- > 0;) {
    const std::uint64_t previous = right ^ round_function(left, round, key);
    right = left;
    left = previous;
  }
  return (left << kHalfBits) | right;
}

bool in_domain(std::uint64_t value) { return value != 0 && value < kDomainEnd; }

}  // namespace

// Cycle walking: a permutation of 54 bits applied until it falls into 1 … 2^53 - 1 is a permutation
// of that range. It ends, because the walk follows a cycle on which the start, itself in the range,
// lies.
std::uint64_t session_id_of(ConnectionId id, const SessionKey& key) {
  assert(id.generation != 0);
  std::uint64_t value = id.packed();
  do {
    value = forward(value, key);
  } while (!in_domain(value));
  return value;
}

ConnectionId connection_of_session(std::uint64_t session_id, const SessionKey& key) {
  if (!in_domain(session_id)) return {};
  std::uint64_t value = session_id;
  do {
    value = backward(value, key);
  } while (!in_domain(value));
  return ConnectionId::from_packed(value);
}

}  // namespace ringcast::ring
