// What every message of a benchmark carries in front of its padding, so that each delivery can be
// checked and timed by itself: who published it, to which topic, as which in order, when it was
// meant to be sent, and a checksum over all of it. Stateless; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire/bytes.h"

namespace ringcast::bench {

struct Stamp {
  std::uint64_t sequence = 0;    // from 0, per publisher and topic
  std::int64_t intended_ns = 0;  // CLOCK_MONOTONIC
  std::uint32_t run = 0;         // tells the messages of this run from those of another
  std::uint16_t publisher = 0;
  std::uint16_t topic = 0;
};

// `ascii` is for JSON: the same fields as letters a to p, which no encoder escapes.
enum class StampForm : std::uint8_t { binary, ascii };

constexpr std::size_t stamp_bytes(StampForm form) { return form == StampForm::binary ? 32 : 64; }

// `payload` holds `size` >= stamp_bytes(form) bytes, padding included; its front is overwritten.
void write_stamp(char* payload, std::size_t size, StampForm form, const Stamp& stamp);

// False if the payload is too short or does not match its checksum.
bool read_stamp(wire::Bytes payload, StampForm form, Stamp& stamp);

}  // namespace ringcast::bench
