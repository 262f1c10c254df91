#include "worker/pattern_shapes.h"

#define XXH_INLINE_ALL  // components are short: no call for each
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace ringcast::worker {
namespace {

__extension__ using Uint128 = unsigned __int128;  // both compilers have it, ISO C++ does not

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;  // the field of the polynomial
constexpr std::size_t kWordBytes = 7;                           // so that a word is below kPrime
constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15u;

// SplitMix64's finalizer.
std::uint64_t mix(std::uint64_t word) {
  word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9u;
  word = (word ^ word >> 27) * 0x94D049BB133111EBu;
  return word ^ word >> 31;
}

std::uint64_t bit_of(std::size_t component) { return std::uint64_t{1} << (63 - component); }

// Calls `visit(position, component)` for each component.
template <typename Visit>
void for_each_component(std::string_view uri, Visit visit) {
  for (std::size_t position = 0;; ++position) {
    const std::size_t dot = uri.find('.');
    visit(position, uri.substr(0, dot));
    if (dot == std::string_view::npos) return;
    uri.remove_prefix(dot + 1);
  }
}

bool wildcard_matches(std::string_view pattern, std::string_view uri) {
  for (;;) {
    const std::size_t pattern_dot = pattern.find('.');
    const std::size_t uri_dot = uri.find('.');
    const std::string_view component = pattern.substr(0, pattern_dot);
    if (!component.empty() && component != uri.substr(0, uri_dot)) return false;
    const bool pattern_ends = pattern_dot == std::string_view::npos;
    const bool uri_ends = uri_dot == std::string_view::npos;
    if (pattern_ends || uri_ends) return pattern_ends && uri_ends;
    pattern.remove_prefix(pattern_dot + 1);
    uri.remove_prefix(uri_dot + 1);
  }
}

}  // namespace

bool pattern_matches(wire::MatchPolicy match, std::string_view pattern, std::string_view uri) {
  switch (match) {
    case wire::MatchPolicy::unknown:
      break;
    case wire::MatchPolicy::exact:
      return uri == pattern;
    case wire::MatchPolicy::prefix:
      return uri.starts_with(pattern);
    case wire::MatchPolicy::wildcard:
      return wildcard_matches(pattern, uri);
  }
  return false;
}

std::size_t component_count(std::string_view uri) {
  return 1 + static_cast<std::size_t>(std::count(uri.begin(), uri.end(), '.'));
}

std::uint64_t wildcard_shape(std::string_view pattern) {
  std::uint64_t shape = 0;
  for_each_component(pattern, [&](std::size_t position, std::string_view text) {
    if (text.empty()) shape |= bit_of(position);
  });
  return shape;
}

// ---- Hashes ----

PatternHash::PatternHash(std::uint64_t seed)
    : seed_(seed), multiplier_((mix(seed + kGolden) & kPrime) | 2) {
  static_assert(kPrime >> 60 == 1, "two of its numbers multiply within 122 bits");
}

std::uint64_t PatternHash::prefix(std::uint16_t realm, std::string_view pattern) const {
  return Prefixes(*this, realm, pattern).next(pattern.size());
}

std::uint64_t PatternHash::Prefixes::step(std::uint64_t state, std::uint64_t word) const {
  const Uint128 product = Uint128{state} * multiplier_;
  const std::uint64_t sum = (static_cast<std::uint64_t>(product) & kPrime) +
                            static_cast<std::uint64_t>(product >> 61) + word;
  return (sum & kPrime) + (sum >> 61);
}

// `size` bytes, at most 7, from where the state ends.
std::uint64_t PatternHash::Prefixes::load(std::size_t size) const {
  std::uint64_t word = 0;
  if (at_ + sizeof word <= uri_.size()) {
    std::memcpy(&word, uri_.data() + at_, sizeof word);
    return word & ((std::uint64_t{1} << 8 * size) - 1);
  }
  if (size != 0) std::memcpy(&word, uri_.data() + at_, size);
  return word;
}

// The last word has a 1 behind its bytes, and may have no bytes; so no two prefixes are the same
// polynomial. The realm is its leading coefficient.
std::uint64_t PatternHash::Prefixes::next(std::size_t length) {
  assert(length >= at_ && length <= uri_.size());
  for (; length - at_ >= kWordBytes; at_ += kWordBytes) state_ = step(state_, load(kWordBytes));
  const std::size_t rest = length - at_;
  const std::uint64_t value = step(state_, load(rest) | std::uint64_t{1} << 8 * rest);
  // Spread over all bits of a word: tables take the place from the low ones and a tag from the
  // high.
  const std::uint64_t spread = value * kGolden;
  return spread ^ spread >> 32;
}

std::uint64_t PatternHash::component(std::size_t position, std::string_view text) const {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed_ + (position + 1) * kGolden);
}

std::uint64_t PatternHash::base(std::uint16_t realm, std::size_t count) const {
  return mix(seed_ ^ (std::uint64_t{realm} << 32 | count));
}

std::uint64_t PatternHash::of_shape(std::uint64_t shape) { return mix(shape); }

std::uint64_t PatternHash::wildcard(std::uint16_t realm, std::string_view pattern) const {
  std::uint64_t sum = base(realm, component_count(pattern));
  for_each_component(pattern, [&](std::size_t position, std::string_view text) {
    if (!text.empty()) sum += component(position, text);
  });
  return sum + of_shape(wildcard_shape(pattern));
}

PatternHash::Components::Components(const PatternHash& hash, std::uint16_t realm,
                                    std::string_view uri, std::size_t count)
    : sum_(hash.base(realm, count)) {
  assert(count <= hashes_.size());
  for_each_component(uri, [&](std::size_t position, std::string_view text) {
    hashes_[position] = hash.component(position, text);
    sum_ += hashes_[position];
  });
}

std::uint64_t PatternHash::Components::masked(std::uint64_t shape) const {
  std::uint64_t sum = sum_ + of_shape(shape);
  for (std::uint64_t rest = shape; rest != 0;) {
    const auto position = static_cast<std::size_t>(std::countl_zero(rest));
    sum -= hashes_[position];
    rest &= ~bit_of(position);
  }
  return sum;
}

// ---- Lengths and shapes in use ----

PatternShapes::Realm& PatternShapes::find_or_create(std::uint16_t realm) {
  if (realm >= realms_.size()) realms_.resize(std::size_t{realm} + 1);
  if (!realms_[realm]) realms_[realm] = std::make_unique<Realm>();
  return *realms_[realm];
}

void PatternShapes::drop_if_empty(std::uint16_t realm) {
  auto& shapes = realms_[realm]->shapes;
  while (!shapes.empty() && shapes.back().empty()) shapes.pop_back();
  if (shapes.empty() && realms_[realm]->lengths.empty()) realms_[realm].reset();
}

void PatternShapes::add_length(std::uint16_t realm, std::size_t bytes) {
  auto& lengths = find_or_create(realm).lengths;
  const auto at = std::lower_bound(lengths.begin(), lengths.end(), bytes,
                                   [](const Length& l, std::size_t b) { return l.bytes < b; });
  if (at != lengths.end() && at->bytes == bytes) {
    ++at->patterns;
  } else {
    lengths.insert(at, {static_cast<std::uint32_t>(bytes), 1});
  }
}

void PatternShapes::remove_length(std::uint16_t realm, std::size_t bytes) {
  auto& lengths = find_or_create(realm).lengths;
  const auto at = std::lower_bound(lengths.begin(), lengths.end(), bytes,
                                   [](const Length& l, std::size_t b) { return l.bytes < b; });
  assert(at != lengths.end() && at->bytes == bytes);
  if (--at->patterns != 0) return;
  lengths.erase(at);
  drop_if_empty(realm);
}

bool PatternShapes::add_shape(std::uint16_t realm, std::size_t components,
                              std::uint64_t wildcards) {
  assert(components >= 1 && components <= kWildcardComponentsMax);
  auto& by_components = find_or_create(realm).shapes;
  if (by_components.size() < components) by_components.resize(components);
  auto& of_count = by_components[components - 1];
  const auto at = std::lower_bound(of_count.begin(), of_count.end(), wildcards,
                                   [](const Shape& s, std::uint64_t w) { return s.wildcards < w; });
  if (at != of_count.end() && at->wildcards == wildcards) {
    ++at->patterns;
    return true;
  }
  if (of_count.size() >= kWildcardShapesMax) return false;
  of_count.insert(at, {wildcards, 1});
  return true;
}

void PatternShapes::remove_shape(std::uint16_t realm, std::size_t components,
                                 std::uint64_t wildcards) {
  auto& of_count = find_or_create(realm).shapes.at(components - 1);
  const auto at = std::lower_bound(of_count.begin(), of_count.end(), wildcards,
                                   [](const Shape& s, std::uint64_t w) { return s.wildcards < w; });
  assert(at != of_count.end() && at->wildcards == wildcards);
  if (--at->patterns != 0) return;
  of_count.erase(at);
  drop_if_empty(realm);
}

}  // namespace ringcast::worker
