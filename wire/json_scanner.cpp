#include "wire/json_scanner.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

#include "wire/json_unescape.h"

namespace ringcast::wire {
namespace {

// Strings that held escapes keep their memory from message to message up to this size.
constexpr std::size_t kUnescapedKeptMax = 64u << 10;

constexpr std::uint64_t repeated(std::uint8_t byte) { return 0x0101010101010101u * byte; }

// Nonzero if a byte of `word` is a quote, a backslash or a control character. Bytes from 0x80 up
// never count.
constexpr std::uint64_t special_bytes(std::uint64_t word) {
  const std::uint64_t quote = word ^ repeated('"');
  const std::uint64_t backslash = word ^ repeated('\\');
  return ((word - repeated(0x20)) | (quote - repeated(1)) | (backslash - repeated(1))) & ~word &
         repeated(0x80);
}

// The first such byte, or `end`.
const char* find_special(const char* at, const char* end) {
  for (; end - at >= 8; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    const std::uint64_t found = special_bytes(word);
    if (found == 0) continue;
    // The lowest mark is exact; the borrow of a subtraction can only add marks above it.
    if constexpr (std::endian::native == std::endian::little)
      return at + std::countr_zero(found) / 8;
    break;
  }
  while (at != end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

JsonScanner::JsonScanner(DecodeLimits limits) : limits_(limits), nesting_(limits.depth_max) {}

void JsonScanner::reset(Bytes input) {
  input_ = input;
  at_ = input.data();
  end_ = at_ + input.size();
  elements_ = 0;
  depth_ = 0;
  failure_ = {};
  if (unescaped_.capacity() > kUnescapedKeptMax) {
    std::string().swap(unescaped_);
  } else {
    unescaped_.clear();
  }
}

bool JsonScanner::fail(ScanFault fault, const char* reason) {
  failure_ = {fault, reason, static_cast<std::size_t>(at_ - input_.data())};
  return false;
}

void JsonScanner::skip_space() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

ValueKind JsonScanner::peek() {
  skip_space();
  switch (at_ == end_ ? '\0' : *at_) {
    case '[':
      return ValueKind::list;
    case '{':
      return ValueKind::dict;
    case '"':
      return ValueKind::text;
    case 't':
    case 'f':
      return ValueKind::boolean;
    case 'n':
      return ValueKind::absent;
    default:
      return ValueKind::number;
  }
}

bool JsonScanner::push(bool dict) {
  if (depth_ == limits_.depth_max) return fail(ScanFault::depth);
  nesting_[depth_++] = dict ? 1 : 0;
  ++at_;
  return true;
}

bool JsonScanner::count_element() {
  return ++elements_ <= limits_.elements_max || fail(ScanFault::elements);
}

bool JsonScanner::enter_list(ScanCursor& cursor) {
  cursor = {};
  return push(false);
}

bool JsonScanner::enter_dict(ScanCursor& cursor) {
  cursor = {};
  return push(true);
}

bool JsonScanner::next_element(ScanCursor& cursor) {
  const bool dict = nesting_[depth_ - 1] != 0;
  skip_space();
  if (at_ == end_) return malformed("the text ends inside a list or dict");
  if (*at_ == (dict ? '}' : ']')) {
    ++at_;
    --depth_;
    return false;
  }
  if (!cursor.first) {
    if (*at_ != ',') return malformed("a comma or the end of the list or dict is missing");
    ++at_;
  }
  cursor.first = false;
  return count_element();
}

bool JsonScanner::next_entry(ScanCursor& cursor, Value& key) {
  if (!next_element(cursor)) return false;
  skip_space();
  if (at_ == end_ || *at_ != '"') return malformed("a key must be a string");
  key.kind = ValueKind::text;
  if (!read_text(key.text)) return false;
  skip_space();
  if (at_ == end_ || *at_ != ':') return malformed("a colon is missing after a key");
  ++at_;
  return true;
}

bool JsonScanner::read(Value& value) {
  value.kind = peek();
  if (at_ == end_) return malformed("the text ends where a value must be");
  switch (value.kind) {
    case ValueKind::text:
      return read_text(value.text);
    case ValueKind::boolean:
      value.boolean = *at_ == 't';
      return skip_scalar();
    case ValueKind::number: {
      const char* begin = at_;
      if (!skip_scalar()) return false;
      read_number(Bytes(begin, static_cast<std::size_t>(at_ - begin)), value);
      return true;
    }
    default:
      return skip();
  }
}

bool JsonScanner::slice(Bytes& value, bool& empty) {
  skip_space();
  const char* begin = at_;
  const std::size_t elements_before = elements_;
  if (!skip()) return false;
  value = Bytes(begin, static_cast<std::size_t>(at_ - begin));
  empty = elements_ == elements_before;
  return true;
}

bool JsonScanner::at_end() {
  skip_space();
  return at_ == end_;
}

// Steps into nested values without recursion: after each value, close_or_next() either returns to
// the value that skip() was called for, or stands before the next one.
bool JsonScanner::skip() {
  const std::size_t base = depth_;
  for (;;) {
    skip_space();
    if (at_ == end_) return malformed("the text ends where a value must be");
    bool complete = true;
    if (*at_ == '[' || *at_ == '{') {
      if (!open(complete)) return false;
    } else if (!skip_scalar()) {
      return false;
    }
    if (!complete) continue;
    bool done = false;
    if (!close_or_next(base, done)) return false;
    if (done) return true;
  }
}

// Into a list or dict, up to its first value; `closed` if it is empty.
bool JsonScanner::open(bool& closed) {
  const bool dict = *at_ == '{';
  if (!push(dict)) return false;
  skip_space();
  if (at_ == end_) return malformed("the text ends inside a list or dict");
  closed = *at_ == (dict ? '}' : ']');
  if (closed) {
    ++at_;
    --depth_;
    return true;
  }
  return count_element() && (!dict || skip_key());
}

bool JsonScanner::close_or_next(std::size_t base, bool& done) {
  while (depth_ != base) {
    const bool dict = nesting_[depth_ - 1] != 0;
    skip_space();
    if (at_ == end_) return malformed("the text ends inside a list or dict");
    if (*at_ == ',') {
      ++at_;
      return count_element() && (!dict || skip_key());
    }
    if (*at_ != (dict ? '}' : ']'))
      return malformed("a comma or the end of the list or dict is missing");
    ++at_;
    --depth_;
  }
  done = true;
  return true;
}

bool JsonScanner::skip_key() {
  skip_space();
  if (at_ == end_ || *at_ != '"') return malformed("a key must be a string");
  bool escaped = false;
  if (!skip_string(escaped)) return false;
  skip_space();
  if (at_ == end_ || *at_ != ':') return malformed("a colon is missing after a key");
  ++at_;
  return true;
}

bool JsonScanner::skip_scalar() {
  switch (*at_) {
    case '"': {
      bool escaped = false;
      return skip_string(escaped);
    }
    case 't':
      return skip_literal("true");
    case 'f':
      return skip_literal("false");
    case 'n':
      return skip_literal("null");
    default:
      return skip_number();
  }
}

bool JsonScanner::skip_literal(Bytes literal) {
  if (static_cast<std::size_t>(end_ - at_) < literal.size() ||
      std::memcmp(at_, literal.data(), literal.size()) != 0) {
    return malformed("not a JSON value");
  }
  at_ += literal.size();
  return true;
}

bool JsonScanner::skip_digits() {
  if (at_ == end_ || !is_digit(*at_)) return malformed("not a JSON value");
  while (at_ != end_ && is_digit(*at_)) ++at_;
  return true;
}

bool JsonScanner::skip_number() {
  if (at_ != end_ && *at_ == '-') ++at_;
  if (at_ != end_ && *at_ == '0') {
    ++at_;
  } else if (!skip_digits()) {
    return false;
  }
  if (at_ != end_ && *at_ == '.') {
    ++at_;
    if (!skip_digits()) return false;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!skip_digits()) return false;
  }
  return true;
}

bool JsonScanner::skip_string(bool& escaped) {
  ++at_;
  for (;;) {
    at_ = find_special(at_, end_);
    if (at_ == end_) return malformed("the text ends inside a string");
    if (*at_ == '"') {
      ++at_;
      return true;
    }
    if (*at_ != '\\') return malformed("a control character stands unescaped in a string");
    escaped = true;
    if (!skip_escape()) return false;
  }
}

bool JsonScanner::skip_escape() {
  if (end_ - at_ < 2) return malformed("the text ends inside a string");
  constexpr Bytes kSimple = "\"\\/bfnrt";
  if (kSimple.find(at_[1]) != Bytes::npos) {
    at_ += 2;
    return true;
  }
  if (at_[1] != 'u') return malformed("not a JSON escape");
  if (end_ - at_ < 6) return malformed("the text ends inside a string");
  for (int i = 2; i < 6; ++i) {
    if (!is_hex_digit(at_[i])) return malformed("not a JSON escape");
  }
  at_ += 6;
  return true;
}

bool JsonScanner::read_text(Bytes& text) {
  const char* begin = at_ + 1;
  bool escaped = false;
  if (!skip_string(escaped)) return false;
  const Bytes inside(begin, static_cast<std::size_t>(at_ - begin) - 1);
  if (!escaped) {
    text = inside;
    return true;
  }
  // All strings of a message together are shorter than the message, unescaped even more so.
  if (unescaped_.capacity() < input_.size()) unescaped_.reserve(input_.size());
  const std::size_t offset = unescaped_.size();
  append_unescaped(unescaped_, inside);
  text = Bytes(unescaped_).substr(offset);
  return true;
}

void JsonScanner::read_number(Bytes digits, Value& value) {
  const char* const last = digits.data() + digits.size();
  const auto whole = std::from_chars(digits.data(), last, value.integer);
  value.kind = ValueKind::integer;
  if (whole.ec == std::errc() && whole.ptr == last) return;
  value.kind = ValueKind::number;
  double number = 0;
  if (std::from_chars(digits.data(), last, number).ec != std::errc()) return;
  if (number < 0 || number >= 0x1p64 || number != std::trunc(number)) return;
  value.kind = ValueKind::integer;
  value.integer = static_cast<std::uint64_t>(number);
}

}  // namespace ringcast::wire
