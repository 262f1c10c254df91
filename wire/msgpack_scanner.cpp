#include "wire/msgpack_scanner.h"

#include <cmath>

#include "wire/utf8.h"

namespace ringcast::wire {
namespace {

using Kind = MsgpackToken::Kind;

// What msgpack5 and msgpackr write for `undefined`: ext type 0 with one byte (wampy sends it for
// options that were not given).
bool is_undefined(const MsgpackToken& token) {
  return token.ext_type == 0 && token.data.size() == 1;
}

void set_real(Value& value, double real) {
  value.kind = ValueKind::number;
  if (!(real >= 0) || real >= 0x1p64 || real != std::trunc(real)) return;
  value.kind = ValueKind::integer;
  value.integer = static_cast<std::uint64_t>(real);
}

ValueKind kind_of(const MsgpackToken& token) {
  switch (token.kind) {
    case Kind::nil:
      return ValueKind::absent;
    case Kind::boolean:
      return ValueKind::boolean;
    case Kind::natural:
      return ValueKind::integer;
    case Kind::negative:
    case Kind::real:
      return ValueKind::number;
    case Kind::str:
      return ValueKind::text;
    case Kind::bin:
      return ValueKind::binary;
    case Kind::ext:
      return is_undefined(token) ? ValueKind::absent : ValueKind::extension;
    case Kind::list:
      return ValueKind::list;
    case Kind::map:
      return ValueKind::dict;
  }
  return ValueKind::absent;
}

}  // namespace

MsgpackScanner::MsgpackScanner(DecodeLimits limits) : limits_(limits), nesting_(limits.depth_max) {}

void MsgpackScanner::reset(Bytes input) {
  input_ = input;
  at_ = input.data();
  end_ = at_ + input.size();
  elements_ = 0;
  depth_ = 0;
  failure_ = {};
}

bool MsgpackScanner::fail(ScanFault fault, const char* reason) {
  failure_ = {fault, reason, static_cast<std::size_t>(at_ - input_.data())};
  return false;
}

bool MsgpackScanner::read_token(MsgpackToken& token) {
  const char* const reason = read_msgpack_token(at_, end_, token);
  return reason == nullptr || fail(ScanFault::malformed, reason);
}

bool MsgpackScanner::check_text(Bytes text) {
  return utf8_valid(text) || fail(ScanFault::malformed, "a string is not valid UTF-8");
}

ValueKind MsgpackScanner::peek() const {
  const char* at = at_;
  MsgpackToken token;
  // What cannot be read is reported by the call that reads it; until then it is of no kind that is
  // asked for.
  if (read_msgpack_token(at, end_, token) != nullptr) return ValueKind::extension;
  return kind_of(token);
}

bool MsgpackScanner::push(std::uint64_t pending, const MsgpackToken& token) {
  if (depth_ == limits_.depth_max) return fail(ScanFault::depth);
  elements_ += token.count;
  if (elements_ > limits_.elements_max) return fail(ScanFault::elements);
  nesting_[depth_++] = pending;
  return true;
}

bool MsgpackScanner::enter(ScanCursor& cursor) {
  MsgpackToken token;
  if (!read_token(token)) return false;
  cursor = {token.count, true};
  return push(0, token);
}

bool MsgpackScanner::enter_list(ScanCursor& cursor) { return enter(cursor); }
bool MsgpackScanner::enter_dict(ScanCursor& cursor) { return enter(cursor); }

bool MsgpackScanner::next_element(ScanCursor& cursor) {
  if (cursor.remaining == 0) {
    --depth_;
    return false;
  }
  --cursor.remaining;
  return true;
}

bool MsgpackScanner::next_entry(ScanCursor& cursor, Value& key) {
  return next_element(cursor) && read(key);
}

bool MsgpackScanner::read(Value& value) {
  const char* const begin = at_;
  MsgpackToken token;
  if (!read_token(token)) return false;
  value.kind = kind_of(token);
  switch (token.kind) {
    case Kind::boolean:
      value.boolean = token.boolean;
      return true;
    case Kind::natural:
      value.integer = token.integer;
      return true;
    case Kind::real:
      set_real(value, token.real);
      return true;
    case Kind::str:
      value.text = token.data;
      return check_text(token.data);
    case Kind::list:
    case Kind::map:
      at_ = begin;
      return skip();
    default:
      return true;
  }
}

bool MsgpackScanner::slice(Bytes& value, bool& empty) {
  const char* const begin = at_;
  const std::size_t elements_before = elements_;
  if (!skip()) return false;
  value = Bytes(begin, static_cast<std::size_t>(at_ - begin));
  empty = elements_ == elements_before;
  return true;
}

bool MsgpackScanner::skip() {
  const std::size_t base = depth_;
  std::uint64_t pending = 1;  // values still to come in the present list or map
  MsgpackToken token;
  for (;;) {
    while (pending == 0) {
      if (depth_ == base) return true;
      pending = nesting_[--depth_];
    }
    --pending;
    if (!read_token(token)) return false;
    if (token.kind == Kind::str) {
      if (!check_text(token.data)) return false;
    } else if (token.kind == Kind::list || token.kind == Kind::map) {
      if (!push(pending, token)) return false;
      pending = token.kind == Kind::map ? std::uint64_t{2} * token.count : token.count;
    }
  }
}

}  // namespace ringcast::wire
