#include "client/bench/handshake.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <variant>
#include <vector>

#include "wire/encode.h"
#include "wire/http_upgrade.h"
#include "wire/serializer.h"

namespace ringcast::bench {
namespace {

using client::Failure;

// One key for all: what it protects from, caching proxies, is not in the way here.
constexpr std::string_view kKey = "cmluZ2Nhc3QtYmVuY2ghIQ==";
constexpr const char* kAgent = "ringcast-bench-" RINGCAST_VERSION;

std::vector<std::string> subprotocols_of(Protocol protocol) {
  if (protocol == Protocol::raw || protocol == Protocol::nats) return {};
  if (protocol == Protocol::mqtt) return {"mqtt"};
  return {std::string(wire::subprotocol_name(serializer_of(protocol)))};
}

}  // namespace

Handshake::Handshake(const FanoutOptions& options, MaskSource& masks)
    : options_(options), masks_(masks), decoder_(serializer_of(options.protocol)) {}

std::string Handshake::topic_name(std::uint32_t topic) const {
  const char separator = options_.protocol == Protocol::mqtt ? '/' : '.';
  return fmt::format("bench{}topic{}{}", separator, separator, topic);
}

std::optional<Failure> Handshake::begin(Link& link) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(link.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    return Failure{
        Failure::Kind::network,
        fmt::format("cannot connect to {}: {}", options_.url.authority(), std::strerror(error)),
        "check that a server listens there, and the --url"};
  }
  std::string target = options_.url.target;
  if (options_.protocol == Protocol::raw) {
    target += target.find('?') == std::string::npos ? '?' : '&';
    target += link.subscriber ? "role=sub" : "role=pub";
    if (options_.topics > 1) {
      fmt::format_to(std::back_inserter(target), "&topic={}",
                     link.subscriber ? options_.topic_of_subscriber(link.index)
                                     : link.index % options_.topics);
    }
  }
  link.state = Link::State::upgrading;
  link.out.append(wire::encode_upgrade_request(options_.url.authority(), target,
                                               subprotocols_of(options_.protocol), kKey));
  return std::nullopt;
}

std::size_t Handshake::take(Link& link, wire::Bytes bytes, std::optional<Failure>& failure) {
  std::size_t consumed = 0;
  const bool was_ready = link.state == Link::State::ready;
  if (link.state == Link::State::upgrading) {
    failure = take_response(link, bytes, consumed);
    if (failure || link.state == Link::State::upgrading) return consumed;
  }
  // A plain WebSocket link is ready with its upgrade: what follows that is traffic.
  if (was_ready || link.state != Link::State::ready) {
    const auto result =
        link.frames.scan(bytes.data() + consumed, bytes.size() - consumed,
                         [&](wire::Opcode opcode, wire::Bytes payload) {
                           failure = on_frame(link, opcode, payload);
                           return !failure && (link.state == Link::State::ready) == was_ready;
                         });
    consumed += result.consumed;
    if (result.violation != nullptr && !failure) {
      failure = Failure{Failure::Kind::protocol,
                        fmt::format("the server broke WebSocket: {}", result.violation),
                        "check that --url names a WebSocket server"};
    }
  }
  if (!failure && !link.flush()) {
    failure = Failure{Failure::Kind::network, "a connection broke during set-up",
                      "the server's log has the details"};
  }
  return consumed;
}

std::optional<Failure> Handshake::take_response(Link& link, wire::Bytes bytes,
                                                std::size_t& consumed) {
  auto result = wire::parse_upgrade_response(bytes, kKey, subprotocols_of(options_.protocol));
  consumed = 0;
  if (std::holds_alternative<wire::UpgradeIncomplete>(result)) return std::nullopt;
  if (const auto* refusal = std::get_if<wire::UpgradeRefusal>(&result)) {
    return Failure{Failure::Kind::refused,
                   refusal->status == 0
                       ? fmt::format("{} is not a WebSocket server: {}", options_.url.authority(),
                                     refusal->body)
                       : fmt::format("the server refused the WebSocket upgrade with HTTP {}: {}",
                                     refusal->status, refusal->body),
                   "check --url and --protocol, and the server's limit of connections"};
  }
  const auto& accepted = std::get<wire::UpgradeAccepted>(result);
  consumed = accepted.consumed;
  if (accepted.subprotocol.empty() && !subprotocols_of(options_.protocol).empty()) {
    return Failure{Failure::Kind::protocol,
                   fmt::format("the server does not speak {}: it chose no subprotocol",
                               protocol_name(options_.protocol)),
                   "check --protocol; raw is for plain WebSocket servers"};
  }
  open_session(link);
  return std::nullopt;
}

void Handshake::open_session(Link& link) {
  link.state = Link::State::welcoming;
  if (is_wamp(options_.protocol)) {
    std::string hello;
    wire::HelloDetails details;  // whatever the mode needs
    for (wire::ClientRole* role :
         {&details.publisher, &details.subscriber, &details.caller, &details.callee}) {
      role->announced = true;
    }
    wire::append_hello(hello, serializer_of(options_.protocol), options_.realm, kAgent, details);
    send_message(link, hello);
  } else if (options_.protocol == Protocol::mqtt) {
    std::string body;
    append_mqtt_string(body, "MQTT");
    body += '\x04';        // 3.1.1
    body += '\x02';        // clean session
    body.append(2, '\0');  // no keep-alive
    append_mqtt_string(body, fmt::format("ringcast-bench-{}-{}{}", ::getpid(),
                                         link.subscriber ? 's' : 'p', link.index));
    send_message(link, mqtt_front(kMqttConnect, body.size()) + body);
  } else if (options_.protocol == Protocol::raw) {
    link.state = Link::State::ready;
  }  // NATS: the server speaks first
}

std::optional<Failure> Handshake::on_frame(Link& link, wire::Opcode opcode, wire::Bytes payload) {
  switch (opcode) {
    case wire::Opcode::ping:
      link.send_frame(wire::Opcode::pong, payload, masks_.next());
      return std::nullopt;
    case wire::Opcode::close:
      return Failure{Failure::Kind::closed,
                     fmt::format("the server closed a connection during set-up: {}",
                                 payload.size() > 2 ? payload.substr(2) : "no reason given"),
                     "its log has the details"};
    case wire::Opcode::text:
    case wire::Opcode::binary:
      break;
    default:
      return std::nullopt;
  }
  if (!is_stream(options_.protocol)) {
    // On a ready link it is an event of somebody else's.
    if (link.state == Link::State::ready) return std::nullopt;
    return take_wamp(link, payload);
  }
  std::optional<Failure> failure;
  const bool sound = scan_stream(options_.protocol == Protocol::nats, link.stream, payload,
                                 [&](const StreamPacket& packet) {
                                   failure = take_packet(link, packet);
                                   return !failure;
                                 });
  if (sound) return failure;
  return Failure{Failure::Kind::protocol,
                 fmt::format("the server does not speak {}", protocol_name(options_.protocol)),
                 "check --url and --protocol"};
}

std::optional<Failure> Handshake::take_packet(Link& link, const StreamPacket& packet) {
  using Kind = StreamPacket::Kind;
  const bool nats = options_.protocol == Protocol::nats;
  if (packet.kind == Kind::refused) {
    return Failure{Failure::Kind::refused,
                   fmt::format("the server refused a client: {}", packet.payload),
                   "check what it asks of anonymous clients, and its log"};
  }
  if (link.state == Link::State::welcoming && packet.kind == Kind::connected) {
    if (nats) {
      connect_nats(link);
    } else if (link.subscriber) {
      subscribe_mqtt(link);
    } else {
      link.state = Link::State::ready;
    }
  } else if (link.state == Link::State::subscribing &&
             packet.kind == (nats ? Kind::pong : Kind::acknowledged)) {
    link.state = Link::State::ready;
  } else if (nats && packet.kind == Kind::ping) {
    send_message(link, "PONG\r\n");
  }
  return std::nullopt;
}

// The PONG tells that what stands before the PING was accepted.
void Handshake::connect_nats(Link& link) {
  std::string text = fmt::format(
      R"(CONNECT {{"verbose":false,"pedantic":false,"lang":"c++","name":"{}","version":"{}"}})"
      "\r\n",
      kAgent, RINGCAST_VERSION);
  if (link.subscriber) {
    text += fmt::format("SUB {} 1\r\n", topic_name(options_.topic_of_subscriber(link.index)));
  }
  text += "PING\r\n";
  link.state = Link::State::subscribing;
  send_message(link, text);
}

void Handshake::subscribe_mqtt(Link& link) {
  std::string body("\0\x01", 2);  // packet identifier
  append_mqtt_string(body, topic_name(options_.topic_of_subscriber(link.index)));
  body += '\0';  // QoS 0
  link.state = Link::State::subscribing;
  send_message(link, mqtt_front(kMqttSubscribe, body.size()) + body);
}

std::optional<Failure> Handshake::take_wamp(Link& link, wire::Bytes message) {
  const wire::DecodeResult result = decoder_.decode(message);
  const auto* decoded = std::get_if<wire::Message>(&result);
  if (decoded == nullptr) return unexpected(result);
  if (link.state == Link::State::welcoming && std::holds_alternative<wire::Welcome>(*decoded)) {
    if (!link.subscriber) {
      link.state = Link::State::ready;
      return std::nullopt;
    }
    link.state = Link::State::subscribing;
    std::string subscribe;
    wire::append_subscribe(subscribe, serializer_of(options_.protocol), 1,
                           topic_name(options_.topic_of_subscriber(link.index)));
    send_message(link, subscribe);
    return std::nullopt;
  }
  if (link.state == Link::State::subscribing) {
    if (const auto* subscribed = std::get_if<wire::Subscribed>(decoded)) {
      link.subscription = subscribed->subscription;
      link.state = Link::State::ready;
      return std::nullopt;
    }
    // Somebody publishes to the topic, and its event may overtake nothing but our patience.
    if (std::holds_alternative<wire::Event>(*decoded)) return std::nullopt;
  }
  return unexpected(result);
}

void Handshake::send_message(Link& link, wire::Bytes message) {
  link.send_frame(data_opcode(options_.protocol), message, masks_.next());
}

Failure Handshake::unexpected(const wire::DecodeResult& result) const {
  if (const auto* violation = std::get_if<wire::Violation>(&result)) {
    return {Failure::Kind::protocol,
            fmt::format("the server sent no WAMP message: {}", violation->message),
            "check --url and --protocol"};
  }
  const wire::Message& message = std::get<wire::Message>(result);
  if (const auto* abort = std::get_if<wire::Abort>(&message)) {
    return {Failure::Kind::refused,
            fmt::format("the broker refused a session: {} {}", abort->reason, abort->message),
            "check --realm, and what the broker asks of anonymous sessions"};
  }
  if (const auto* error = std::get_if<wire::Error>(&message)) {
    return {Failure::Kind::refused,
            fmt::format("the broker refused a subscription: {}", error->error),
            "check what the broker lets anonymous sessions subscribe to"};
  }
  return {Failure::Kind::protocol,
          fmt::format("the broker answered with an unexpected {}",
                      wire::message_name(wire::type_of(message))),
          "the broker's log has the details"};
}

}  // namespace ringcast::bench
