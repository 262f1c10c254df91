#include "wire/utf8.h"

#include <cstddef>
#include <cstring>

namespace ringcast::wire {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080u;

const unsigned char* skip_ascii(const unsigned char* at, const unsigned char* end) {
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    if ((word & kHighBits) != 0) break;
    at += 8;
  }
  while (at != end && *at < 0x80) ++at;
  return at;
}

// What a lead byte asks for. The range bounds the first continuation byte only: that is where
// overlong forms, surrogates and code points above U+10FFFF show.
struct Lead {
  std::uint8_t expected = 0;  // 0: not a lead byte
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0xC2) return {};
  if (byte < 0xE0) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte < 0xF0) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte < 0xF4) return {3, 0x80, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {};
}

bool continues(unsigned char byte) { return (byte & 0xC0) == 0x80; }

const unsigned char* begin_of(Bytes text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

bool utf8_valid(Bytes text) {
  const unsigned char* at = begin_of(text);
  const unsigned char* const end = at + text.size();
  while (true) {
    if (at != end && *at < 0x80) at = skip_ascii(at, end);
    if (at == end) return true;
    const Lead lead = lead_of(*at);
    if (lead.expected == 0 || end - at <= lead.expected) return false;
    if (at[1] < lead.low || at[1] > lead.high) return false;
    if (lead.expected > 1 && !continues(at[2])) return false;
    if (lead.expected > 2 && !continues(at[3])) return false;
    at += lead.expected + 1;
  }
}

bool Utf8Validator::feed(Bytes piece) {
  if (failed_) return false;
  const unsigned char* at = begin_of(piece);
  const unsigned char* const end = at + piece.size();
  while (at != end) {
    if (expected_ == 0) {
      if (*at < 0x80) {
        at = skip_ascii(at, end);
        continue;
      }
      const Lead lead = lead_of(*at++);
      if (lead.expected == 0) {
        failed_ = true;
        return false;
      }
      expected_ = lead.expected;
      low_ = lead.low;
      high_ = lead.high;
      continue;
    }
    if (*at < low_ || *at > high_) {
      failed_ = true;
      return false;
    }
    ++at;
    --expected_;
    low_ = 0x80;
    high_ = 0xBF;
  }
  return true;
}

}  // namespace ringcast::wire
