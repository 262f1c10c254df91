// The common case of a FrameReader: a message in one frame that lies whole in the input. Internal
// to wire/. Stateless; any thread.
//
// It exists beside wslay because that takes 80 ns for such a frame (a header byte by byte,
// callbacks, two copies), which is more than all that the broker does with the message; this takes
// a tenth (bench/wire measures both). It takes valid frames only and judges nothing: what it leaves
// is read, or refused, by the parser that knows all rules.
#pragma once

#include <cstddef>

#include "wire/frame_reader.h"
#include "wire/mask.h"
#include "wire/utf8.h"

namespace ringcast::wire {

// Larger payloads are worth no shortcut, and a buffer of this size stays in the cache.
inline constexpr std::size_t kWholePayloadMax = 64u << 10;

// Takes the frame at the front of `input` if it is a whole, valid text or binary message that comes
// from the other side of `role` and keeps to the limits. Its payload lies in `scratch`
// (kWholePayloadMax bytes) if it was masked, otherwise in the input. False, and nothing has
// happened, if it is anything else.
// REQUIRES: `input` begins with a frame, and no fragmented message is in progress.
inline bool take_whole_frame(Role role, const FrameLimits& limits, char* scratch, Bytes& input,
                             FrameEvent& event) {
  constexpr unsigned kFinalText = 0x81;
  constexpr unsigned kFinalBinary = 0x82;
  if (input.size() < 4) return false;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
  if (byte(0) != kFinalText && byte(0) != kFinalBinary) return false;
  const bool masked = role == Role::server;
  if ((byte(1) & 0x80u) != (masked ? 0x80u : 0u)) return false;
  std::size_t size = byte(1) & 0x7Fu;
  std::size_t begin = masked ? 6 : 2;
  if (size >= 126) {
    if (size == 127) return false;
    size = std::size_t{byte(2)} << 8 | byte(3);
    if (size < 126) return false;
    begin += 2;
  }
  if (input.size() < begin + size) return false;
  if (size > limits.message_size_max || limits.fragments_max == 0) return false;
  const char* payload = input.data() + begin;
  if (masked) {
    std::uint32_t key;
    std::memcpy(&key, payload - sizeof key, sizeof key);
    mask_bytes(scratch, payload, size, key, 0);
    payload = scratch;
  }
  event.kind = FrameEvent::Kind::binary;
  if (byte(0) == kFinalText) {
    if (!utf8_valid(Bytes(payload, size))) return false;
    event.kind = FrameEvent::Kind::text;
  }
  event.payload = Bytes(payload, size);
  input.remove_prefix(begin + size);
  return true;
}

}  // namespace ringcast::wire
