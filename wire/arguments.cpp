#include "wire/arguments.h"

#include "wire/json_scanner.h"
#include "wire/msgpack_scanner.h"

namespace ringcast::wire {
namespace {

// As wide as any Decoder may be set.
constexpr DecodeLimits kAsChecked{.depth_max = kDepthCeiling, .elements_max = SIZE_MAX};

template <class Scanner>
std::vector<Bytes> elements_in(Bytes list, std::size_t count_max) {
  std::vector<Bytes> elements;
  Scanner scanner(kAsChecked);
  scanner.reset(list);
  ScanCursor cursor;
  if (scanner.peek() != ValueKind::list || !scanner.enter_list(cursor)) return elements;
  while (elements.size() < count_max && scanner.next_element(cursor)) {
    Bytes element;
    bool empty = false;
    if (!scanner.slice(element, empty)) break;
    elements.push_back(element);
  }
  return elements;
}

template <class Scanner>
ValueKind kind_in(Bytes value) {
  if (value.empty()) return ValueKind::absent;
  Scanner scanner(kAsChecked);
  scanner.reset(value);
  return scanner.peek();
}

// Calls `take` with the value, if it is one.
template <class Scanner, class Take>
void read_in(Bytes value, Take take) {
  if (value.empty()) return;
  Scanner scanner(kAsChecked);
  scanner.reset(value);
  Value read;
  if (scanner.read(read)) take(read);
}

template <class Take>
void read(Serializer serializer, Bytes value, Take take) {
  serializer == Serializer::json ? read_in<JsonScanner>(value, take)
                                 : read_in<MsgpackScanner>(value, take);
}

}  // namespace

std::vector<Bytes> list_elements(Serializer serializer, Bytes list, std::size_t count_max) {
  return serializer == Serializer::json ? elements_in<JsonScanner>(list, count_max)
                                        : elements_in<MsgpackScanner>(list, count_max);
}

ValueKind value_kind(Serializer serializer, Bytes value) {
  return serializer == Serializer::json ? kind_in<JsonScanner>(value)
                                        : kind_in<MsgpackScanner>(value);
}

std::optional<std::string> text_value(Serializer serializer, Bytes value) {
  std::optional<std::string> text;
  read(serializer, value, [&text](const Value& found) {
    if (found.kind == ValueKind::text) text.emplace(found.text);
  });
  return text;
}

std::optional<std::uint64_t> integer_value(Serializer serializer, Bytes value) {
  std::optional<std::uint64_t> integer;
  read(serializer, value, [&integer](const Value& found) {
    if (found.kind == ValueKind::integer) integer = found.integer;
  });
  return integer;
}

}  // namespace ringcast::wire
