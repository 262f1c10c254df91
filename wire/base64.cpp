#include "wire/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace ringcast::wire {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Above every 6-bit value, so that one OR over a group tells whether a character was foreign.
constexpr std::uint8_t kForeign = 0x80;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = kForeign;
  for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(kAlphabet[i])] = i;
  return values;
}
constexpr std::array<std::uint8_t, 256> kValues = make_values();

std::uint32_t byte_at(Bytes data, std::size_t i) { return static_cast<unsigned char>(data[i]); }

std::uint32_t value_at(Bytes text, std::size_t i) {
  return kValues[static_cast<unsigned char>(text[i])];
}

// The last group, which ends in one or two '='. Writes one or two bytes; 0 if it is not valid.
std::size_t decode_padded_group(char* out, Bytes group) {
  const std::uint32_t a = value_at(group, 0);
  const std::uint32_t b = value_at(group, 1);
  if (((a | b) & kForeign) != 0) return 0;
  out[0] = static_cast<char>(a << 2 | b >> 4);
  if (group[2] == '=') return (b & 0x0F) == 0 ? 1 : 0;
  const std::uint32_t c = value_at(group, 2);
  if ((c & kForeign) != 0 || (c & 0x03) != 0) return 0;
  out[1] = static_cast<char>(b << 4 | c >> 2);
  return 2;
}

}  // namespace

void append_base64(std::string& out, Bytes data) {
  const std::size_t start = out.size();
  out.resize(start + (data.size() + 2) / 3 * 4, '=');
  char* to = out.data() + start;
  std::size_t i = 0;
  for (; i + 3 <= data.size(); i += 3) {
    const std::uint32_t bits =
        byte_at(data, i) << 16 | byte_at(data, i + 1) << 8 | byte_at(data, i + 2);
    *to++ = kAlphabet[bits >> 18];
    *to++ = kAlphabet[bits >> 12 & 63];
    *to++ = kAlphabet[bits >> 6 & 63];
    *to++ = kAlphabet[bits & 63];
  }
  if (i == data.size()) return;
  const bool two = i + 2 == data.size();
  const std::uint32_t bits = byte_at(data, i) << 16 | (two ? byte_at(data, i + 1) << 8 : 0);
  to[0] = kAlphabet[bits >> 18];
  to[1] = kAlphabet[bits >> 12 & 63];
  if (two) to[2] = kAlphabet[bits >> 6 & 63];
}

bool append_from_base64(std::string& out, Bytes text) {
  if (text.size() % 4 != 0) return false;
  if (text.empty()) return true;
  const std::size_t start = out.size();
  const bool padded = text.back() == '=';
  const std::size_t whole = padded ? text.size() - 4 : text.size();
  out.resize(start + text.size() / 4 * 3);
  char* to = out.data() + start;
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < whole; i += 4) {
    const std::uint32_t a = value_at(text, i);
    const std::uint32_t b = value_at(text, i + 1);
    const std::uint32_t c = value_at(text, i + 2);
    const std::uint32_t d = value_at(text, i + 3);
    seen |= a | b | c | d;
    *to++ = static_cast<char>(a << 2 | b >> 4);
    *to++ = static_cast<char>(b << 4 | c >> 2);
    *to++ = static_cast<char>(c << 6 | d);
  }
  bool valid = (seen & kForeign) == 0;
  if (valid && padded) {
    const std::size_t bytes = decode_padded_group(to, text.substr(whole));
    to += bytes;
    valid = bytes != 0;
  }
  out.resize(valid ? static_cast<std::size_t>(to - out.data()) : start);
  return valid;
}

}  // namespace ringcast::wire
