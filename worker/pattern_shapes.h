// What lies under a PatternIndex (worker/pattern_index.h): which patterns a URI could match is
// found without looking at the patterns. For prefixes it is enough to know which lengths they have;
// for wildcards, which components are the empty ones ("shapes"), by the number of components. Each
// length and each shape costs one look-up in a hash table.
//
// Owned and used by one worker thread; no allocation but when a new length or shape comes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "wire/message.h"

namespace ringcast::worker {

// Patterns with more components are refused, and URIs with more match no wildcard pattern; so a
// shape is one word.
inline constexpr std::size_t kWildcardComponentsMax = 64;

// Shapes of wildcard patterns with the same number of components in one realm: what bounds the work
// that a hostile set of patterns can make of one publication or call. Patterns of up to seven
// components have no more shapes than this, so they are never refused for it.
inline constexpr std::size_t kWildcardShapesMax = 128;

// Whether a URI matches a pattern (WAMP specification, "Pattern-based Subscriptions"): a prefix is
// one of the string, not of components; a wildcard pattern has as many components as the URI, and
// its empty ones match anything.
bool pattern_matches(wire::MatchPolicy match, std::string_view pattern, std::string_view uri);

// The components of a URI; at least 1.
std::size_t component_count(std::string_view uri);

// Bit 63 - i for each component i that is empty, so that the lesser of two shapes is the better
// match: where they differ first it goes on with a component of the URI, so that its portion before
// the next wildcard is longer (WAMP specification, "Pattern-based Registrations").
// REQUIRES: at most kWildcardComponentsMax components.
std::uint64_t wildcard_shape(std::string_view pattern);

// Keyed hashes, so that clients can't choose collisions. The same in all who have the seed.
class PatternHash {
 public:
  explicit PatternHash(std::uint64_t seed);

  std::uint64_t prefix(std::uint16_t realm, std::string_view pattern) const;

  // REQUIRES: at most kWildcardComponentsMax components.
  std::uint64_t wildcard(std::uint16_t realm, std::string_view pattern) const;

  // The hashes of one URI's prefixes, in ascending order of their lengths: a polynomial over its
  // bytes, seven at a time, so that all of them cost hardly more than the last. A prefix's is
  // prefix()'s.
  class Prefixes {
   public:
    Prefixes(const PatternHash& hash, std::uint16_t realm, std::string_view uri)
        : multiplier_(hash.multiplier_), uri_(uri), state_(std::uint64_t{realm} + 1) {}

    // REQUIRES: `length` is at most the URI's and not less than the one before.
    std::uint64_t next(std::size_t length);

   private:
    std::uint64_t step(std::uint64_t state, std::uint64_t word) const;
    std::uint64_t load(std::size_t size) const;

    std::uint64_t multiplier_;
    std::string_view uri_;
    std::uint64_t state_;
    std::size_t at_ = 0;  // bytes that are in the state, a multiple of 7
  };

  // The hashes that a URI shares with the patterns of each shape that match it: the sum of its
  // components' hashes without those where the wildcards stand.
  class Components {
   public:
    // REQUIRES: `count` is the URI's number of components, at most kWildcardComponentsMax.
    Components(const PatternHash& hash, std::uint16_t realm, std::string_view uri,
               std::size_t count);

    std::uint64_t masked(std::uint64_t shape) const;

   private:
    std::array<std::uint64_t, kWildcardComponentsMax> hashes_;  // the first `count` are set
    std::uint64_t sum_;
  };

 private:
  std::uint64_t component(std::size_t position, std::string_view text) const;
  // What the number of components, the realm and the shape add to the components' hashes.
  std::uint64_t base(std::uint16_t realm, std::size_t count) const;
  static std::uint64_t of_shape(std::uint64_t shape);

  std::uint64_t seed_;
  std::uint64_t multiplier_;
};

// The lengths and shapes that are in use, by realm, each with the number of its patterns.
class PatternShapes {
 public:
  struct Length {
    std::uint32_t bytes = 0;
    std::uint32_t patterns = 0;  // never 0
  };
  struct Shape {
    std::uint64_t wildcards = 0;
    std::uint32_t patterns = 0;  // never 0
  };

  void add_length(std::uint16_t realm, std::size_t bytes);
  void remove_length(std::uint16_t realm, std::size_t bytes);

  // False if there are kWildcardShapesMax others already.
  bool add_shape(std::uint16_t realm, std::size_t components, std::uint64_t wildcards);
  void remove_shape(std::uint16_t realm, std::size_t components, std::uint64_t wildcards);

  // Ascending. Valid until one is added or removed.
  std::span<const Length> lengths(std::uint16_t realm) const {
    const Realm* known = find(realm);
    return known == nullptr ? std::span<const Length>() : known->lengths;
  }

  // Ascending, so the best match first. Valid until one is added or removed.
  std::span<const Shape> shapes(std::uint16_t realm, std::size_t components) const {
    const Realm* known = find(realm);
    if (known == nullptr || components > known->shapes.size()) return {};
    return known->shapes[components - 1];
  }

 private:
  struct Realm {
    std::vector<Length> lengths;
    // By number of components, less 1; as many as the deepest pattern needs.
    std::vector<std::vector<Shape>> shapes;
  };

  const Realm* find(std::uint16_t realm) const {
    return realm < realms_.size() ? realms_[realm].get() : nullptr;
  }
  Realm& find_or_create(std::uint16_t realm);
  void drop_if_empty(std::uint16_t realm);

  std::vector<std::unique_ptr<Realm>> realms_;  // by number; null exactly while it has no pattern
};

}  // namespace ringcast::worker
