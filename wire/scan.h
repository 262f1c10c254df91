// What JsonScanner and MsgpackScanner have in common: one value as the decoder sees it, the place
// in a list or dict, and why scanning stopped. The scanners exist because the routing path only
// slices: they check a payload in one pass and build nothing, so they never allocate (bench/wamp
// compares them with the libraries' own parsers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "wire/bytes.h"

namespace ringcast::wire {

enum class ValueKind : std::uint8_t {
  absent,     // null, nil, or the ext that one MessagePack library writes for `undefined`
  boolean,    // Value::boolean
  integer,    // not negative and below 2^64; also a float that is integral: Value::integer
  number,     // any other number
  text,       // Value::text
  binary,     // MessagePack bin
  extension,  // MessagePack ext
  list,
  dict,
};

struct Value {
  ValueKind kind = ValueKind::absent;
  bool boolean = false;
  std::uint64_t integer = 0;
  Bytes text;  // unescaped; points into the input, or into the scanner if it held escapes
};

// The position inside one list or dict that is being read element by element.
struct ScanCursor {
  std::uint32_t remaining = 0;  // MessagePack: elements or entries still to come
  bool first = true;            // JSON: true until the first element was reached
};

enum class ScanFault : std::uint8_t { none, malformed, depth, elements };

struct ScanFailure {
  ScanFault fault = ScanFault::none;
  const char* reason = "";  // for malformed: what is wrong
  std::size_t offset = 0;   // for malformed: the byte at which it was seen
};

}  // namespace ringcast::wire
