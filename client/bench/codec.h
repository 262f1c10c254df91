// Messages of a benchmark on the wire: publications out, events in, for each protocol that is
// measured. Written for speed; what it does not recognise at a glance, wire/ decodes. Stateless but
// for the decoder: one per thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/bench/send_buffer.h"
#include "client/bench/stamp.h"
#include "wire/bytes.h"
#include "wire/decode.h"
#include "wire/frame_writer.h"

namespace ringcast::bench {

enum class Protocol : std::uint8_t {
  msgpack,  // WAMP, the payload as one binary argument
  json,     // WAMP, the payload as one string argument
  raw,      // plain WebSocket, the payload as a binary message
  nats,     // NATS over WebSocket
  mqtt,     // MQTT 3.1.1 over WebSocket, QoS 0
};

constexpr bool is_wamp(Protocol protocol) {
  return protocol == Protocol::msgpack || protocol == Protocol::json;
}
// Its messages are a stream of their own in the payloads of the frames: see stream_scan.h.
constexpr bool is_stream(Protocol protocol) {
  return protocol == Protocol::nats || protocol == Protocol::mqtt;
}
// Of a WAMP protocol.
wire::Serializer serializer_of(Protocol protocol);
// As --protocol has it.
std::string_view protocol_name(Protocol protocol);

constexpr StampForm stamp_form(Protocol protocol) {
  return protocol == Protocol::json ? StampForm::ascii : StampForm::binary;
}
constexpr wire::Opcode data_opcode(Protocol protocol) {
  return protocol == Protocol::json ? wire::Opcode::text : wire::Opcode::binary;
}

class Codec {
 public:
  explicit Codec(Protocol protocol);

  struct Event {
    std::uint64_t subscription = 0;  // WAMP
    wire::Bytes payload;             // empty if the arguments are not one string or binary
  };
  // One message of a protocol that is no stream. Nothing if it is no event: see judge_other().
  std::optional<Event> parse_event(wire::Bytes message) {
    if (protocol_ == Protocol::raw) return Event{0, message};
    Event event;
    const bool quick =
        protocol_ == Protocol::msgpack ? quick_msgpack(message, event) : quick_json(message, event);
    if (quick) [[likely]]
      return event;
    return decode_event(message);
  }
  // The payload of arguments that are one string or binary; else empty.
  wire::Bytes only_argument(wire::Bytes args) const;
  // What stands around a payload of this size to make it the only argument.
  std::string only_argument_front(std::size_t payload_bytes) const;
  std::string only_argument_back() const;

  // What a WAMP message is that is no event.
  enum class Other : std::uint8_t {
    farewell,    // GOODBYE, ABORT: a close follows, which ends the connection
    unasked,     // another's answer, most likely: a session here has nothing open
    unreadable,  // no message
  };
  Other judge_other(wire::Bytes message);

  // What is the same in every publication of one size to one topic, around the request id and the
  // payload.
  struct Publication {
    std::string front;
    std::string middle;
    std::string back;
  };
  Publication publication(std::string_view topic, std::size_t payload_bytes) const;

  // Appends a masked client frame that publishes `padding` with `stamp` over its front. `request`
  // is the WAMP request id; a plain WebSocket message has none.
  void append_publish(SendBuffer& out, const Publication& publication, std::uint64_t request,
                      wire::Bytes padding, const Stamp& stamp, std::uint32_t mask) const;

 private:
  static bool quick_msgpack(wire::Bytes message, Event& event);
  static bool quick_json(wire::Bytes message, Event& event);
  std::optional<Event> decode_event(wire::Bytes message);

  Protocol protocol_;
  wire::Decoder decoder_;
};

}  // namespace ringcast::bench
