// NATS and MQTT over WebSocket: packets that come as a stream inside the frames' payloads, several
// in one frame or one across several. Cut in place. Stateless; any thread.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "wire/bytes.h"

namespace ringcast::bench {

struct StreamPacket {
  enum class Kind : std::uint8_t {
    event,         // a message of a topic
    ping,          // is to be answered
    pong,          // answers our ping
    connected,     // MQTT CONNACK, NATS INFO
    acknowledged,  // MQTT SUBACK
    refused,       // NATS -ERR, a CONNACK or SUBACK that says no
    other,         // of no concern
  };
  Kind kind = Kind::other;
  wire::Bytes topic;    // event
  wire::Bytes payload;  // event; of the others the text that a person may want to see
};

// Takes one packet from [data, data + size); returns its size, 0 if it is not all there, or
// kNoPacket.
inline constexpr std::size_t kNoPacket = static_cast<std::size_t>(-1);

inline std::size_t take_nats(const char* data, std::size_t size, StreamPacket& packet) {
  using Kind = StreamPacket::Kind;
  constexpr std::size_t kLineMax = 64 * 1024;  // INFO may be long
  const auto* const feed = static_cast<const char*>(std::memchr(data, '\n', size));
  if (feed == nullptr) return size > kLineMax ? kNoPacket : 0;
  std::string_view line(data, static_cast<std::size_t>(feed - data));
  const std::size_t line_bytes = line.size() + 1;
  if (line.empty() || line.back() != '\r') return kNoPacket;
  line.remove_suffix(1);
  packet = {Kind::other, {}, line};
  if (line.substr(0, 4) == "MSG ") {  // MSG <subject> <sid> [reply-to] <bytes>
    const std::size_t subject_end = line.find(' ', 4);
    const std::size_t last = line.rfind(' ');
    std::size_t length = 0;
    const auto number = std::from_chars(line.data() + last + 1, line.data() + line.size(), length);
    if (subject_end == line.npos || number.ec != std::errc{} ||
        number.ptr != line.data() + line.size()) {
      return kNoPacket;
    }
    if (size < line_bytes + length + 2) return 0;
    packet = {Kind::event, line.substr(4, subject_end - 4), {data + line_bytes, length}};
    return line_bytes + length + 2;
  }
  if (line == "PING") packet.kind = Kind::ping;
  if (line == "PONG") packet.kind = Kind::pong;
  if (line.substr(0, 5) == "INFO ") packet.kind = Kind::connected;
  if (line.substr(0, 4) == "-ERR") packet.kind = Kind::refused;
  return line_bytes;
}

inline constexpr unsigned kMqttConnect = 0x10;
inline constexpr unsigned kMqttConnack = 0x20;
inline constexpr unsigned kMqttPublish = 0x30;
inline constexpr unsigned kMqttSubscribe = 0x82;
inline constexpr unsigned kMqttSuback = 0x90;
inline constexpr unsigned kMqttPingresp = 0xD0;
// Whole packets.
inline constexpr wire::Bytes kMqttPing("\xC0\0", 2);
inline constexpr wire::Bytes kMqttGoodbye("\xE0\0", 2);

inline std::size_t take_mqtt(const char* data, std::size_t size, StreamPacket& packet) {
  using Kind = StreamPacket::Kind;
  const auto byte = [data](std::size_t i) { return static_cast<unsigned char>(data[i]); };
  std::size_t length = 0;
  std::size_t header = 1;
  for (;; ++header) {  // MQTT 3.1.1, 2.2.3: seven bits a byte, at most four
    if (header == 5) return kNoPacket;
    if (header >= size) return 0;
    length |= std::size_t{byte(header) & 0x7Fu} << (7 * (header - 1));
    if ((byte(header) & 0x80) == 0) break;
  }
  ++header;
  if (size - header < length) return 0;
  const wire::Bytes body(data + header, length);
  packet = {Kind::other, {}, {}};
  switch (byte(0) & 0xF0) {
    case kMqttPublish: {
      if ((byte(0) & 0x06) != 0 || length < 2) return kNoPacket;  // we ask for QoS 0
      const std::size_t topic = std::size_t{byte(header)} << 8 | byte(header + 1);
      if (length < 2 + topic) return kNoPacket;
      packet = {Kind::event, body.substr(2, topic), body.substr(2 + topic)};
      break;
    }
    case kMqttPingresp:
      packet.kind = Kind::pong;
      break;
    case kMqttConnack:
      packet.kind = length == 2 && body[1] == 0 ? Kind::connected : Kind::refused;
      packet.payload = "CONNACK with a return code other than 0";
      break;
    case kMqttSuback:
      packet.kind =
          length == 3 && (byte(header + 2) & 0x80) == 0 ? Kind::acknowledged : Kind::refused;
      packet.payload = "SUBACK with a failure";
      break;
    default:
      break;
  }
  return header + length;
}

// Hands each packet of `data` to on_packet until that returns false. `carried` keeps the beginning
// of one that is not all there. False if the bytes are no such protocol.
template <typename OnPacket>
bool scan_stream(bool nats, std::string& carried, wire::Bytes data, OnPacket&& on_packet) {
  const bool joined = !carried.empty();
  if (joined) carried.append(data);
  const wire::Bytes all = joined ? wire::Bytes(carried) : data;
  std::size_t at = 0;
  while (at < all.size()) {
    StreamPacket packet;
    const std::size_t taken = nats ? take_nats(all.data() + at, all.size() - at, packet)
                                   : take_mqtt(all.data() + at, all.size() - at, packet);
    if (taken == kNoPacket) return false;
    if (taken == 0) break;
    at += taken;
    if (!on_packet(packet)) return true;
  }
  if (joined) {
    carried.erase(0, at);
  } else {
    carried.assign(all.substr(at));
  }
  return true;
}

// An MQTT packet's fixed header.
inline std::string mqtt_front(unsigned type, std::size_t length) {
  std::string front(1, static_cast<char>(type));
  do {
    const std::size_t rest = length >> 7;
    front += static_cast<char>((length & 0x7F) | (rest > 0 ? 0x80 : 0));
    length = rest;
  } while (length > 0);
  return front;
}
inline void append_mqtt_string(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size() >> 8);
  out += static_cast<char>(text.size() & 0xFF);
  out.append(text);
}

}  // namespace ringcast::bench
