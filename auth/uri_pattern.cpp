#include "auth/uri_pattern.h"

#include <algorithm>
#include <utility>

namespace ringcast::auth {
namespace {

// The components of a URI, one after the other.
class Components {
 public:
  explicit Components(std::string_view uri) : rest_(uri) {}

  bool done() const { return done_; }
  std::string_view next() {
    const std::size_t dot = rest_.find('.');
    const std::string_view component = rest_.substr(0, dot);
    done_ = dot == std::string_view::npos;
    rest_.remove_prefix(done_ ? rest_.size() : dot + 1);
    return component;
  }

 private:
  std::string_view rest_;
  bool done_ = false;
};

// Compares component by component; `fit` says whether two may stand for one another.
template <class Fit>
bool same_shape(std::string_view a, std::string_view b, Fit fit) {
  Components left(a);
  Components right(b);
  for (;;) {
    if (!fit(left.next(), right.next())) return false;
    if (left.done() || right.done()) return left.done() && right.done();
  }
}

bool wildcard_matches(std::string_view pattern, std::string_view uri) {
  return same_shape(pattern, uri, [](std::string_view own, std::string_view other) {
    return own.empty() || own == other;
  });
}

// What every URI that the wildcard matches begins with.
std::string_view literal_start(std::string_view wildcard) {
  if (wildcard.starts_with('.')) return {};
  const std::size_t gap = wildcard.find("..");
  if (gap != std::string_view::npos) return wildcard.substr(0, gap + 1);
  return wildcard;  // all literal, or only the last component is empty: its dot is literal
}

// Whether a URI that the wildcard matches can begin with `prefix`.
bool prefix_meets_wildcard(std::string_view prefix, std::string_view wildcard) {
  Components start(prefix);
  Components pattern(wildcard);
  for (;;) {
    const std::string_view have = start.next();
    const std::string_view want = pattern.next();
    if (start.done()) return want.empty() || want.starts_with(have);
    if (!want.empty() && want != have) return false;
    if (pattern.done()) return false;  // the prefix has more components
  }
}

// A wildcard without an empty component matches one URI, as an exact pattern does.
UriPattern plain(UriPattern pattern) {
  const std::string_view uri = pattern.uri;
  const bool gaps = uri.empty() || uri.starts_with('.') || uri.ends_with('.') ||
                    uri.find("..") != std::string_view::npos;
  if (pattern.match == UriMatch::wildcard && !gaps) pattern.match = UriMatch::exact;
  return pattern;
}

bool foreign(char c) { return c == '#' || c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

}  // namespace

bool pattern_valid(UriPattern pattern) {
  const std::string_view uri = pattern.uri;
  if (uri.size() > kUriPatternSizeMax || std::any_of(uri.begin(), uri.end(), foreign)) return false;
  if (pattern.match == UriMatch::wildcard) return true;
  Components components(uri);
  while (!components.done()) {
    const bool empty = components.next().empty();
    if (empty && !(pattern.match == UriMatch::prefix && components.done())) return false;
  }
  return true;
}

bool pattern_matches(UriPattern pattern, std::string_view uri) {
  switch (pattern.match) {
    case UriMatch::exact:
      return pattern.uri == uri;
    case UriMatch::prefix:
      return uri.starts_with(pattern.uri);
    case UriMatch::wildcard:
      return wildcard_matches(pattern.uri, uri);
  }
  return false;
}

bool pattern_covers(UriPattern outer, UriPattern inner) {
  inner = plain(inner);
  if (inner.match == UriMatch::exact) return pattern_matches(outer, inner.uri);
  switch (outer.match) {
    case UriMatch::exact:
      return false;
    case UriMatch::prefix:
      return inner.match == UriMatch::prefix ? inner.uri.starts_with(outer.uri)
                                             : literal_start(inner.uri).starts_with(outer.uri);
    case UriMatch::wildcard:
      // A prefix matches URIs of any number of components.
      return inner.match == UriMatch::wildcard && wildcard_matches(outer.uri, inner.uri);
  }
  return false;
}

bool patterns_overlap(UriPattern a, UriPattern b) {
  a = plain(a);
  b = plain(b);
  if (a.match == UriMatch::exact) return pattern_matches(b, a.uri);
  if (b.match == UriMatch::exact) return pattern_matches(a, b.uri);
  if (a.match == UriMatch::wildcard && b.match == UriMatch::wildcard) {
    return same_shape(a.uri, b.uri, [](std::string_view one, std::string_view other) {
      return one.empty() || other.empty() || one == other;
    });
  }
  if (a.match == UriMatch::wildcard) std::swap(a, b);
  if (b.match == UriMatch::wildcard) return prefix_meets_wildcard(a.uri, b.uri);
  return a.uri.starts_with(b.uri) || b.uri.starts_with(a.uri);
}

}  // namespace ringcast::auth
