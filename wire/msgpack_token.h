// One MessagePack header with its data: what the bytes at a place say, without looking into lists
// and maps. Stateless; any thread.
#pragma once

#include <cstdint>

#include "wire/bytes.h"

namespace ringcast::wire {

struct MsgpackToken {
  enum class Kind : std::uint8_t {
    nil,
    boolean,
    natural,
    negative,
    real,
    str,
    bin,
    ext,
    list,
    map
  };
  Kind kind = Kind::nil;
  bool boolean = false;
  std::int8_t ext_type = 0;
  std::uint32_t count = 0;    // list: elements, map: entries
  std::uint64_t integer = 0;  // natural: the value; negative: its bits in two's complement
  double real = 0;
  Bytes data;  // str, bin, ext
};

// Reads the token at `at` and moves `at` behind it (for lists and maps: to the first element). On
// failure says why and leaves `at` where it is. Lengths and counts that cannot fit in front of
// `end` are refused. Returns nullptr if all is well. Does not check UTF-8.
const char* read_msgpack_token(const char*& at, const char* end, MsgpackToken& token);

}  // namespace ringcast::wire
