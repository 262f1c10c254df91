// How often an address may try to authenticate. Each attempt is charged when it begins and given
// back when it succeeds, so attempts side by side gain nothing, and whoever logs in well is never
// limited. After `burst` failures the rest have to wait `interval_ms` each.
//
// Fixed memory: 16 bytes an entry, taken once. An entry is an address in debt; one whose debt has
// run out is free. Where all eight places an address may have are taken by others in debt, the one
// with the least debt is forgotten: so whoever tries hardest is remembered longest, and an attacker
// who wants to be forgotten needs many addresses that all fail more than his. Places are found by a
// keyed hash: nobody can choose addresses that meet in one place.
//
// One owner, one thread: each worker has its own. Time is a parameter, in milliseconds of any clock
// that never runs backwards.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ringcast::auth {

// What is limited as one: an IPv4 address, or the /64 that one customer has of IPv6. An IPv4
// address in an IPv6 socket (::ffff:0:0/96) is the IPv4 address.
using AddressKey = std::uint64_t;
AddressKey ipv4_key(std::span<const std::uint8_t, 4> address);
AddressKey ipv6_key(std::span<const std::uint8_t, 16> address);
// "192.0.2.1", "2001:db8:0:1::/64".
std::string address_text(AddressKey address);

class AttemptLimiter {
 public:
  struct Options {
    std::size_t entries = 16'384;        // rounded up to a power of two, at least 8
    std::uint32_t burst = 10;            // failures at once, at least 1
    std::uint32_t interval_ms = 10'000;  // for each after that, at least 1
  };

  // `hash_key` from random_bytes.
  AttemptLimiter(const Options& options, std::array<std::uint64_t, 2> hash_key);

  // Charges an attempt and answers 0; or charges nothing and answers for how many milliseconds none
  // may begin.
  std::uint64_t begin(AddressKey address, std::uint64_t now_ms);

  // Gives back what begin() charged for an attempt that proved to be rightful. One that was left
  // unfinished, by whomever, stays charged.
  void succeeded(AddressKey address, std::uint64_t now_ms);

  // How often an address in debt was forgotten for another's sake: above 0, take more entries.
  std::uint64_t forgotten() const { return forgotten_; }

 private:
  static constexpr std::size_t kWays = 8;

  // The address owes until paid_ms: interval_ms for each failure. Free if that has passed.
  struct Entry {
    AddressKey address = 0;
    std::uint64_t paid_ms = 0;
  };

  std::span<Entry, kWays> places(AddressKey address);

  std::uint64_t burst_ms_;  // the debt with which an attempt may still begin
  std::uint64_t interval_ms_;
  std::array<std::uint64_t, 2> hash_key_;
  std::vector<Entry> entries_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace ringcast::auth
