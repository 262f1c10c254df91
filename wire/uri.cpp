#include "wire/uri.h"

#include <cstddef>

namespace ringcast::wire {
namespace {

constexpr std::string_view kAsciiSpace = "\t\n\v\f\r ";

// Length in bytes of the white space beyond ASCII (Unicode property White_Space) that `text` begins
// with, 0 if it begins with none.
std::size_t unicode_space_size(std::string_view text) {
  if (text.starts_with("\xC2\x85") || text.starts_with("\xC2\xA0")) return 2;
  if (text.size() < 3) return 0;
  const auto last = static_cast<unsigned char>(text[2]);
  const bool space = text.starts_with("\xE1\x9A\x80") ||  // U+1680
                     (text.starts_with("\xE2\x80") &&
                      ((last >= 0x80 && last <= 0x8A) ||                  // U+2000 to 200A
                       last == 0xA8 || last == 0xA9 || last == 0xAF)) ||  // 2028, 2029, 202F
                     text.starts_with("\xE2\x81\x9F") ||                  // U+205F
                     text.starts_with("\xE3\x80\x80");                    // U+3000
  return space ? 3 : 0;
}

bool loose_component(std::string_view component) {
  for (std::size_t i = 0; i < component.size(); ++i) {
    const char c = component[i];
    if (c == '#' || kAsciiSpace.find(c) != std::string_view::npos) return false;
    if (static_cast<unsigned char>(c) >= 0x80 && unicode_space_size(component.substr(i)) != 0)
      return false;
  }
  return true;
}

bool strict_component(std::string_view component) {
  for (const char c : component) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return true;
}

}  // namespace

bool uri_valid(std::string_view uri, UriRule rule, MatchPolicy match) {
  if (uri.size() > kUriSizeMax) return false;
  for (;;) {
    const std::size_t dot = uri.find('.');
    const bool last = dot == std::string_view::npos;
    const std::string_view component = uri.substr(0, dot);
    const bool may_be_empty =
        match == MatchPolicy::wildcard || (match == MatchPolicy::prefix && last);
    if (component.empty() && !may_be_empty) return false;
    if (!(rule == UriRule::strict ? strict_component(component) : loose_component(component)))
      return false;
    if (last) return true;
    uri.remove_prefix(dot + 1);
  }
}

bool uri_reserved(std::string_view uri) { return uri == "wamp" || uri.starts_with("wamp."); }

}  // namespace ringcast::wire
