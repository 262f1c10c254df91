#include "wire/members.h"

#include <cstdint>

#include "wire/json_scanner.h"
#include "wire/msgpack_scanner.h"

namespace ringcast::wire {
namespace {

// As wide as any Decoder may be set.
constexpr DecodeLimits kAsChecked{.depth_max = kDepthCeiling, .elements_max = SIZE_MAX};

// Calls `take(scanner)` where the value of each member of this name is to be read. False if the
// bytes turn out to be no dict.
template <class Scanner, class Take>
bool find_in(Bytes dict, Bytes name, Take take) {
  Scanner scanner(kAsChecked);
  scanner.reset(dict);
  ScanCursor cursor;
  if (scanner.peek() != ValueKind::dict || !scanner.enter_dict(cursor)) return false;
  Value key;
  while (scanner.next_entry(cursor, key)) {
    const bool found = key.kind == ValueKind::text && key.text == name;
    if (!(found ? take(scanner) : scanner.skip())) return false;
  }
  return scanner.failure().fault == ScanFault::none;
}

template <class Take>
bool find(Serializer serializer, Bytes dict, Bytes name, Take take) {
  return serializer == Serializer::json ? find_in<JsonScanner>(dict, name, take)
                                        : find_in<MsgpackScanner>(dict, name, take);
}

}  // namespace

std::optional<std::string> text_member(Serializer serializer, Bytes dict, Bytes name) {
  std::optional<std::string> text;
  const bool read = find(serializer, dict, name, [&](auto& scanner) {
    Value value;
    if (!scanner.read(value)) return false;
    text.reset();
    if (value.kind == ValueKind::text) text.emplace(value.text);
    return true;
  });
  if (!read) text.reset();
  return text;
}

std::optional<std::uint64_t> integer_member(Serializer serializer, Bytes dict, Bytes name) {
  std::optional<std::uint64_t> integer;
  const bool read = find(serializer, dict, name, [&](auto& scanner) {
    Value value;
    if (!scanner.read(value)) return false;
    integer.reset();
    if (value.kind == ValueKind::integer) integer = value.integer;
    return true;
  });
  if (!read) integer.reset();
  return integer;
}

Bytes raw_member(Serializer serializer, Bytes dict, Bytes name) {
  Bytes raw;
  const bool read = find(serializer, dict, name, [&](auto& scanner) {
    const bool absent = scanner.peek() == ValueKind::absent;
    bool empty = false;
    if (!scanner.slice(raw, empty)) return false;
    if (absent) raw = {};
    return true;
  });
  return read ? raw : Bytes();
}

}  // namespace ringcast::wire
