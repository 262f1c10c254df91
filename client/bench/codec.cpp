#include "client/bench/codec.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <variant>

#include "client/bench/stream_scan.h"

namespace ringcast::bench {
namespace {

unsigned char byte_at(const char* at) { return static_cast<unsigned char>(*at); }

std::uint64_t big_endian(const char* at, std::size_t size) {
  if (size == 8) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap64(value);
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | byte_at(at + i);
  return value;
}

char* write_big_endian(char* out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) *out++ = static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

// MessagePack's unsigned integers; null if there is none at `at`.
const char* read_uint(const char* at, const char* end, std::uint64_t& value) {
  if (at == end) return nullptr;
  const unsigned char kind = byte_at(at++);
  if (kind < 0x80) {
    value = kind;
    return at;
  }
  if (kind < 0xCC || kind > 0xCF) return nullptr;
  const std::size_t size = std::size_t{1} << (kind - 0xCC);
  if (static_cast<std::size_t>(end - at) < size) return nullptr;
  value = big_endian(at, size);
  return at + size;
}

// MessagePack bin or str that goes on to exactly `end`; empty if it is not that.
wire::Bytes read_last_blob(const char* at, const char* end) {
  if (at == end) return {};
  const unsigned char kind = byte_at(at++);
  std::size_t length_bytes = 0;
  std::uint64_t length = 0;
  if (kind >= 0xA0 && kind <= 0xBF) {
    length = kind & 0x1F;
  } else if (kind >= 0xC4 && kind <= 0xC6) {
    length_bytes = std::size_t{1} << (kind - 0xC4);
  } else if (kind >= 0xD9 && kind <= 0xDB) {
    length_bytes = std::size_t{1} << (kind - 0xD9);
  } else {
    return {};
  }
  if (static_cast<std::size_t>(end - at) < length_bytes) return {};
  if (length_bytes > 0) length = big_endian(at, length_bytes);
  at += length_bytes;
  if (static_cast<std::uint64_t>(end - at) != length) return {};
  return {at, static_cast<std::size_t>(length)};
}

std::size_t write_msgpack_uint(char* out, std::uint64_t value) {
  if (value < 0x80) {
    *out = static_cast<char>(value);
    return 1;
  }
  const unsigned log = value <= 0xFF ? 0 : value <= 0xFFFF ? 1 : value <= 0xFFFFFFFF ? 2 : 3;
  *out = static_cast<char>(0xCC + log);
  write_big_endian(out + 1, value, std::size_t{1} << log);
  return 1 + (std::size_t{1} << log);
}

// A header for `size` bytes: the 8-bit form, the 16-bit form, the 32-bit form.
void append_msgpack_header(std::string& out, unsigned first_kind, std::size_t size) {
  const unsigned log = size <= 0xFF ? 0 : size <= 0xFFFF ? 1 : 2;
  char header[5] = {static_cast<char>(first_kind + log)};
  write_big_endian(header + 1, size, std::size_t{1} << log);
  out.append(header, 1 + (std::size_t{1} << log));
}

// RFC 6455, 5.3: byte i of the payload is combined with byte i mod 4 of the mask.
void apply_mask(char* at, char* end, std::uint32_t mask) {
  char key[8];
  write_big_endian(key, mask, 4);
  write_big_endian(key + 4, mask, 4);
  std::uint64_t wide_key = 0;
  std::memcpy(&wide_key, key, sizeof wide_key);
  for (; end - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= wide_key;
    std::memcpy(at, &word, sizeof word);
  }
  for (unsigned i = 0; at < end; ++at, ++i) *at = static_cast<char>(*at ^ key[i]);
}

}  // namespace

wire::Serializer serializer_of(Protocol protocol) {
  return protocol == Protocol::json ? wire::Serializer::json : wire::Serializer::msgpack;
}

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::msgpack:
      return "msgpack";
    case Protocol::json:
      return "json";
    case Protocol::raw:
      return "raw";
    case Protocol::nats:
      return "nats";
    case Protocol::mqtt:
      break;
  }
  return "mqtt";
}

Codec::Codec(Protocol protocol) : protocol_(protocol), decoder_(serializer_of(protocol)) {}

// [36, subscription, publication, {}, [payload]]
bool Codec::quick_msgpack(wire::Bytes message, Event& event) {
  const char* at = message.data();
  const char* const end = at + message.size();
  if (message.size() < 8 || byte_at(at) != 0x95 || byte_at(at + 1) != 36) return false;
  std::uint64_t publication = 0;
  at = read_uint(at + 2, end, event.subscription);
  if (at != nullptr) at = read_uint(at, end, publication);
  if (at == nullptr || end - at < 3 || byte_at(at) != 0x80 || byte_at(at + 1) != 0x91) return false;
  event.payload = read_last_blob(at + 2, end);
  return event.payload.data() != nullptr;
}

bool Codec::quick_json(wire::Bytes message, Event& event) {
  constexpr std::string_view kFront = "[36,";
  constexpr std::string_view kMiddle = ",{},[\"";
  constexpr std::string_view kBack = "\"]]";
  if (message.substr(0, kFront.size()) != kFront) return false;
  const char* const end = message.data() + message.size();
  std::uint64_t publication = 0;
  auto number = std::from_chars(message.data() + kFront.size(), end, event.subscription);
  if (number.ec != std::errc{} || number.ptr == end || *number.ptr != ',') return false;
  number = std::from_chars(number.ptr + 1, end, publication);
  if (number.ec != std::errc{}) return false;
  wire::Bytes rest(number.ptr, static_cast<std::size_t>(end - number.ptr));
  if (rest.size() < kMiddle.size() + kBack.size() || rest.substr(0, kMiddle.size()) != kMiddle ||
      rest.substr(rest.size() - kBack.size()) != kBack) {
    return false;
  }
  rest.remove_prefix(kMiddle.size());
  rest.remove_suffix(kBack.size());
  event.payload = rest;
  return true;
}

// Routers that encode otherwise: details in the event, spaces in the JSON, ids as floats.
std::optional<Codec::Event> Codec::decode_event(wire::Bytes message) {
  const wire::DecodeResult result = decoder_.decode(message);
  const auto* decoded = std::get_if<wire::Message>(&result);
  const auto* event = decoded != nullptr ? std::get_if<wire::Event>(decoded) : nullptr;
  if (event == nullptr) return std::nullopt;
  return Event{event->subscription, only_argument(event->payload.args)};
}

wire::Bytes Codec::only_argument(wire::Bytes args) const {
  if (protocol_ == Protocol::msgpack) {
    if (args.empty() || byte_at(args.data()) != 0x91) return {};
    return read_last_blob(args.data() + 1, args.data() + args.size());
  }
  const std::size_t open = args.find_first_not_of(" [");
  const std::size_t close = args.find_last_not_of(" ]");
  if (open == wire::Bytes::npos || open >= close || args[open] != '"' || args[close] != '"')
    return {};
  return args.substr(open + 1, close - open - 1);
}

std::string Codec::only_argument_front(std::size_t payload_bytes) const {
  if (protocol_ == Protocol::json) return "[\"";
  std::string front = "\x91";
  append_msgpack_header(front, 0xC4, payload_bytes);
  return front;
}

std::string Codec::only_argument_back() const { return protocol_ == Protocol::json ? "\"]" : ""; }

Codec::Other Codec::judge_other(wire::Bytes message) {
  const wire::DecodeResult result = decoder_.decode(message);
  const auto* decoded = std::get_if<wire::Message>(&result);
  if (decoded == nullptr) return Other::unreadable;
  const bool farewell = std::holds_alternative<wire::Goodbye>(*decoded) ||
                        std::holds_alternative<wire::Abort>(*decoded);
  return farewell ? Other::farewell : Other::unasked;
}

Codec::Publication Codec::publication(std::string_view topic, std::size_t payload_bytes) const {
  Publication text;
  if (protocol_ == Protocol::msgpack) {
    text.front = "\x95\x10";
    text.middle = '\x80';
    if (topic.size() < 32) {
      text.middle += static_cast<char>(0xA0 + topic.size());
    } else {
      append_msgpack_header(text.middle, 0xD9, topic.size());
    }
    text.middle.append(topic).append("\x91");
    append_msgpack_header(text.middle, 0xC4, payload_bytes);
  } else if (protocol_ == Protocol::json) {
    text.front = "[16,";
    text.middle.append(",{},\"").append(topic).append("\",[\"");
    text.back = "\"]]";
  } else if (protocol_ == Protocol::nats) {
    text.front = fmt::format("PUB {} {}\r\n", topic, payload_bytes);
    text.back = "\r\n";
  } else if (protocol_ == Protocol::mqtt) {
    text.front = mqtt_front(kMqttPublish, 2 + topic.size() + payload_bytes);
    append_mqtt_string(text.front, topic);
  }
  return text;
}

void Codec::append_publish(SendBuffer& out, const Publication& publication, std::uint64_t request,
                           wire::Bytes padding, const Stamp& stamp, std::uint32_t mask) const {
  constexpr std::size_t kHeaderMax = 14;  // 2 bytes, a 64-bit length, the mask
  char number[24];
  std::size_t number_size = 0;
  if (protocol_ == Protocol::msgpack) {
    number_size = write_msgpack_uint(number, request);
  } else if (protocol_ == Protocol::json) {
    number_size = static_cast<std::size_t>(
        std::to_chars(number, number + sizeof number, request).ptr - number);
  }
  const std::size_t length = publication.front.size() + number_size + publication.middle.size() +
                             padding.size() + publication.back.size();
  char* const frame = out.reserve(kHeaderMax + length);
  char* at = frame;
  const auto put = [&at](const char* bytes, std::size_t size) {
    std::memcpy(at, bytes, size);
    at += size;
  };
  const std::size_t length_bytes = length < 126 ? 0 : length <= 0xFFFF ? 2 : 8;
  *at++ = static_cast<char>(0x80 | static_cast<unsigned>(data_opcode(protocol_)));
  *at++ = static_cast<char>(0x80 | (length_bytes == 0 ? length : length_bytes == 2 ? 126 : 127));
  at = write_big_endian(at, length, length_bytes);
  at = write_big_endian(at, mask, sizeof mask);
  char* const body = at;
  put(publication.front.data(), publication.front.size());
  put(number, number_size);
  put(publication.middle.data(), publication.middle.size());
  std::memcpy(at, padding.data(), padding.size());
  write_stamp(at, padding.size(), stamp_form(protocol_), stamp);
  at += padding.size();
  put(publication.back.data(), publication.back.size());
  apply_mask(body, at, mask);
  out.commit(static_cast<std::size_t>(at - frame));
}

}  // namespace ringcast::bench
