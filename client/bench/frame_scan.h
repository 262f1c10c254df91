// Cuts what a server sent into WebSocket frames, in place, and sees where they break RFC 6455, but
// for UTF-8: payloads have checks of their own. Whole messages are handed out without a copy. One
// per connection, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "wire/bytes.h"
#include "wire/frame_writer.h"

namespace ringcast::bench {

class FrameScan {
 public:
  struct Result {
    std::size_t consumed = 0;  // bytes of whole frames; the rest must be offered again with more
    const char* violation = nullptr;  // what the server did wrong; the connection is of no use then
  };

  // Calls on_message(opcode, payload) for each data message and control frame, until it returns
  // false.
  template <typename OnMessage>
  Result scan(const char* data, std::size_t size, OnMessage&& on_message) {
    std::size_t at = 0;
    while (size - at >= 2) {
      const char* frame = data + at;
      const auto first = static_cast<unsigned char>(frame[0]);
      const auto second = static_cast<unsigned char>(frame[1]);
      std::size_t header = 2;
      std::uint64_t length = second & 0x7F;
      if ((first & 0x70) != 0) return {at, "a reserved bit is set"};
      if ((second & 0x80) != 0) return {at, "a server frame is masked"};
      if (length >= 126) {
        header = length == 126 ? 4 : 10;
        if (size - at < header) return {at, nullptr};
        length = big_endian(frame + 2, header - 2);
        if (length > kFrameBytesMax) return {at, "a frame is longer than any message of the run"};
      }
      const std::size_t total = header + static_cast<std::size_t>(length);
      if (size - at < total) return {at, nullptr};
      at += total;
      const wire::Bytes payload(frame + header, static_cast<std::size_t>(length));
      const auto opcode = static_cast<wire::Opcode>(first & 0x0F);
      const bool last = (first & 0x80) != 0;
      const bool of_data = opcode == wire::Opcode::text || opcode == wire::Opcode::binary;
      if (of_data && last && !midway_) [[likely]] {
        if (!on_message(opcode, payload)) return {at, nullptr};
      } else if (opcode >= wire::Opcode::close) {
        if (opcode > wire::Opcode::pong) return {at, kReservedOpcode};
        if (!last || length > 125) return {at, "a control frame is in fragments or too long"};
        if (!on_message(opcode, payload)) return {at, nullptr};
      } else {
        if (const char* violation = add_fragment(opcode, last, payload)) return {at, violation};
        if (last && !on_message(assembled_opcode_, assembled_)) return {at, nullptr};
      }
    }
    return {at, nullptr};
  }

  // True while a fragmented message is not complete.
  bool midway() const { return midway_; }

 private:
  static constexpr const char* kReservedOpcode = "a frame has a reserved opcode";
  static constexpr std::uint64_t kFrameBytesMax = std::uint64_t{1} << 30;

  static std::uint64_t big_endian(const char* bytes, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  }

  const char* add_fragment(wire::Opcode opcode, bool last, wire::Bytes payload) {
    if (opcode == wire::Opcode::continuation) {
      if (!midway_) return "a fragment continues no message";
    } else {
      if (opcode != wire::Opcode::text && opcode != wire::Opcode::binary) return kReservedOpcode;
      if (midway_) return "a message begins within another";
      assembled_.clear();
      assembled_opcode_ = opcode;
    }
    assembled_.append(payload);
    midway_ = !last;
    return nullptr;
  }

  bool midway_ = false;
  std::string assembled_;  // fragments of the message in progress
  wire::Opcode assembled_opcode_ = wire::Opcode::binary;
};

}  // namespace ringcast::bench
