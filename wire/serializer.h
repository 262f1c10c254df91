// The two encodings that WAMP messages travel in, and the WebSocket subprotocols that name them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/bytes.h"
#include "wire/frame_writer.h"

namespace ringcast::wire {

enum class Serializer : std::uint8_t { json = 0, msgpack = 1 };
inline constexpr std::size_t kSerializerCount = 2;

// "wamp.2.json" or "wamp.2.msgpack".
Bytes subprotocol_name(Serializer serializer);
std::optional<Serializer> serializer_for_subprotocol(Bytes name);

// The first of the client's offers that is supported; the client's order of preference decides.
std::optional<Serializer> choose_serializer(const std::vector<std::string>& offered);

// JSON travels in text frames, MessagePack in binary ones.
constexpr Opcode frame_opcode(Serializer serializer) {
  return serializer == Serializer::json ? Opcode::text : Opcode::binary;
}

}  // namespace ringcast::wire
