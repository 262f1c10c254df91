// Reads one JSON text (RFC 8259, strictly) element by element, or skips a value whole while
// checking it. Numbers may have any size. The text is taken to be valid UTF-8: text frames are
// checked before they come here. A lone surrogate escape is accepted and stands for U+FFFD.
//
// Owned by one Decoder, used by that Decoder's thread only. After a call failed (failure().fault is
// set) only reset() may follow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "wire/decode_limits.h"
#include "wire/scan.h"

namespace ringcast::wire {

class JsonScanner {
 public:
  explicit JsonScanner(DecodeLimits limits);

  // Starts over with `input`, which outlives the scan. Views into this scanner end here.
  void reset(Bytes input);

  // The kind of the next value as its first byte tells it (integer is reported as number).
  ValueKind peek();

  // REQUIRES: peek() said list or dict.
  bool enter_list(ScanCursor& cursor);
  bool enter_dict(ScanCursor& cursor);
  // On to the next element or entry. False at the end, which is then consumed, and on failure.
  bool next_element(ScanCursor& cursor);
  bool next_entry(ScanCursor& cursor, Value& key);

  // Reads a value whole. A list or dict is checked and skipped.
  bool read(Value& value);
  bool skip();
  // skip(), and the value's bytes, without the white space around it. `empty` tells of an empty
  // list or dict.
  bool slice(Bytes& value, bool& empty);
  // True if nothing but white space is left.
  bool at_end();
  // The first byte not consumed yet; after peek(), the first byte of the next value.
  const char* place() const { return at_; }

  const ScanFailure& failure() const { return failure_; }

 private:
  bool fail(ScanFault fault, const char* reason = "");
  bool malformed(const char* reason) { return fail(ScanFault::malformed, reason); }
  void skip_space();
  bool push(bool dict);
  bool count_element();
  bool skip_string(bool& escaped);
  bool skip_escape();
  bool skip_number();
  bool skip_digits();
  bool skip_literal(Bytes literal);
  bool skip_scalar();
  bool skip_key();
  bool open(bool& closed);
  bool close_or_next(std::size_t base, bool& done);
  bool read_text(Bytes& text);
  void read_number(Bytes digits, Value& value);

  DecodeLimits limits_;
  Bytes input_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::size_t elements_ = 0;
  // Open lists (0) and dicts (1). Sized once for the deepest nesting allowed.
  std::vector<std::uint8_t> nesting_;
  std::size_t depth_ = 0;
  // Unescaped strings of this message. Its capacity is that of the input before the first is
  // written, so that it never moves while views into it live.
  std::string unescaped_;
  ScanFailure failure_;
};

}  // namespace ringcast::wire
