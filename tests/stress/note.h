// What every publication of these checks says about itself, so that whoever gets it can tell
// whether it was meant for him: topic, addressee, publisher, number. Values.
//
// It travels as the one argument of the event, MessagePack bin: the same bytes for every
// subscriber. Behind the fixed part lies a filler that follows from the number.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "wire/bytes.h"

namespace ringcast::stress {

struct Note {
  static constexpr std::uint32_t kMagic = 0x45544F4E;

  std::uint32_t magic = kMagic;
  std::uint32_t topic = 0;
  std::uint64_t addressee = 0;  // 0: whoever has subscribed
  std::uint64_t publisher = 0;
  std::uint64_t sequence = 0;
};
static_assert(sizeof(Note) == 32);

inline char filler_of(std::uint64_t sequence) {
  return static_cast<char>(sequence * 0x9E3779B97F4A7C15 >> 56);
}

// Arguments|list with one bin of `size` bytes, at least those of a Note, at most 65535.
inline std::string to_arguments(const Note& note, std::size_t size = sizeof(Note)) {
  std::string arguments;
  arguments.reserve(size + 4);
  arguments.push_back('\x91');
  if (size < 256) {
    arguments.push_back('\xC4');
  } else {
    arguments.push_back('\xC5');
    arguments.push_back(static_cast<char>(size >> 8));
  }
  arguments.push_back(static_cast<char>(size));
  arguments.append(reinterpret_cast<const char*>(&note), sizeof note);
  arguments.append(size - sizeof note, filler_of(note.sequence));
  return arguments;
}

// Nothing if they are not what to_arguments() makes, to the last byte.
inline std::optional<Note> from_arguments(wire::Bytes arguments) {
  if (arguments.size() < 3 || arguments[0] != '\x91') return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(arguments[i]); };
  const bool is_short = byte(1) == 0xC4;
  const std::size_t header = is_short ? 3 : 4;
  if (arguments.size() < header + sizeof(Note) || (!is_short && byte(1) != 0xC5)) {
    return std::nullopt;
  }
  const std::size_t size = is_short ? byte(2) : static_cast<std::size_t>(byte(2)) << 8 | byte(3);
  if (arguments.size() != header + size) return std::nullopt;
  Note note;
  std::memcpy(&note, arguments.data() + header, sizeof note);
  if (note.magic != Note::kMagic) return std::nullopt;
  const wire::Bytes filler = arguments.substr(header + sizeof note);
  if (filler.empty()) return note;
  // All its bytes are the same: compared with itself, shifted by one.
  const bool even = filler[0] == filler_of(note.sequence) &&
                    std::memcmp(filler.data(), filler.data() + 1, filler.size() - 1) == 0;
  return even ? std::optional(note) : std::nullopt;
}

}  // namespace ringcast::stress
