#include "wire/msgpack_scanner.h"

#include <array>
#include <cmath>
#include <cstring>

#include "wire/utf8.h"

namespace ringcast::wire {
namespace {

using Kind = MsgpackToken::Kind;

// Values of a fixed size by their head: how many bytes they take with it. 0: the size is yet to be
// read.
constexpr std::array<std::uint8_t, 256> make_fixed_sizes() {
  std::array<std::uint8_t, 256> sizes{};
  for (std::size_t head = 0; head < 0x80; ++head) sizes[head] = 1;    // positive fixint
  for (std::size_t head = 0xE0; head < 256; ++head) sizes[head] = 1;  // negative fixint
  for (const std::size_t head : {0xC0, 0xC2, 0xC3}) sizes[head] = 1;  // nil, false, true
  for (const std::size_t head : {0xCC, 0xD0}) sizes[head] = 2;        // integers, floats
  for (const std::size_t head : {0xCD, 0xD1}) sizes[head] = 3;
  for (const std::size_t head : {0xCA, 0xCE, 0xD2}) sizes[head] = 5;
  for (const std::size_t head : {0xCB, 0xCF, 0xD3}) sizes[head] = 9;
  return sizes;
}
constexpr auto kFixedSizes = make_fixed_sizes();

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

bool MsgpackScanner::resume(const char* place, std::size_t elements) {
  if (limits_.depth_max < 2 || elements > limits_.elements_max) return false;
  at_ = place;
  depth_ = 1;
  elements_ = elements;
  return true;
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
  if (at_ != end_ && (*at_ & 0xE0) == 0x80)  // fixmap, fixarray
    return (*at_ & 0x10) == 0 ? ValueKind::dict : ValueKind::list;
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

// Most values are small: numbers, short strings and binary data. They are passed over here, without
// the detour by a token. Returns how many of the `pending` values are left, at the first that needs
// a closer look.
std::uint64_t MsgpackScanner::skip_small(std::uint64_t pending) {
  constexpr std::uint8_t kBin8 = 0xC4;
  constexpr std::uint8_t kStr8 = 0xD9;
  const char* at = at_;
  for (; pending != 0 && at != end_; --pending) {
    const auto head = static_cast<std::uint8_t>(*at);
    const auto left = static_cast<std::size_t>(end_ - at);
    std::size_t size = kFixedSizes[head];
    if (size == 0) {
      std::size_t data = 1;  // where it begins
      if ((head & 0xE0) == 0xA0) {
        size = 1 + (head & 0x1Fu);
      } else if ((head == kStr8 || head == kBin8) && left >= 2) {
        data = 2;
        size = 2 + std::size_t{static_cast<std::uint8_t>(at[1])};
      } else {
        break;
      }
      if (left < size) break;
      if (head != kBin8 && !is_ascii(Bytes(at + data, size - data))) break;
    }
    if (left < size) break;
    at += size;
  }
  at_ = at;
  return pending;
}

bool MsgpackScanner::skip() {
  const std::size_t base = depth_;
  std::uint64_t pending = 1;  // values still to come in the present list or map
  MsgpackToken token;
  for (;;) {
    pending = skip_small(pending);
    if (pending == 0) {
      if (depth_ == base) return true;
      pending = nesting_[--depth_];
      continue;
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
