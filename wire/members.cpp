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

// What `take` makes of the value, if `bytes` are one and no more, else of none. The value's text
// may lie in the scanner, which ends here.
template <class Scanner, class Take>
auto read_whole(Bytes bytes, Take take) {
  Scanner scanner(kAsChecked);
  scanner.reset(bytes);
  Value value;
  if (bytes.empty() || !scanner.read(value) || !scanner.at_end()) return take(Value());
  return take(value);
}

template <class Take>
auto read_whole(Serializer serializer, Bytes bytes, Take take) {
  return serializer == Serializer::json ? read_whole<JsonScanner>(bytes, take)
                                        : read_whole<MsgpackScanner>(bytes, take);
}

template <class Scanner>
Bytes first_of(Bytes list) {
  Scanner scanner(kAsChecked);
  scanner.reset(list);
  ScanCursor cursor;
  if (list.empty() || scanner.peek() != ValueKind::list || !scanner.enter_list(cursor)) return {};
  if (!scanner.next_element(cursor)) return {};
  const bool absent = scanner.peek() == ValueKind::absent;
  Bytes raw;
  bool empty = false;
  return scanner.slice(raw, empty) && !absent ? raw : Bytes();
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

Bytes first_element(Serializer serializer, Bytes list) {
  return serializer == Serializer::json ? first_of<JsonScanner>(list)
                                        : first_of<MsgpackScanner>(list);
}

std::optional<bool> as_boolean(Serializer serializer, Bytes value) {
  return read_whole(serializer, value, [](const Value& read) {
    return read.kind == ValueKind::boolean ? std::optional(read.boolean) : std::nullopt;
  });
}

std::optional<std::string> as_text(Serializer serializer, Bytes value) {
  return read_whole(serializer, value, [](const Value& read) {
    return read.kind == ValueKind::text ? std::optional(std::string(read.text)) : std::nullopt;
  });
}

bool is_dict(Serializer serializer, Bytes value) {
  return read_whole(serializer, value,
                    [](const Value& read) { return read.kind == ValueKind::dict; });
}

}  // namespace ringcast::wire
