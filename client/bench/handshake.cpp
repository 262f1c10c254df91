#include "client/bench/handshake.h"

#include <fmt/format.h>

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

wire::Serializer serializer_of(Protocol protocol) {
  return protocol == Protocol::json ? wire::Serializer::json : wire::Serializer::msgpack;
}

std::vector<std::string> subprotocols_of(Protocol protocol) {
  if (protocol == Protocol::raw) return {};
  return {std::string(wire::subprotocol_name(serializer_of(protocol)))};
}

}  // namespace

Handshake::Handshake(const FanoutOptions& options, MaskSource& masks)
    : options_(options), masks_(masks), decoder_(serializer_of(options.protocol)) {}

std::string Handshake::topic_name(std::uint32_t topic) const {
  return fmt::format("bench.topic.{}", topic);
}

void Handshake::begin(Link& link) {
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
  if (options_.protocol == Protocol::raw) {
    link.state = Link::State::ready;
    return std::nullopt;
  }
  if (accepted.subprotocol.empty()) {
    return Failure{Failure::Kind::protocol, "the server chose no WAMP subprotocol",
                   "use --protocol raw for a plain WebSocket server"};
  }
  link.state = Link::State::welcoming;
  std::string hello;
  wire::append_hello(hello, serializer_of(options_.protocol), options_.realm, kAgent);
  send_message(link, hello);
  return std::nullopt;
}

std::optional<Failure> Handshake::take_message(Link& link, wire::Bytes message) {
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

void Handshake::send_message(Link& link, const std::string& message) {
  link.send_frame(wire::frame_opcode(serializer_of(options_.protocol)), message, masks_.next());
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
