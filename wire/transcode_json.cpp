// JSON to MessagePack. The scanner that checked the text reads it again here, so that whatever a
// Decoder accepts can be converted: lone surrogate escapes and numbers beyond a double, which the
// JSON library refuses, included.
//
// MessagePack states the count of a list in front of it, JSON doesn't tell it before the end. So
// the values are written without headers first, noting where each is due, and put together
// afterwards: linear, whatever the nesting.

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

#include "wire/base64.h"
#include "wire/json_scanner.h"
#include "wire/transcode.h"
#include "wire/value_writer.h"

namespace ringcast::wire {
namespace {

// Of a number that a double cannot hold: whether it is too large, rather than too small.
bool is_large(Bytes number) {
  const std::size_t exponent_at = number.find_first_of("eE");
  const Bytes digits = number.substr(0, exponent_at);
  const std::size_t nonzero = digits.find_first_of("123456789");
  if (nonzero == Bytes::npos) return false;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  auto exponent = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(nonzero);
  if (exponent_at != Bytes::npos) {
    Bytes written = number.substr(exponent_at + 1);
    const bool negative = written.starts_with('-');
    if (negative || written.starts_with('+')) written.remove_prefix(1);
    std::int64_t size = 0;
    if (std::from_chars(written.data(), written.data() + written.size(), size).ec != std::errc())
      return !negative;
    exponent += negative ? -size : size;
  }
  return exponent > 0;
}

// What does not fit a double becomes an infinity or zero.
double real_from(Bytes number) {
  double real = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), real);
  if (result.ec == std::errc()) return real;
  real = is_large(number) ? std::numeric_limits<double>::infinity() : 0.0;
  return number.starts_with('-') ? -real : real;
}

void append_number(std::string& out, Bytes number) {
  const char* const begin = number.data();
  const char* const end = begin + number.size();
  if (number.find_first_of(".eE") == Bytes::npos) {
    std::uint64_t natural = 0;
    if (std::from_chars(begin, end, natural).ec == std::errc())
      return append_msgpack_integer(out, natural);
    std::int64_t negative = 0;
    if (std::from_chars(begin, end, negative).ec == std::errc())
      return append_msgpack_negative(out, negative);
  }
  append_msgpack_real(out, real_from(number));
}

class MsgpackFromJson {
 public:
  MsgpackFromJson(Bytes value, std::string& out)
      : scanner_(DecodeLimits{kDepthCeiling, std::numeric_limits<std::size_t>::max()}), out_(out) {
    scanner_.reset(value);
    values_.reserve(value.size());
  }

  bool run() {
    if (!write_value()) return false;
    while (!open_.empty()) {
      Level& level = open_.back();
      Value key;
      const bool more =
          level.dict ? scanner_.next_entry(level.cursor, key) : scanner_.next_element(level.cursor);
      if (!more) {
        if (scanner_.failure().fault != ScanFault::none) return false;
        open_.pop_back();
        continue;
      }
      ++headers_[level.header].count;
      if (level.dict) append_msgpack_text(values_, key.text);
      if (!write_value()) return false;
    }
    if (!scanner_.at_end()) return false;
    assemble();
    return true;
  }

 private:
  struct Header {
    std::size_t offset;  // in values_
    std::size_t count;
    bool map;
  };
  struct Level {
    ScanCursor cursor;
    std::size_t header;  // index in headers_
    bool dict;
  };

  bool write_value() {
    const ValueKind kind = scanner_.peek();
    if (kind == ValueKind::list || kind == ValueKind::dict) return open(kind == ValueKind::dict);
    const char* const begin = scanner_.place();
    Value value;
    if (!scanner_.read(value)) return false;
    switch (kind) {
      case ValueKind::boolean:
        values_.push_back(static_cast<char>(value.boolean ? 0xC3 : 0xC2));
        break;
      case ValueKind::text:
        write_text(value.text);
        break;
      case ValueKind::absent:
        values_.push_back(static_cast<char>(0xC0));
        break;
      default:
        append_number(values_, Bytes(begin, static_cast<std::size_t>(scanner_.place() - begin)));
    }
    return true;
  }

  bool open(bool dict) {
    ScanCursor cursor;
    if (!(dict ? scanner_.enter_dict(cursor) : scanner_.enter_list(cursor))) return false;
    open_.push_back({cursor, headers_.size(), dict});
    headers_.push_back({values_.size(), 0, dict});
    return true;
  }

  void write_text(Bytes text) {
    binary_.clear();
    if (text.starts_with('\0') && append_from_base64(binary_, text.substr(1))) {
      append_msgpack_binary(values_, binary_);
    } else {
      append_msgpack_text(values_, text);
    }
  }

  void assemble() {
    out_.reserve(out_.size() + values_.size() + 5 * headers_.size());
    std::size_t done = 0;
    for (const Header& header : headers_) {
      out_.append(values_, done, header.offset - done);
      done = header.offset;
      header.map ? append_msgpack_map(out_, header.count) : append_msgpack_list(out_, header.count);
    }
    out_.append(values_, done);
  }

  JsonScanner scanner_;
  std::string& out_;
  std::string values_;  // everything but the headers of lists and maps
  std::string binary_;
  std::vector<Header> headers_;  // in the order of their offsets
  std::vector<Level> open_;
};

}  // namespace

bool json_to_msgpack(Bytes value, std::string& out) { return MsgpackFromJson(value, out).run(); }

}  // namespace ringcast::wire
