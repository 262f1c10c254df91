#include "wire/json_unescape.h"

#include <cstdint>

namespace ringcast::wire {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c - 'A' + 10;
}

std::uint32_t hex_unit(const char* digits) {
  std::uint32_t unit = 0;
  for (int i = 0; i < 4; ++i) unit = unit << 4 | static_cast<std::uint32_t>(hex_value(digits[i]));
  return unit;
}

void append_code_point(std::string& out, std::uint32_t point) {
  const auto add = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xC0 | point >> 6);
    add(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    add(0xE0 | point >> 12);
    add(0x80 | (point >> 6 & 0x3F));
    add(0x80 | (point & 0x3F));
  } else {
    add(0xF0 | point >> 18);
    add(0x80 | (point >> 12 & 0x3F));
    add(0x80 | (point >> 6 & 0x3F));
    add(0x80 | (point & 0x3F));
  }
}

// Appends what the \u escape at `at` (behind the u) stands for; returns how many bytes it took,
// with the second half of a surrogate pair.
std::size_t append_unicode_escape(std::string& out, Bytes escaped, std::size_t at) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  const std::uint32_t unit = hex_unit(escaped.data() + at);
  const bool high = unit >= 0xD800 && unit < 0xDC00;
  const bool low = unit >= 0xDC00 && unit < 0xE000;
  if (!high) {
    append_code_point(out, low ? kReplacement : unit);
    return 4;
  }
  if (escaped.size() >= at + 10 && escaped[at + 4] == '\\' && escaped[at + 5] == 'u') {
    const std::uint32_t second = hex_unit(escaped.data() + at + 6);
    if (second >= 0xDC00 && second < 0xE000) {
      append_code_point(out, 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00));
      return 10;
    }
  }
  append_code_point(out, kReplacement);
  return 4;
}

char unescaped_char(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;  // quote, backslash, slash
  }
}

}  // namespace

void append_unescaped(std::string& out, Bytes escaped) {
  std::size_t at = 0;
  while (at < escaped.size()) {
    const std::size_t backslash = escaped.find('\\', at);
    if (backslash == Bytes::npos) {
      out.append(escaped.substr(at));
      return;
    }
    out.append(escaped.substr(at, backslash - at));
    at = backslash + 2;
    if (escaped[backslash + 1] == 'u') {
      at += append_unicode_escape(out, escaped, at);
    } else {
      out.push_back(unescaped_char(escaped[backslash + 1]));
    }
  }
}

}  // namespace ringcast::wire
