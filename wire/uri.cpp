#include "wire/uri.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ringcast::wire {
namespace {

bool ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

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
    if (c == '#' || ascii_space(c)) return false;
    if (static_cast<unsigned char>(c) >= 0x80 && unicode_space_size(component.substr(i)) != 0)
      return false;
  }
  return true;
}

// True for what nearly every URI is: visible ASCII without '#', dots only between other bytes.
// Eight bytes at a time; false says nothing.
bool plainly_loose(std::string_view uri) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHighBits = 0x80 * kOnes;
  if (uri.size() < 8 || uri.front() == '.' || uri.back() == '.') return false;
  std::uint64_t unfit = 0;       // high bit of each byte that is not plain
  std::uint64_t dot_before = 0;  // 0x80 if the byte before the word is a dot
  const auto check = [&](std::size_t at) {
    std::uint64_t word;
    std::memcpy(&word, uri.data() + at, sizeof word);
    // The sums carry into no other byte as long as no byte has its high bit set, which is unfit
    // itself.
    const std::uint64_t visible = word + (0x7F - ' ') * kOnes;
    const std::uint64_t not_hash = (word ^ '#' * kOnes) + 0x7F * kOnes;
    const std::uint64_t dots = ~((word ^ '.' * kOnes) + 0x7F * kOnes) & kHighBits;
    unfit |= word | ~visible | ~not_hash | (dots & (dots << 8 | dot_before));
    dot_before = dots >> 56;
  };
  std::size_t at = 0;
  for (; at + 8 <= uri.size(); at += 8) check(at);
  if (at < uri.size()) {
    dot_before = 0;  // the last word overlaps the one before, which has seen that pair
    check(uri.size() - 8);
  }
  return (unfit & kHighBits) == 0;
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
  if (rule == UriRule::loose && plainly_loose(uri)) return true;
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
