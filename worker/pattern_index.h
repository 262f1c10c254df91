// Prefix and wildcard patterns of URIs, and which of them a URI matches: pattern-based
// subscriptions and registrations (WAMP specification, sections of these names). Exact matches are
// not in here: a UriTable finds them.
//
// The cost of a match does not depend on how many patterns there are. It is one pass over the URI,
// a look-up for each length that prefixes of the realm have and that is not above the URI's, and
// one for each shape (which components are empty) that wildcard patterns with as many components
// have: at most 1025 (kUriSizeMax) + 128 (kWildcardShapesMax) look-ups whatever clients do, and a
// handful among patterns that people write. A trie that follows both the literal and the empty
// branch of each level would take up to 2^depth steps for a set of patterns none of which matches.
// Nothing is allocated while matching.
//
// Owned and used by one worker thread. An entry stays where it is until it is erased.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/message.h"
#include "wire/uri.h"
#include "worker/pattern_shapes.h"
#include "worker/uri_table.h"

namespace ringcast::worker {

enum class PatternInsert : std::uint8_t {
  inserted,
  present,          // it was there before
  too_deep,         // wildcard, more than kWildcardComponentsMax components
  too_many_shapes,  // wildcard, the realm has kWildcardShapesMax others of as many components
};

// For an ERROR's text: what is wrong and what to do. Empty for `inserted` and `present`.
std::string_view describe(PatternInsert outcome);

// Value is default constructible and not aligned beyond `new`'s alignment.
template <typename Value>
class PatternIndex {
 public:
  struct Entry : UriRecord<Entry> {
    Value value{};
  };

  struct Inserted {
    PatternInsert outcome = PatternInsert::inserted;
    Entry* entry = nullptr;  // null if the pattern was refused
  };

  // The seed keys the hashes: it must not be known to clients.
  explicit PatternIndex(std::uint64_t seed) : hash_(seed) {}

  std::size_t size() const { return prefixes_.size() + wildcards_.size(); }

  // The entry of exactly this pattern, null if there is none (or `match` is exact).
  Entry* find(std::uint16_t realm, wire::MatchPolicy match, std::string_view pattern) {
    if (match == wire::MatchPolicy::prefix)
      return prefixes_.find({hash_.prefix(realm, pattern), realm, pattern, match});
    if (match != wire::MatchPolicy::wildcard || component_count(pattern) > kWildcardComponentsMax)
      return nullptr;
    return wildcards_.find({hash_.wildcard(realm, pattern), realm, pattern, match});
  }

  // REQUIRES: `match` is prefix or wildcard; wire::uri_valid() holds, so the pattern has at most
  // wire::kUriSizeMax bytes.
  Inserted insert(std::uint16_t realm, wire::MatchPolicy match, std::string_view pattern);

  // REQUIRES: the entry is in this index.
  void erase(Entry& entry);

  // Calls `visit(entry)` for every pattern that the URI matches: prefixes from the shortest to the
  // longest, then wildcards from the best to the least (see best()). `visit` may not insert or
  // erase.
  template <typename Visit>
  void match(std::uint16_t realm, std::string_view uri, Visit visit) {
    if (prefixes_.size() != 0) match_prefixes(realm, uri, visit);
    if (wildcards_.size() != 0) {
      match_wildcards(realm, uri, [&visit](Entry& entry) {
        visit(entry);
        return true;
      });
    }
  }

  // The one registration that a call goes to where no exact one is, null if no pattern matches: the
  // longest prefix; else the wildcard pattern with the longest portion of components before its
  // first wildcard, among equals before its second, and so on (WAMP specification, "Pattern-based
  // Registrations", "Calls matching multiple registrations"). No two patterns are equal in this.
  Entry* best(std::uint16_t realm, std::string_view uri) {
    Entry* found = nullptr;
    if (prefixes_.size() != 0)
      match_prefixes(realm, uri, [&found](Entry& entry) { found = &entry; });
    if (found == nullptr && wildcards_.size() != 0) {
      match_wildcards(realm, uri, [&found](Entry& entry) {
        found = &entry;
        return false;
      });
    }
    return found;
  }

  // `visit` may not insert or erase.
  template <typename Visit>
  void for_each(Visit visit) {
    prefixes_.for_each(visit);
    wildcards_.for_each(visit);
  }

 private:
  template <typename Visit>
  void match_prefixes(std::uint16_t realm, std::string_view uri, Visit visit);
  // Until `visit` returns false.
  template <typename Visit>
  void match_wildcards(std::uint16_t realm, std::string_view uri, Visit visit);

  PatternHash hash_;
  PatternShapes shapes_;  // of what is in the two tables
  UriTable<Entry> prefixes_;
  UriTable<Entry> wildcards_;
};

template <typename Value>
typename PatternIndex<Value>::Inserted PatternIndex<Value>::insert(std::uint16_t realm,
                                                                   wire::MatchPolicy match,
                                                                   std::string_view pattern) {
  assert(match != wire::MatchPolicy::exact && pattern.size() <= wire::kUriSizeMax);
  if (Entry* entry = find(realm, match, pattern)) return {PatternInsert::present, entry};
  Entry* entry = nullptr;
  if (match == wire::MatchPolicy::prefix) {
    shapes_.add_length(realm, pattern.size());
    entry = &prefixes_.insert({hash_.prefix(realm, pattern), realm, pattern, match});
  } else {
    const std::size_t components = component_count(pattern);
    if (components > kWildcardComponentsMax) return {PatternInsert::too_deep, nullptr};
    if (!shapes_.add_shape(realm, components, wildcard_shape(pattern)))
      return {PatternInsert::too_many_shapes, nullptr};
    entry = &wildcards_.insert({hash_.wildcard(realm, pattern), realm, pattern, match});
  }
  return {PatternInsert::inserted, entry};
}

template <typename Value>
void PatternIndex<Value>::erase(Entry& entry) {
  const std::string_view pattern = entry.uri();
  if (entry.match == wire::MatchPolicy::prefix) {
    shapes_.remove_length(entry.realm, pattern.size());
    prefixes_.erase(entry);
  } else {
    shapes_.remove_shape(entry.realm, component_count(pattern), wildcard_shape(pattern));
    wildcards_.erase(entry);
  }
}

template <typename Value>
template <typename Visit>
void PatternIndex<Value>::match_prefixes(std::uint16_t realm, std::string_view uri, Visit visit) {
  PatternHash::Prefixes hashes(hash_, realm, uri);
  for (const PatternShapes::Length& length : shapes_.lengths(realm)) {
    if (length.bytes > uri.size()) return;
    const TopicKey key{hashes.next(length.bytes), realm, uri.substr(0, length.bytes),
                       wire::MatchPolicy::prefix};
    if (Entry* entry = prefixes_.find(key)) visit(*entry);
  }
}

template <typename Value>
template <typename Visit>
void PatternIndex<Value>::match_wildcards(std::uint16_t realm, std::string_view uri, Visit visit) {
  const std::size_t components = component_count(uri);
  const auto shapes = shapes_.shapes(realm, components);
  if (shapes.empty()) return;
  const PatternHash::Components hashes(hash_, realm, uri, components);
  for (const PatternShapes::Shape& shape : shapes) {
    Entry* entry =
        wildcards_.find_if(hashes.masked(shape.wildcards), [realm, uri](const Entry& candidate) {
          return candidate.realm == realm &&
                 pattern_matches(wire::MatchPolicy::wildcard, candidate.uri(), uri);
        });
    if (entry != nullptr && !visit(*entry)) return;
  }
}

}  // namespace ringcast::worker
