// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Stateless
// functions from any thread; a Utf8Validator belongs to whoever feeds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wire/bytes.h"

namespace ringcast::wire {

// True if none of the bytes is beyond ASCII; reads them eight (or four) at a time, overlapping at
// the end. In line, since what it is asked of is mostly short.
inline bool is_ascii(Bytes text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080u;
  const char* const at = text.data();
  const std::size_t size = text.size();
  if (size >= 8) {
    std::uint64_t bits = 0;
    std::uint64_t word;
    for (std::size_t i = 0; i + 8 < size; i += 8) {
      std::memcpy(&word, at + i, 8);
      bits |= word;
    }
    std::memcpy(&word, at + size - 8, 8);
    return ((bits | word) & kHighBits) == 0;
  }
  if (size >= 4) {
    std::uint32_t first;
    std::uint32_t last;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + size - 4, 4);
    return ((first | last) & static_cast<std::uint32_t>(kHighBits)) == 0;
  }
  unsigned char bits = 0;
  for (const char c : text) bits = static_cast<unsigned char>(bits | static_cast<unsigned char>(c));
  return bits < 0x80;
}

// True if `text` is valid and complete. Runs of ASCII are skipped eight bytes at a time.
bool utf8_valid(Bytes text);

// Validates text that arrives in pieces, which may be cut anywhere. It fails with the first byte
// after which no continuation could make the text valid, not only when the code point is complete.
class Utf8Validator {
 public:
  // False once the text cannot become valid any more; stays false until reset().
  bool feed(Bytes piece);

  // True if the text so far is valid and does not end inside a code point.
  bool complete() const { return expected_ == 0 && !failed_; }

  void reset() { *this = Utf8Validator(); }

 private:
  std::uint8_t expected_ = 0;  // continuation bytes still to come
  std::uint8_t low_ = 0x80;    // the range of the next continuation byte
  std::uint8_t high_ = 0xBF;
  bool failed_ = false;
};

}  // namespace ringcast::wire
