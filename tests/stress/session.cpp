#include "tests/stress/session.h"

#include "tests/stress/verdict.h"

namespace ringcast::stress {
namespace {

wire::Decoder& decoder() {
  static wire::Decoder one(Session::kSerializer);
  return one;
}

// An unsigned integer in any of MessagePack's widths; false if there is none.
bool take_unsigned(wire::Bytes& bytes, std::uint64_t& value) {
  if (bytes.empty()) return false;
  const auto first = static_cast<unsigned char>(bytes[0]);
  std::size_t width = 0;
  if (first < 0x80) {
    value = first;
  } else if (first >= 0xCC && first <= 0xCF) {
    width = std::size_t{1} << (first - 0xCC);
    if (bytes.size() < 1 + width) return false;
    value = 0;
    for (std::size_t i = 1; i <= width; ++i) {
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
  } else {
    return false;
  }
  bytes.remove_prefix(1 + width);
  return true;
}

}  // namespace

std::string Session::scratch_;

void Session::send_message() {
  send_frame(wire::Opcode::binary, scratch_);
  scratch_.clear();
}

void Session::hello(const wire::HelloDetails& details) {
  wire::append_hello(scratch_, kSerializer, "realm1", "ringcast-stress", details);
  send_message();
}

void Session::goodbye() {
  wire::append_goodbye(scratch_, kSerializer, "wamp.close.close_realm", {});
  send_message();
}

void Session::close_frame() { send_frame(wire::Opcode::close, wire::close_payload(1000, "done")); }

std::uint64_t Session::subscribe(wire::Bytes topic) {
  wire::append_subscribe(scratch_, kSerializer, next_request_, topic);
  send_message();
  return next_request_++;
}

std::uint64_t Session::unsubscribe(std::uint64_t subscription) {
  wire::append_unsubscribe(scratch_, kSerializer, next_request_, subscription);
  send_message();
  return next_request_++;
}

std::uint64_t Session::publish(wire::Bytes topic, const Note& note, bool acknowledge,
                               std::size_t size) {
  const std::string arguments = to_arguments(note, size);
  wire::append_publish(scratch_, kSerializer, next_request_, {.acknowledge = acknowledge}, topic,
                       {.args = arguments, .kwargs = {}});
  send_message();
  return next_request_++;
}

void Session::on_unsubscribed(std::uint64_t request) {
  misdelivered("UNSUBSCRIBED {} came to a session that has unsubscribed nothing", request);
}

void Session::on_published(std::uint64_t request, std::uint64_t publication) {
  misdelivered("PUBLISHED {} ({}) came to a session that has published nothing", request,
               publication);
}

void Session::on_goodbye(wire::Bytes reason) { fail("the broker says GOODBYE: {}", reason); }

void Session::on_close(std::uint16_t code, wire::Bytes reason) {
  fail("the broker closes with code {}: {}", code, reason);
}

void Session::on_other(const wire::Message& message) {
  if (const auto* error = std::get_if<wire::Error>(&message)) {
    fail("the broker answers request {} with ERROR {}", error->request, error->error);
  }
  if (const auto* abort = std::get_if<wire::Abort>(&message)) {
    fail("the broker aborts: {} ({})", abort->reason, abort->message);
  }
  fail("the broker sends a {}", wire::message_name(wire::type_of(message)));
}

void Session::on_frame(wire::Opcode opcode, wire::Bytes payload) {
  if (broker_closed_) fail("the broker sends a frame after its close frame");
  switch (opcode) {
    case wire::Opcode::binary:
      on_message(payload);
      break;
    case wire::Opcode::ping:
      send_frame(wire::Opcode::pong, payload);
      break;
    case wire::Opcode::close:
      broker_closed_ = true;
      if (payload.size() < 2) fail("the broker's close frame has no code");
      on_close(static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                          static_cast<unsigned char>(payload[1])),
               payload.substr(2));
      break;
    default:
      fail("the broker sends a frame with opcode {}", static_cast<int>(opcode));
  }
  ++frames_checked_;
}

void Session::on_message(wire::Bytes bytes) {
  if (take_event(bytes)) return;
  const wire::DecodeResult result = decoder().decode(bytes);
  if (const auto* broken = std::get_if<wire::Violation>(&result)) {
    fail("the broker sends what is no message: {}", broken->message);
  }
  dispatch(std::get<wire::Message>(result));
}

// What most of the traffic is, without the decoder: [36, subscription, publication, {}, arguments].
bool Session::take_event(wire::Bytes bytes) {
  if (bytes.size() < 5 || bytes[0] != '\x95' || bytes[1] != '\x24') return false;
  bytes.remove_prefix(2);
  std::uint64_t subscription = 0;
  std::uint64_t publication = 0;
  if (!take_unsigned(bytes, subscription) || !take_unsigned(bytes, publication)) return false;
  if (bytes.empty() || bytes[0] != '\x80') return false;
  const auto note = from_arguments(bytes.substr(1));
  if (!note) misdelivered("an event of subscription {} is not as it was published", subscription);
  on_event(subscription, publication, *note);
  return true;
}

void Session::dispatch(const wire::Message& message) {
  if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
    on_welcome(welcome->session);
  } else if (const auto* subscribed = std::get_if<wire::Subscribed>(&message)) {
    on_subscribed(subscribed->request, subscribed->subscription);
  } else if (const auto* unsubscribed = std::get_if<wire::Unsubscribed>(&message)) {
    on_unsubscribed(unsubscribed->request);
  } else if (const auto* published = std::get_if<wire::Published>(&message)) {
    on_published(published->request, published->publication);
  } else if (const auto* goodbye = std::get_if<wire::Goodbye>(&message)) {
    on_goodbye(goodbye->reason);
  } else {
    on_other(message);
  }
}

}  // namespace ringcast::stress
