#include "wire/list_reader.h"

#include <cstdint>

namespace ringcast::wire {
namespace {

// Its elements are no lists. How many they may be was decided when the message was decoded.
constexpr DecodeLimits kFlat{.depth_max = 1, .elements_max = SIZE_MAX};

template <class Scanner>
bool read_element(Scanner& scanner, ScanCursor& cursor, Value& value) {
  return scanner.next_element(cursor) && scanner.read(value);
}

}  // namespace

ListReader::ListReader() : json_(kFlat), msgpack_(kFlat) {}

template <class Scanner>
bool ListReader::enter(Scanner& scanner, Bytes list) {
  scanner.reset(list);
  return scanner.peek() == ValueKind::list && scanner.enter_list(cursor_);
}

void ListReader::open(Serializer serializer, Bytes list) {
  serializer_ = serializer;
  open_ = serializer == Serializer::json ? enter(json_, list) : enter(msgpack_, list);
}

bool ListReader::read(ValueKind kind, Value& value) {
  if (!open_) return false;
  open_ = serializer_ == Serializer::json ? read_element(json_, cursor_, value)
                                          : read_element(msgpack_, cursor_, value);
  open_ = open_ && value.kind == kind;
  return open_;
}

bool ListReader::next(Bytes& text) {
  Value value;
  if (!read(ValueKind::text, value)) return false;
  text = value.text;
  return true;
}

bool ListReader::next(std::uint64_t& id) {
  Value value;
  if (!read(ValueKind::integer, value)) return false;
  id = value.integer;
  return true;
}

}  // namespace ringcast::wire
