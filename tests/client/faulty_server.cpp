#include "tests/client/faulty_server.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include "wire/encode.h"

namespace ringcast::test {
namespace {

constexpr std::uint64_t kEvery = 10;
constexpr std::uint64_t kTimes = 5;

// Where the fields of a stamp lie in a payload (client/bench/stamp.cpp), in bytes of the binary
// form.
constexpr std::size_t kSequenceAt = 8;
constexpr std::size_t kPublisherAt = 28;
constexpr std::size_t kTopicAt = 30;

// The one argument of a publication, without its encoding.
std::string payload_of(wire::Serializer serializer, wire::Bytes args) {
  if (serializer == wire::Serializer::json) return std::string(args.substr(2, args.size() - 4));
  const auto kind = static_cast<unsigned char>(args[1]);  // bin 8, 16 or 32
  return std::string(args.substr(2 + (std::size_t{1} << (kind - 0xC4))));
}

std::string args_of(wire::Serializer serializer, const std::string& payload) {
  if (serializer == wire::Serializer::json) return "[\"" + payload + "\"]";
  std::string args = "\x91\xC6";
  for (const unsigned shift : {24u, 16u, 8u, 0u}) {
    args += static_cast<char>(payload.size() >> shift & 0xFF);
  }
  return args + payload;
}

std::string query_value(const std::string& query, const std::string& name) {
  const std::size_t at = query.find(name + "=");
  if (at == std::string::npos) return "";
  const std::size_t from = at + name.size() + 1;
  return query.substr(from, query.find('&', from) - from);
}

void flip_bit(std::string& payload, std::size_t at) {
  payload[at] = static_cast<char>(payload[at] ^ 1);
}

}  // namespace

std::string name_of(Dialect dialect) {
  return dialect == Dialect::raw ? "raw" : dialect == Dialect::json ? "json" : "msgpack";
}

FaultyServer::FaultyServer(Dialect dialect, Fault fault, Victim victim, Manners manners)
    : dialect_(dialect),
      fault_(fault),
      victim_(victim),
      manners_(manners),
      form_(dialect == Dialect::json ? bench::StampForm::ascii : bench::StampForm::binary),
      serializer_(dialect == Dialect::json ? wire::Serializer::json : wire::Serializer::msgpack),
      decoder_(serializer_) {
  WsServer::Script script;
  script.subprotocol = [this](const wire::UpgradeRequest&) {
    return dialect_ == Dialect::raw ? "" : std::string(wire::subprotocol_name(serializer_));
  };
  script.on_open = [this](WsServer&, WsServer::Peer& peer) { on_open(peer); };
  script.on_gone = [this](WsServer::Peer& peer) {
    clients_.erase(peer.number);
    const std::lock_guard lock(mutex_);
    if (peer.upgraded) --open_;
  };
  script.on_message = [this](WsServer&, WsServer::Peer& from, wire::Opcode, wire::Bytes bytes) {
    on_message(from, bytes);
  };
  server_ = std::make_unique<WsServer>(std::move(script));
}

Seen FaultyServer::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void FaultyServer::on_open(const WsServer::Peer& peer) {
  Client& client = clients_[peer.number];
  client.subscriber = query_value(peer.request.query, "role") == "sub";
  client.topic = query_value(peer.request.query, "topic");
  client.ballast.assign(manners_.connection_bytes, 'b');
  const std::lock_guard lock(mutex_);
  ++seen_.opened;
  ++seen_.addresses[peer.address];
  seen_.open_most = std::max(seen_.open_most, ++open_);
}

void FaultyServer::note(const std::string& topic, const std::string& payload) {
  constexpr std::size_t kTextsMax = 100;
  const std::lock_guard lock(mutex_);
  ++seen_.publications[topic];
  if (seen_.texts.size() < kTextsMax) {
    seen_.texts.push_back(payload.substr(bench::stamp_bytes(form_)));
  }
}

void FaultyServer::on_message(WsServer::Peer& from, wire::Bytes message) {
  if (dialect_ == Dialect::raw) {
    on_publication(from, clients_[from.number].topic, std::string(message));
  } else {
    on_wamp(from, message);
  }
}

void FaultyServer::on_wamp(WsServer::Peer& from, wire::Bytes bytes) {
  const auto decoded = decoder_.decode(bytes);
  const auto* message = std::get_if<wire::Message>(&decoded);
  if (message == nullptr) return from.close(1002, "not WAMP");
  std::string answer;
  if (std::holds_alternative<wire::Hello>(*message)) {
    wire::append_welcome(answer, serializer_, 4711, {});
  } else if (const auto* subscribe = std::get_if<wire::Subscribe>(message)) {
    Client& client = clients_[from.number];
    client.subscriber = true;
    client.topic = std::string(subscribe->topic);
    client.subscription =
        fault_ == Fault::anothers_copy
            ? 100 + from.number
            : subscriptions_.try_emplace(client.topic, 100 + subscriptions_.size()).first->second;
    wire::append_subscribed(answer, serializer_, subscribe->request, client.subscription);
  } else if (const auto* publish = std::get_if<wire::Publish>(message)) {
    return on_publication(from, std::string(publish->topic),
                          payload_of(serializer_, publish->payload.args));
  } else if (std::holds_alternative<wire::Goodbye>(*message)) {
    wire::append_goodbye(answer, serializer_, "wamp.close.goodbye_and_out", {});
  }
  from.send(wire::frame_opcode(serializer_), answer);
}

void FaultyServer::on_publication(WsServer::Peer& from, const std::string& topic,
                                  const std::string& payload) {
  ++publications_;
  note(topic, payload);
  if (first_.empty()) first_ = payload;
  const WsServer::Peer* const victim = find_victim();
  for (WsServer::Peer* peer : server_->peers()) {
    const Client& client = clients_[peer->number];
    if (!client.subscriber) continue;
    if (client.topic != topic) {
      if (peer == victim && fault_ == Fault::other_topic && due(times())) deliver(*peer, payload);
    } else if (peer == victim) {
      serve_victim(from, *peer, payload);
    } else {
      deliver(*peer, payload);
    }
    if (manners_.queue_bytes_max > 0 && peer->out.size() > manners_.queue_bytes_max) {
      peer->close(1008, "too slow");
    }
  }
}

// The second is the second of the topic that the first subscriber of all has.
WsServer::Peer* FaultyServer::find_victim() {
  WsServer::Peer* first = nullptr;
  WsServer::Peer* second = nullptr;
  WsServer::Peer* newest = nullptr;
  for (WsServer::Peer* peer : server_->peers()) {
    const Client& client = clients_[peer->number];
    if (!client.subscriber || peer->number < manners_.spared) continue;
    newest = peer;
    if (first == nullptr) {
      first = peer;
    } else if (second == nullptr && client.topic == clients_[first->number].topic) {
      second = peer;
    }
  }
  if (first != nullptr) first_subscription_ = clients_[first->number].subscription;
  if (victim_ == Victim::newest) return newest;
  return victim_ == Victim::first ? first : second;
}

std::uint64_t FaultyServer::times() const {
  if (victim_ == Victim::newest) return std::numeric_limits<std::uint64_t>::max();
  return fault_ >= Fault::drop_then_close ? 1 : kTimes;
}

bool FaultyServer::due(std::uint64_t times) {
  if (++considered_ % kEvery != 0 || faults_ == times) return false;
  ++faults_;
  return true;
}

void FaultyServer::serve_victim(WsServer::Peer& from, WsServer::Peer& victim,
                                const std::string& payload) {
  if (silent_) {
    ++faults_;
  } else if (fault_ == Fault::none || fault_ == Fault::other_topic ||
             (fault_ == Fault::replay && !of_another_run(payload)) || !due(times())) {
    deliver(victim, payload);
  } else {
    do_wrong(from, victim, payload);
  }
  if (considered_ == closes_at_) victim.close(1008, "too slow");
  if (!held_.empty() && considered_ >= held_until_) deliver(victim, std::exchange(held_, {}));
}

bool FaultyServer::of_another_run(const std::string& payload) const {
  bench::Stamp first;
  bench::Stamp stamp;
  return bench::read_stamp(first_, form_, first) && bench::read_stamp(payload, form_, stamp) &&
         first.run != stamp.run;
}

void FaultyServer::do_wrong(WsServer::Peer& from, WsServer::Peer& victim,
                            const std::string& payload) {
  switch (fault_) {
    case Fault::duplicate:
      deliver(victim, payload);
      return deliver(victim, payload);
    case Fault::swap:
    case Fault::late:
      held_ = payload;
      held_until_ = considered_ + (fault_ == Fault::swap ? 1 : kEvery - 1);
      return;
    case Fault::other_subscription:
      return deliver_as(victim, payload, clients_[victim.number].subscription + 1);
    case Fault::anothers_copy:
      return deliver_as(victim, payload, first_subscription_);
    case Fault::echo:
      deliver(victim, payload);
      return deliver(from, payload);
    case Fault::replay:
      deliver(victim, payload);
      return deliver(victim, first_);
    case Fault::stray_answer:
    case Fault::garbage: {
      std::string answer;
      if (fault_ == Fault::stray_answer) wire::append_subscribed(answer, serializer_, 1, 2);
      deliver(victim, payload);
      return victim.send(wire::frame_opcode(serializer_), answer);
    }
    case Fault::wrong_type: {
      const std::size_t frame = victim.out.size();
      deliver(victim, payload);
      victim.out[frame] = static_cast<char>(victim.out[frame] ^ 3);  // 1 is text, 2 is binary
      return;
    }
    case Fault::drop_then_close:
      closes_at_ = considered_ + 1;
      return;
    case Fault::reserved_bit: {
      const std::size_t frame = victim.out.size();
      deliver(victim, payload);
      victim.out[frame] = static_cast<char>(victim.out[frame] ^ 0x40);
      return;
    }
    case Fault::close:
      return victim.close(1008, "too slow");
    case Fault::cut_in_frame:
      deliver(victim, payload);
      victim.out.resize(victim.out.size() - payload.size() / 2);
      return victim.drop();
    case Fault::cut:
      return victim.drop();
    case Fault::fall_silent:
      silent_ = true;
      return;
    case Fault::pause:
      std::this_thread::sleep_for(std::chrono::seconds(1));
      return deliver(victim, payload);
    case Fault::drop:
      return;
    default:
      return damage(victim, payload);
  }
}

void FaultyServer::damage(WsServer::Peer& victim, std::string payload) {
  const std::size_t width = form_ == bench::StampForm::ascii ? 2 : 1;
  bench::Stamp stamp;
  if (fault_ >= Fault::forge_sequence) bench::read_stamp(payload, form_, stamp);
  switch (fault_) {
    case Fault::flip_payload:
      flip_bit(payload, payload.size() - 1);
      break;
    case Fault::flip_sequence:
      flip_bit(payload, kSequenceAt * width);
      break;
    case Fault::flip_topic:
      flip_bit(payload, kTopicAt * width);
      break;
    case Fault::flip_publisher:
      flip_bit(payload, kPublisherAt * width);
      break;
    case Fault::truncate:
      payload.pop_back();
      break;
    case Fault::forge_sequence:
      stamp.sequence += 1u << 20;
      break;
    case Fault::forge_topic:
      stamp.topic ^= 1;
      break;
    case Fault::forge_publisher:
      stamp.publisher += 1000;
      break;
    case Fault::forge_publisher_within:
      stamp.publisher ^= 1;
      break;
    default:
      std::terminate();
  }
  if (fault_ >= Fault::forge_sequence) {
    bench::write_stamp(payload.data(), payload.size(), form_, stamp);
  }
  deliver(victim, payload);
}

void FaultyServer::deliver(WsServer::Peer& to, const std::string& payload) {
  deliver_as(to, payload, clients_[to.number].subscription);
}

void FaultyServer::deliver_as(WsServer::Peer& to, const std::string& payload,
                              std::uint64_t subscription) {
  if (dialect_ == Dialect::raw) return to.send(wire::Opcode::binary, payload);
  const std::string args = args_of(serializer_, payload);
  const wire::Payload arguments{args, {}};
  std::string event(wire::event_size(serializer_, subscription, publications_, arguments), '\0');
  wire::write_event(event.data(), serializer_, subscription, publications_, arguments);
  to.send(wire::frame_opcode(serializer_), event);
}

}  // namespace ringcast::test
