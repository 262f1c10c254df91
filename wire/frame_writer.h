// WebSocket frames to bytes (RFC 6455 section 5.2), written straight to where they will be sent
// from. Stateless; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "wire/bytes.h"

namespace ringcast::wire {

enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

// The largest header a server writes: 2 bytes and a 64-bit length (no mask).
inline constexpr std::size_t kServerFrameHeaderMax = 10;

// Bytes of an unmasked header in front of `payload_size` bytes: 2, 4 or 10.
std::size_t frame_header_size(std::size_t payload_size);

// Writes an unmasked, final frame header to `out`, which has frame_header_size() bytes; returns the
// end.
char* write_frame_header(char* out, Opcode opcode, std::size_t payload_size);

// Server to client: appends one whole unmasked frame.
void append_frame(std::string& out, Opcode opcode, Bytes payload);

// Client to server: the same, masked with `mask` (section 5.3), which the caller draws at random.
void append_masked_frame(std::string& out, Opcode opcode, bool fin, Bytes payload,
                         std::uint32_t mask);

// The payload of a close frame: code in network order, then `reason` cut to 123 bytes at a code
// point boundary.
std::string close_payload(std::uint16_t code, Bytes reason);

}  // namespace ringcast::wire
