#include "tests/client/fake_router.h"

#include <algorithm>
#include <utility>

#include "wire/encode.h"
#include "wire/transcode.h"

namespace ringcast::test {
namespace {

std::string as_json(wire::Serializer serializer, wire::Bytes value) {
  if (serializer == wire::Serializer::json) return std::string(value);
  std::string out;
  wire::transcode(serializer, wire::Serializer::json, value, out);
  return out;
}

std::string event(wire::Serializer serializer, std::uint64_t subscription,
                  std::uint64_t publication, const wire::Payload& payload) {
  std::string out(wire::event_size(serializer, subscription, publication, payload), '\0');
  wire::write_event(out.data(), serializer, subscription, publication, payload);
  return out;
}

// A payload from one session's serializer to another's.
struct Transcoded {
  Transcoded(wire::Serializer from, wire::Serializer to, const wire::Payload& payload) {
    if (from == to) {
      args = payload.args;
      kwargs = payload.kwargs;
    } else {
      wire::transcode(from, to, payload.args, args);
      wire::transcode(from, to, payload.kwargs, kwargs);
    }
  }
  wire::Payload view() const { return {args, kwargs}; }
  std::string args;
  std::string kwargs;
};

}  // namespace

FakeRouter::FakeRouter(RouterScript script) : script_(std::move(script)) {
  WsServer::Script server;
  server.refuse_status = script_.http_status;
  server.subprotocol = [this](const wire::UpgradeRequest& request) {
    if (!script_.subprotocol.empty()) return script_.subprotocol;
    const auto serializer = wire::choose_serializer(request.subprotocols);
    return serializer ? std::string(wire::subprotocol_name(*serializer)) : std::string();
  };
  server.on_open = [this](WsServer&, WsServer::Peer& peer) {
    Session& session = sessions_[peer.number];
    session.serializer =
        wire::choose_serializer(peer.request.subprotocols).value_or(wire::Serializer::json);
    session.decoder = std::make_unique<wire::Decoder>(session.serializer);
  };
  server.on_message = [this](WsServer&, WsServer::Peer& peer, wire::Opcode, wire::Bytes bytes) {
    take(peer, bytes);
  };
  server.on_pong = [this](WsServer::Peer& peer) {
    Session& session = sessions_[peer.number];
    for (const std::uint64_t request : std::exchange(session.unacknowledged, {})) {
      acknowledge(peer, session, request);
    }
  };
  server_ = std::make_unique<WsServer>(std::move(server));
}

std::vector<FakeRouter::Published> FakeRouter::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

std::uint64_t FakeRouter::unacknowledged_max() const {
  const std::lock_guard lock(mutex_);
  return unacknowledged_max_;
}

std::uint64_t FakeRouter::goodbyes() const {
  const std::lock_guard lock(mutex_);
  return goodbyes_;
}

void FakeRouter::take(WsServer::Peer& peer, wire::Bytes bytes) {
  Session& session = sessions_[peer.number];
  const auto result = session.decoder->decode(bytes);
  const auto* message = std::get_if<wire::Message>(&result);
  if (message == nullptr) return peer.close(1002, "not WAMP");
  if (std::holds_alternative<wire::Hello>(*message)) {
    on_hello(peer, session);
  } else if (const auto* subscribe = std::get_if<wire::Subscribe>(message)) {
    on_subscribe(peer, session, *subscribe);
  } else if (const auto* publish = std::get_if<wire::Publish>(message)) {
    on_publish(*server_, peer, session, *publish);
  } else if (std::holds_alternative<wire::Goodbye>(*message)) {
    {
      const std::lock_guard lock(mutex_);
      ++goodbyes_;
    }
    if (script_.silent_goodbye || !script_.goodbye_on_subscribe.empty()) return;
    std::string goodbye;
    wire::append_goodbye(goodbye, session.serializer, "wamp.close.goodbye_and_out", {});
    send(peer, session, goodbye);
  }
}

void FakeRouter::on_hello(WsServer::Peer& peer, Session& session) {
  if (script_.silent_hello) return;
  std::string answer;
  if (!script_.abort_reason.empty()) {
    wire::append_abort(answer, session.serializer, script_.abort_reason, "not here");
    send(peer, session, answer);
    return peer.close(1000, {});
  }
  wire::append_welcome(answer, session.serializer, 4711, {});
  send(peer, session, answer);
}

void FakeRouter::on_subscribe(WsServer::Peer& peer, Session& session,
                              const wire::Subscribe& subscribe) {
  std::string answer;
  if (!script_.subscribe_error.empty()) {
    wire::append_error(answer, session.serializer, wire::MessageType::subscribe, subscribe.request,
                       script_.subscribe_error, "you may not");
    return send(peer, session, answer);
  }
  const auto [found, added] =
      subscriptions_.try_emplace(std::string(subscribe.topic), 100 + subscriptions_.size());
  session.subscriptions.insert(found->second);
  wire::append_subscribed(answer, session.serializer, subscribe.request, found->second);
  send(peer, session, answer);
  if (!script_.event_on_subscribe.empty()) {
    const Transcoded payload(wire::Serializer::json, session.serializer,
                             {script_.event_on_subscribe, {}});
    send(peer, session, event(session.serializer, found->second, 1, payload.view()));
  }
  if (!script_.goodbye_on_subscribe.empty()) {
    std::string goodbye;
    wire::append_goodbye(goodbye, session.serializer, script_.goodbye_on_subscribe, {});
    send(peer, session, goodbye);
  }
}

void FakeRouter::on_publish(WsServer& server, WsServer::Peer& peer, Session& session,
                            const wire::Publish& publish) {
  ++publishes_;
  if (publishes_ == script_.hang_up_at_publish) return peer.drop();
  if (publishes_ == script_.close_at_publish) return peer.close(1008, "too fast");
  std::string answer;
  if (!script_.publish_error.empty()) {
    wire::append_error(answer, session.serializer, wire::MessageType::publish, publish.request,
                       script_.publish_error, "you may not");
    return send(peer, session, answer);
  }
  {
    const std::lock_guard lock(mutex_);
    published_.push_back(
        {std::string(publish.topic), as_json(session.serializer, publish.payload.args),
         as_json(session.serializer, publish.payload.kwargs), publish.options.acknowledge});
  }
  const auto subscription = subscriptions_.find(std::string(publish.topic));
  if (subscription != subscriptions_.end()) {
    for (WsServer::Peer* other : server.peers()) {
      Session& to = sessions_[other->number];
      if (other == &peer || !to.subscriptions.contains(subscription->second)) continue;
      const Transcoded payload(session.serializer, to.serializer, publish.payload);
      send(*other, to, event(to.serializer, subscription->second, publishes_, payload.view()));
    }
  }
  if (!publish.options.acknowledge) return;
  if (!script_.acknowledge_after_pong) return acknowledge(peer, session, publish.request);
  if (session.unacknowledged.empty()) peer.send(wire::Opcode::ping, "all there?");
  session.unacknowledged.push_back(publish.request);
  const std::lock_guard lock(mutex_);
  unacknowledged_max_ = std::max(unacknowledged_max_, std::uint64_t{session.unacknowledged.size()});
}

void FakeRouter::acknowledge(WsServer::Peer& peer, const Session& session, std::uint64_t request) {
  std::string published;
  wire::append_published(published, session.serializer, request, publishes_);
  send(peer, session, published);
}

void FakeRouter::send(WsServer::Peer& peer, const Session& session, const std::string& message) {
  peer.send(wire::frame_opcode(session.serializer), message);
}

}  // namespace ringcast::test
