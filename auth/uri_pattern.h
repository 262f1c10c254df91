// How the patterns of authorisation rules relate to URIs and to each other (WAMP specification,
// "Pattern-based Subscriptions"). Stateless; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringcast::auth {

enum class UriMatch : std::uint8_t { exact, prefix, wildcard };

inline constexpr std::size_t kUriPatternSizeMax = 1024;  // bytes

// `uri` is an exact URI or a pattern, as `match` says. Views, valid as long as what they view.
struct UriPattern {
  std::string_view uri;
  UriMatch match = UriMatch::exact;
};

// Whether it can be a pattern at all: no white space, no '#', empty components only where the kind
// of match has them, not longer than kUriPatternSizeMax.
bool pattern_valid(UriPattern pattern);

// A prefix match is one of strings; a wildcard's empty components match any, and their number has
// to be the same.
bool pattern_matches(UriPattern pattern, std::string_view uri);

// Whether every URI that `inner` matches is matched by `outer`.
bool pattern_covers(UriPattern outer, UriPattern inner);

// Whether some URI is matched by both.
bool patterns_overlap(UriPattern a, UriPattern b);

}  // namespace ringcast::auth
