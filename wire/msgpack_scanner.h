// Reads one MessagePack value element by element, or skips a value whole while checking it: every
// header, length and count, and the UTF-8 of every str. The counterpart of JsonScanner, with the
// same calls.
//
// Owned by one Decoder, used by that Decoder's thread only. After a call failed (failure().fault is
// set) only reset() may follow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wire/decode_limits.h"
#include "wire/msgpack_token.h"
#include "wire/scan.h"

namespace ringcast::wire {

class MsgpackScanner {
 public:
  explicit MsgpackScanner(DecodeLimits limits);

  // Starts over with `input`, which outlives the scan.
  void reset(Bytes input);

  // Goes on at `place` as if a list had been entered and so many elements and entries had been read
  // in it and in dicts of it. False if that is beyond the limits.
  bool resume(const char* place, std::size_t elements);

  // The kind of the next value as its head tells it.
  ValueKind peek() const;

  // REQUIRES: peek() said list or dict.
  bool enter_list(ScanCursor& cursor);
  bool enter_dict(ScanCursor& cursor);
  // On to the next element or entry. False at the end and on failure. A key need not be a string
  // here.
  bool next_element(ScanCursor& cursor);
  bool next_entry(ScanCursor& cursor, Value& key);

  // Reads a value whole. A list or dict is checked and skipped.
  bool read(Value& value);
  bool skip();
  // skip(), and the value's bytes. `empty` tells of an empty list or dict.
  bool slice(Bytes& value, bool& empty);
  // True if nothing is left.
  bool at_end() const { return at_ == end_; }
  // The first byte not consumed yet.
  const char* place() const { return at_; }

  const ScanFailure& failure() const { return failure_; }

 private:
  bool fail(ScanFault fault, const char* reason = "");
  bool read_token(MsgpackToken& token);
  bool enter(ScanCursor& cursor);
  bool push(std::uint64_t pending, const MsgpackToken& token);
  bool check_text(Bytes text);
  std::uint64_t skip_small(std::uint64_t pending);

  DecodeLimits limits_;
  Bytes input_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::size_t elements_ = 0;
  // Values still to come in each list and map that encloses the present one, while skip() runs; the
  // entries of what was entered by hand are unused. Sized once for the deepest nesting allowed.
  std::vector<std::uint64_t> nesting_;
  std::size_t depth_ = 0;
  ScanFailure failure_;
};

}  // namespace ringcast::wire
