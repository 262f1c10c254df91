// Walks a serialized list of strings or of ids, such as PUBLISH.Options.eligible or
// HELLO.Details.authmethods, element by element. It copies nothing and, used again, allocates
// nothing but for JSON strings with escapes.
//
// One per thread, which keeps it for its next list; not thread-safe.
#pragma once

#include <cstdint>

#include "wire/bytes.h"
#include "wire/json_scanner.h"
#include "wire/msgpack_scanner.h"
#include "wire/serializer.h"

namespace ringcast::wire {

class ListReader {
 public:
  ListReader();

  // Begins with `list`, which outlives the reading. Meant for lists that a Decoder has checked, but
  // safe with any bytes: what is no list is read as an empty one.
  void open(Serializer serializer, Bytes list);

  // The next element. False at the end, which is also in front of an element of another type. The
  // text is valid until the next open().
  bool next(Bytes& text);
  bool next(std::uint64_t& id);

 private:
  template <class Scanner>
  bool enter(Scanner& scanner, Bytes list);
  bool read(ValueKind kind, Value& value);

  JsonScanner json_;
  MsgpackScanner msgpack_;
  ScanCursor cursor_;
  Serializer serializer_ = Serializer::json;
  bool open_ = false;  // true while there may be elements left
};

}  // namespace ringcast::wire
