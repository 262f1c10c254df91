#include "wire/frame_writer.h"

#include <cstring>

#include "wire/mask.h"

namespace ringcast::wire {
namespace {

constexpr unsigned kFin = 0x80;
constexpr unsigned kMasked = 0x80;
constexpr std::size_t kMaskSize = 4;
constexpr std::size_t kControlPayloadMax = 125;
constexpr std::size_t kCodeSize = 2;

char* write_big_endian(char* out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xFF);
  return out + bytes;
}

char* write_header(char* out, Opcode opcode, unsigned fin, unsigned masked, std::size_t size) {
  *out++ = static_cast<char>(fin | static_cast<unsigned>(opcode));
  if (size < 126) {
    *out++ = static_cast<char>(masked | size);
    return out;
  }
  if (size < 65536) {
    *out++ = static_cast<char>(masked | 126);
    return write_big_endian(out, size, 2);
  }
  *out++ = static_cast<char>(masked | 127);
  return write_big_endian(out, size, 8);
}

// `text` cut to `size_max` bytes, never inside a code point.
Bytes cut_text(Bytes text, std::size_t size_max) {
  if (text.size() <= size_max) return text;
  std::size_t size = size_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

std::size_t frame_header_size(std::size_t payload_size) {
  if (payload_size < 126) return 2;
  return payload_size < 65536 ? 4 : 10;
}

char* write_frame_header(char* out, Opcode opcode, std::size_t payload_size) {
  return write_header(out, opcode, kFin, 0, payload_size);
}

void append_frame(std::string& out, Opcode opcode, Bytes payload) {
  char header[kServerFrameHeaderMax];
  const char* const end = write_frame_header(header, opcode, payload.size());
  out.append(header, static_cast<std::size_t>(end - header));
  out.append(payload);
}

void append_masked_frame(std::string& out, Opcode opcode, bool fin, Bytes payload,
                         std::uint32_t mask) {
  char header[kServerFrameHeaderMax + kMaskSize];
  char* const key = write_header(header, opcode, fin ? kFin : 0, kMasked, payload.size());
  std::memcpy(key, &mask, kMaskSize);
  out.append(header, static_cast<std::size_t>(key + kMaskSize - header));
  const std::size_t start = out.size();
  out.append(payload);
  mask_bytes(out.data() + start, out.data() + start, payload.size(), mask, 0);
}

std::string close_payload(std::uint16_t code, Bytes reason) {
  std::string payload(kCodeSize, '\0');
  write_big_endian(payload.data(), code, kCodeSize);
  payload.append(cut_text(reason, kControlPayloadMax - kCodeSize));
  return payload;
}

}  // namespace ringcast::wire
