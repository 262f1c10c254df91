// Single values in JSON and MessagePack, in their shortest form. Stateless; any thread. Internal to
// wire/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "wire/bytes.h"

namespace ringcast::wire {

// The longest integer: 20 digits in JSON, 9 bytes in MessagePack.
inline constexpr std::size_t kIntegerSizeMax = 20;

std::size_t json_integer_size(std::uint64_t value);
std::size_t msgpack_integer_size(std::uint64_t value);
// Write to `out`, which has as many bytes as the functions above say; return the end.
char* write_json_integer(char* out, std::uint64_t value);
char* write_msgpack_integer(char* out, std::uint64_t value);

// A JSON string with its quotes. `text` is UTF-8 and is passed through but for what must be
// escaped.
void append_json_text(std::string& out, Bytes text);
// The same without the quotes.
void append_json_escaped(std::string& out, Bytes text);
void append_json_integer(std::string& out, std::uint64_t value);
void append_json_negative(std::string& out, std::int64_t value);
// As few digits as read back as the same double, always with a fraction or an exponent. REQUIRES:
// finite.
void append_json_real(std::string& out, double value);

void append_msgpack_integer(std::string& out, std::uint64_t value);
// REQUIRES: not positive.
void append_msgpack_negative(std::string& out, std::int64_t value);
void append_msgpack_real(std::string& out, double value);
void append_msgpack_text(std::string& out, Bytes text);
void append_msgpack_binary(std::string& out, Bytes data);
// Headers, which the elements follow. Counts are below 2^32.
void append_msgpack_list(std::string& out, std::size_t count);
void append_msgpack_map(std::string& out, std::size_t count);

}  // namespace ringcast::wire
