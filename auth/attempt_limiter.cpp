#include "auth/attempt_limiter.h"

#include <algorithm>
#include <bit>
#include <cstdio>

namespace ringcast::auth {
namespace {

std::uint64_t mix(std::uint64_t x) {
  // The finalizer of SplitMix64: every bit of the input reaches every bit of the output.
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

}  // namespace

AddressKey ipv4_key(std::span<const std::uint8_t, 4> address) {
  std::uint64_t bits = 0;
  for (const std::uint8_t byte : address) bits = bits << 8 | byte;
  // Beyond it are the first 32 bits of an IPv6 address: 0000:0001 is nobody's.
  return std::uint64_t{1} << 32 | bits;
}

AddressKey ipv6_key(std::span<const std::uint8_t, 16> address) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(kMapped.begin(), kMapped.end(), address.begin()))
    return ipv4_key(address.subspan<12, 4>());
  std::uint64_t bits = 0;
  for (const std::uint8_t byte : address.first<8>()) bits = bits << 8 | byte;
  return bits;
}

std::string address_text(AddressKey address) {
  std::array<char, 32> text{};
  const auto part = [address](unsigned shift, unsigned mask) {
    return static_cast<unsigned>(address >> shift) & mask;
  };
  if (address >> 32 == 1) {
    std::snprintf(text.data(), text.size(), "%u.%u.%u.%u", part(24, 0xFF), part(16, 0xFF),
                  part(8, 0xFF), part(0, 0xFF));
  } else {
    std::snprintf(text.data(), text.size(), "%x:%x:%x:%x::/64", part(48, 0xFFFF), part(32, 0xFFFF),
                  part(16, 0xFFFF), part(0, 0xFFFF));
  }
  return text.data();
}

AttemptLimiter::AttemptLimiter(const Options& options, std::array<std::uint64_t, 2> hash_key)
    : burst_ms_(std::uint64_t{std::max(options.burst, 1u) - 1} * std::max(options.interval_ms, 1u)),
      interval_ms_(std::max(options.interval_ms, 1u)),
      hash_key_(hash_key),
      entries_(std::bit_ceil(std::max(options.entries, kWays))) {}

std::span<AttemptLimiter::Entry, AttemptLimiter::kWays> AttemptLimiter::places(AddressKey address) {
  const std::uint64_t hash = mix(mix(address ^ hash_key_[0]) ^ hash_key_[1]);
  const std::size_t set = hash & (entries_.size() / kWays - 1);
  return std::span<Entry, kWays>(entries_.data() + set * kWays, kWays);
}

std::uint64_t AttemptLimiter::begin(AddressKey address, std::uint64_t now_ms) {
  const auto set = places(address);
  auto entry = std::find_if(set.begin(), set.end(), [&](const Entry& one) {
    return one.address == address && one.paid_ms > now_ms;
  });
  if (entry == set.end()) {
    entry = std::min_element(set.begin(), set.end(),
                             [](const Entry& a, const Entry& b) { return a.paid_ms < b.paid_ms; });
    if (entry->paid_ms > now_ms) ++forgotten_;
    *entry = {address, now_ms};
  }
  const std::uint64_t debt_ms = entry->paid_ms - now_ms;
  if (debt_ms > burst_ms_) return debt_ms - burst_ms_;
  entry->paid_ms += interval_ms_;
  return 0;
}

void AttemptLimiter::succeeded(AddressKey address, std::uint64_t now_ms) {
  for (Entry& entry : places(address)) {
    if (entry.address != address || entry.paid_ms <= now_ms) continue;
    entry.paid_ms -= std::min(interval_ms_, entry.paid_ms - now_ms);
    return;
  }
}

}  // namespace ringcast::auth
