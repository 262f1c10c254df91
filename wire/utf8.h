// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Stateless
// functions from any thread; a Utf8Validator belongs to whoever feeds it.
#pragma once

#include <cstdint>

#include "wire/bytes.h"

namespace ringcast::wire {

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
