// What a FrameReader needs only while a frame or a fragmented message is in progress: wslay's
// context (which has a 4 KiB buffer inside) and the message under assembly. Internal to wire/.
//
// Owned by one FrameReader, or by the FrameStatePool of its thread.
#pragma once

#include <wslay/wslay.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "wire/bytes.h"
#include "wire/frame_writer.h"
#include "wire/utf8.h"

namespace ringcast::wire {

// The bytes of a message. Memory grows with the bytes that have arrived, never with a length that
// was only claimed.
class MessageBuffer {
 public:
  // Makes room for `more` bytes without another allocation.
  void reserve(std::size_t more);
  // Adds `more` bytes, not set yet, and returns where they begin.
  char* extend(std::size_t more);
  Bytes message() const { return Bytes(data_.get(), size_); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  // Empties the buffer; keeps its memory only up to `kept_max` bytes.
  void clear(std::size_t kept_max);

 private:
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

// The header of the frame being received, byte by byte as it comes.
struct FrameHeader {
  static constexpr std::size_t kSizeMax = 14;
  std::array<unsigned char, kSizeMax> bytes{};
  std::uint8_t size = 0;    // bytes that are there
  std::uint8_t needed = 2;  // bytes it has, as far as known

  bool fin() const { return (bytes[0] & 0x80) != 0; }
  unsigned rsv() const { return bytes[0] >> 4 & 7u; }
  unsigned opcode() const { return bytes[0] & 0x0Fu; }
  bool is_control() const { return (bytes[0] & 0x08) != 0; }
  bool masked() const { return (bytes[1] & 0x80) != 0; }
  unsigned short_length() const { return bytes[1] & 0x7Fu; }
  std::size_t length_size() const {
    return short_length() == 126 ? 2 : short_length() == 127 ? 8 : 0;
  }
  // REQUIRES: the header is whole.
  std::uint64_t length() const;
  std::uint32_t mask_key() const;
};

class FrameState {
 public:
  FrameState();
  ~FrameState();
  FrameState(const FrameState&) = delete;
  FrameState& operator=(const FrameState&) = delete;

  // Passes `bytes` through wslay's parser. Returns what wslay_frame_recv returns; what it did not
  // take is left in `bytes`.
  ssize_t pass(Bytes& bytes, wslay_frame_iocb& frame);

  // True if the state may serve another reader: nothing is in progress, nothing went wrong.
  bool reusable() const { return !in_frame && fragments == 0 && header.size == 0 && !broken; }

  FrameHeader header;
  std::uint64_t frame_left = 0;  // payload bytes of the present frame still to come
  std::uint32_t mask_key = 0;
  std::uint32_t mask_offset = 0;
  bool in_frame = false;  // true exactly while a header is whole and its payload is not
  bool broken = false;    // true from a violation on

  // The message under assembly: set while fragments > 0. Its bytes stay until the next message
  // begins.
  std::size_t fragments = 0;
  Opcode message_opcode = Opcode::binary;
  Utf8Validator utf8;
  MessageBuffer message;

  std::array<char, 125> control{};  // payload of the control frame in progress
  std::size_t control_size = 0;
  std::string violation;  // text of the violation event

 private:
  static ssize_t on_recv(std::uint8_t* buffer, std::size_t size, int flags, void* self);

  wslay_frame_context_ptr context_ = nullptr;
  Bytes input_;  // what on_recv hands out; set only during pass()
};

}  // namespace ringcast::wire
