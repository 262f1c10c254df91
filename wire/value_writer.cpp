#include "wire/value_writer.h"

#include <bit>
#include <charconv>
#include <cstring>

namespace ringcast::wire {
namespace {

constexpr char byte(std::uint64_t value) {
  return static_cast<char>(static_cast<std::uint8_t>(value));
}

std::uint64_t network_order(std::uint64_t value) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

// The last bytes of `value`, as many as T has, in network order.
template <class T>
char* write_big_endian(char* out, std::uint64_t value) {
  const std::uint64_t bytes = network_order(value << (64 - 8 * sizeof(T)));
  std::memcpy(out, &bytes, sizeof(T));
  return out + sizeof(T);
}

// The head byte, then `width` bytes of `value` in network order: 1, 2, 4 or 8. Each width has its
// own store, as a loop over the bytes is most of what an id costs.
char* write_headed(char* out, std::uint8_t head, std::uint64_t value, unsigned width) {
  *out++ = byte(head);
  switch (width) {
    case 1:
      return write_big_endian<std::uint8_t>(out, value);
    case 2:
      return write_big_endian<std::uint16_t>(out, value);
    case 4:
      return write_big_endian<std::uint32_t>(out, value);
    default:
      return write_big_endian<std::uint64_t>(out, value);
  }
}

void append_headed(std::string& out, std::uint8_t head, std::uint64_t value, unsigned width) {
  char bytes[9];
  out.append(bytes, write_headed(bytes, head, value, width));
}

// Bytes that `value` needs: 1, 2, 4 or 8.
unsigned width_of(std::uint64_t value) {
  if (value <= 0xFF) return 1;
  if (value <= 0xFFFF) return 2;
  return value <= 0xFFFFFFFF ? 4 : 8;
}

}  // namespace

std::size_t json_integer_size(std::uint64_t value) {
  std::size_t digits = 1;
  while (value >= 10) {
    value /= 10;
    ++digits;
  }
  return digits;
}

char* write_json_integer(char* out, std::uint64_t value) {
  return std::to_chars(out, out + json_integer_size(value), value).ptr;
}

std::size_t msgpack_integer_size(std::uint64_t value) {
  return value < 0x80 ? 1 : 1 + width_of(value);
}

char* write_msgpack_integer(char* out, std::uint64_t value) {
  if (value < 0x80) {
    *out = byte(value);
    return out + 1;
  }
  const unsigned width = width_of(value);
  const auto head = static_cast<std::uint8_t>(0xCC + std::countr_zero(width));
  return write_headed(out, head, value, width);
}

void append_json_escaped(std::string& out, Bytes text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, begin, i - begin);
    begin = i + 1;
    out.push_back('\\');
    switch (c) {
      case '"':
      case '\\':
        out.push_back(c);
        break;
      case '\b':
        out.push_back('b');
        break;
      case '\f':
        out.push_back('f');
        break;
      case '\n':
        out.push_back('n');
        break;
      case '\r':
        out.push_back('r');
        break;
      case '\t':
        out.push_back('t');
        break;
      default:
        out.append("u00").push_back(kHex[c >> 4]);
        out.push_back(kHex[c & 0xF]);
    }
  }
  out.append(text, begin);
}

void append_json_text(std::string& out, Bytes text) {
  out.push_back('"');
  append_json_escaped(out, text);
  out.push_back('"');
}

void append_json_integer(std::string& out, std::uint64_t value) {
  char digits[kIntegerSizeMax];
  out.append(digits, write_json_integer(digits, value));
}

void append_json_negative(std::string& out, std::int64_t value) {
  char digits[kIntegerSizeMax];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

void append_json_real(std::string& out, double value) {
  char digits[32];  // the shortest form of a double has at most 24 characters
  const char* const end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  const Bytes text(digits, static_cast<std::size_t>(end - digits));
  out.append(text);
  if (text.find_first_of(".e") == Bytes::npos) out.append(".0");
}

void append_msgpack_integer(std::string& out, std::uint64_t value) {
  char bytes[9];
  out.append(bytes, write_msgpack_integer(bytes, value));
}

void append_msgpack_negative(std::string& out, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32) {
    out.push_back(byte(bits));
  } else if (value >= INT8_MIN) {
    append_headed(out, 0xD0, bits, 1);
  } else if (value >= INT16_MIN) {
    append_headed(out, 0xD1, bits, 2);
  } else if (value >= INT32_MIN) {
    append_headed(out, 0xD2, bits, 4);
  } else {
    append_headed(out, 0xD3, bits, 8);
  }
}

void append_msgpack_real(std::string& out, double value) {
  append_headed(out, 0xCB, std::bit_cast<std::uint64_t>(value), 8);
}

void append_msgpack_text(std::string& out, Bytes text) {
  if (text.size() < 32) {
    out.push_back(byte(0xA0 | text.size()));
  } else if (text.size() <= 0xFF) {
    append_headed(out, 0xD9, text.size(), 1);
  } else if (text.size() <= 0xFFFF) {
    append_headed(out, 0xDA, text.size(), 2);
  } else {
    append_headed(out, 0xDB, text.size(), 4);
  }
  out.append(text);
}

void append_msgpack_binary(std::string& out, Bytes data) {
  if (data.size() <= 0xFF) {
    append_headed(out, 0xC4, data.size(), 1);
  } else if (data.size() <= 0xFFFF) {
    append_headed(out, 0xC5, data.size(), 2);
  } else {
    append_headed(out, 0xC6, data.size(), 4);
  }
  out.append(data);
}

void append_msgpack_list(std::string& out, std::size_t count) {
  if (count < 16) {
    out.push_back(byte(0x90 | count));
  } else if (count <= 0xFFFF) {
    append_headed(out, 0xDC, count, 2);
  } else {
    append_headed(out, 0xDD, count, 4);
  }
}

void append_msgpack_map(std::string& out, std::size_t count) {
  if (count < 16) {
    out.push_back(byte(0x80 | count));
  } else if (count <= 0xFFFF) {
    append_headed(out, 0xDE, count, 2);
  } else {
    append_headed(out, 0xDF, count, 4);
  }
}

}  // namespace ringcast::wire
