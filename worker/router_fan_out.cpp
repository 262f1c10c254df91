// From a publication to the frames that its subscribers get: to which workers it goes, and how each
// of them hands it to its own sessions.
#include <cstring>
#include <optional>
#include <utility>

#include "ring/session_id.h"
#include "wire/encode.h"
#include "worker/router.h"

namespace ringcast::worker {
namespace {

constexpr std::uint32_t kNobody = UINT32_MAX;  // no slot has this number

}  // namespace

// Alone, a worker need not look into the table of interests, which is seldom in the cache.
std::uint64_t Router::interested_workers(std::uint16_t realm, std::uint64_t hash) const {
  const std::uint64_t live = peers_.live();
  if (live == 0) return 0;
  return (segment_.interested_workers(hash) | segment_.pattern_interested_workers(realm)) & live;
}

void Router::publication_from(const ring::Descriptor& descriptor, std::string_view frame) {
  counters_.add(ring::Counter::publications_received);
  const auto publication = parse_publication(frame);
  if (!publication || !realms_.contains(publication->realm)) {
    counters_.add(ring::Counter::corrupt_frames_dropped);
    return;
  }
  fan_out(*publication, descriptor.topic_hash, nullptr);
}

// Each subscription that matches gets an EVENT of its own (WAMP, "Pattern-based Subscriptions").
void Router::fan_out(const Publication& publication, std::uint64_t hash,
                     const Connection* excluded) {
  std::optional<ReceiverFilter> filter;
  if (publication.extras && !publication.extras->receivers.empty()) {
    filter = ReceiverFilter::parse(publication.extras->receivers);
    if (!filter) return counters_.add(ring::Counter::corrupt_frames_dropped);
  }
  if (publication.extras && publication.extras->retain &&
      home_of(hash, segment_.workers()) == self_) {
    retention_.keep(publication);
  }
  forms_.begin(publication);
  const auto give = [&](const Topic& topic) {
    if (topic.keeps_history) history_.append(topic.subscription, publication);
    filter ? fan_out(topic, *filter, excluded) : fan_out(topic, excluded);
  };
  if (const Topic* topic = topics_.find({hash, publication.realm, publication.topic})) give(*topic);
  topics_.match_patterns(publication.realm, publication.topic, give);
}

void Router::fan_out(const Topic& topic, const Connection* excluded) {
  // A publisher that is no subscriber is no exception: so the runs of several publishers are one.
  const bool except = excluded != nullptr &&
                      excluded->session->memberships.find(topic.subscription) != Memberships::kNone;
  const std::uint32_t excluded_slot = except ? excluded->id.slot : kNobody;
  for (std::size_t s = 0; s < wire::kSerializerCount; ++s) {
    if (topic.subscribers[s].empty()) continue;
    const auto serializer = static_cast<wire::Serializer>(s);
    if (const wire::Payload* payload = forms_.payload(serializer)) {
      fan_out(topic, serializer, *payload, excluded_slot);
    } else {
      counters_.add(ring::Counter::payloads_not_transcodable);  // the others get it
    }
  }
}

// Room for an event behind the run that it continues, or else for the first of a new one.
char* Router::reserve_event(const Topic& topic, wire::Serializer serializer,
                            std::uint32_t excluded_slot, std::size_t size) {
  if (run_.topic == &topic && run_.serializer == serializer &&
      run_.excluded_slot == excluded_slot &&
      run_.frames.size() + size <= options_.queue_bytes_max) {
    if (char* room = transport_.reserve_behind_unsettled(size)) return room;
  }
  char* room = transport_.reserve(size);  // settles the run before
  run_ = {.topic = &topic,
          .serializer = serializer,
          .excluded_slot = excluded_slot,
          .frames = {},
          .events = 0};
  transport_.set_unsettled(true);
  return room;
}

// One event, encoded once, that each subscriber gets by reference when its run is settled.
void Router::fan_out(const Topic& topic, wire::Serializer serializer, const wire::Payload& payload,
                     std::uint32_t excluded_slot) {
  const auto& subscribers = topic.subscribers[static_cast<std::size_t>(serializer)];
  if (subscribers.size() == 1 && subscribers[0].slot == excluded_slot) return;
  const EventFrame event = forms_.frame(serializer, payload, topic.subscription, topic.match);
  const std::size_t size = event.size();
  // Text of control characters grows sixfold as JSON; there is an end to that.
  if (size > transport_.frame_size_max()) {
    counters_.add(ring::Counter::payloads_not_transcodable);
    return;
  }
  event.write(reserve_event(topic, serializer, excluded_slot, size));
  const LogRange frame = transport_.commit(size, subscribers.size());
  if (run_.events++ == 0) run_.frames.begin = frame.begin;
  run_.frames.end = frame.end;
}

// Where the publication names few sessions that may get it, these are looked up; else the
// subscribers are gone through.
void Router::choose(const Topic& topic, const ReceiverFilter& filter, const Connection* excluded) {
  for (auto& slots : chosen_) slots.clear();
  const auto consider = [&](const Connection& connection) {
    if (&connection == excluded) return;
    const IdentityView identity = identity_of(connection);
    if (!filter.allows(session_id_of(connection), identity.authid(), identity.authrole())) return;
    chosen_[static_cast<std::size_t>(connection.serializer)].push_back(connection.id.slot);
  };
  const auto named = filter.eligible_sessions();
  if (named && named->size() < topic.subscribers[0].size() + topic.subscribers[1].size()) {
    for (std::size_t i = 0; i < named->size(); ++i) {
      if (const Connection* subscriber = subscriber_of(topic, (*named)[i])) consider(*subscriber);
    }
    return;
  }
  for (const Subscribers& subscribers : topic.subscribers) {
    for (const Subscriber& subscriber : subscribers) {
      consider(*transport_.connections().in_slot(subscriber.slot));
    }
  }
}

// The connection that carries this session, null if it is not this worker's or does not subscribe.
Connection* Router::subscriber_of(const Topic& topic, std::uint64_t session) {
  const auto id = ring::connection_of_session(session, segment_.header().session_key);
  if (id.worker != self_) return nullptr;
  Connection* connection = transport_.connections().in_slot(id.slot);
  const bool there =
      connection != nullptr && connection->id == id && connection->session &&
      connection->session->memberships.find(topic.subscription) != Memberships::kNone;
  return there ? connection : nullptr;
}

void Router::fan_out(const Topic& topic, const ReceiverFilter& filter, const Connection* excluded) {
  choose(topic, filter, excluded);
  for (std::size_t s = 0; s < wire::kSerializerCount; ++s) {
    if (chosen_[s].empty()) continue;
    const auto serializer = static_cast<wire::Serializer>(s);
    const wire::Payload* const payload = forms_.payload(serializer);
    if (payload == nullptr) {
      counters_.add(ring::Counter::payloads_not_transcodable);
      continue;
    }
    const EventFrame event = forms_.frame(serializer, *payload, topic.subscription, topic.match);
    if (event.size() > transport_.frame_size_max()) {
      counters_.add(ring::Counter::payloads_not_transcodable);
      continue;
    }
    event.write(transport_.reserve(event.size()));  // settles what is held back
    const LogRange frame = transport_.commit(event.size(), chosen_[s].size());
    std::size_t queued = 0;
    for (const std::uint32_t slot : chosen_[s]) {
      if (transport_.queue(*transport_.connections().in_slot(slot), frame)) ++queued;
    }
    counters_.add(ring::Counter::events_queued, queued);
  }
}

// The connection, null if its session is over or does not subscribe any more.
Connection* Router::find(const RetainedReceiver& receiver) {
  Connection* connection = transport_.connections().in_slot(receiver.who.slot);
  const bool there =
      connection != nullptr && connection->id == receiver.who && connection->session &&
      connection->session->memberships.find(receiver.subscription) != Memberships::kNone;
  return there ? connection : nullptr;
}

RetentionClient::State Router::receiver_state(const RetainedReceiver& receiver) {
  const Connection* connection = find(receiver);
  if (connection == nullptr) return State::gone;
  return connection->queue.bytes() < options_.queue_bytes_max / 4 ? State::ready : State::busy;
}

void Router::on_retained(const RetainedReceiver& receiver, const Publication& publication) {
  Connection* connection = find(receiver);
  if (connection == nullptr || publication.extras->excluded_session == session_id_of(*connection)) {
    return;
  }
  Session& session = *connection->session;
  const Topic& topic = *session.memberships[session.memberships.find(receiver.subscription)].topic;
  forms_.begin(publication);
  const wire::Payload* const payload = forms_.payload(connection->serializer);
  if (payload == nullptr) return counters_.add(ring::Counter::payloads_not_transcodable);
  const EventFrame event =
      forms_.frame(connection->serializer, *payload, topic.subscription, topic.match, true);
  if (event.size() > transport_.frame_size_max()) {
    return counters_.add(ring::Counter::payloads_not_transcodable);
  }
  event.write(transport_.reserve(event.size()));
  if (transport_.queue(*connection, transport_.commit(event.size()))) {
    counters_.add(ring::Counter::events_queued);
  }
}

void Router::settle_fan_out() {
  const FanOutRun run = std::exchange(run_, {});
  transport_.set_unsettled(false);
  if (run.topic == nullptr) return;
  std::size_t queued = 0;
  for (const Subscriber& subscriber :
       run.topic->subscribers[static_cast<std::size_t>(run.serializer)]) {
    if (subscriber.slot == run.excluded_slot) continue;
    if (transport_.queue(*transport_.connections().in_slot(subscriber.slot), run.frames)) ++queued;
  }
  counters_.add(ring::Counter::events_queued, queued * run.events);
  send_held_replies();
}

void Router::acknowledge(Connection& connection, std::uint64_t request, std::uint64_t publication) {
  if (replies_.publisher != nullptr && replies_.publisher != &connection) settle_fan_out();
  out_.clear();
  wire::append_published(out_, connection.serializer, request, publication);
  if (run_.topic == nullptr) return send(connection, out_);
  std::string& frames = replies_.frames;
  const std::size_t begin = frames.size();
  frames.resize(begin + wire::frame_header_size(out_.size()) + out_.size());
  char* const end = wire::write_frame_header(
      frames.data() + begin, wire::frame_opcode(connection.serializer), out_.size());
  std::memcpy(end, out_.data(), out_.size());
  replies_.publisher = &connection;
}

void Router::send_held_replies() {
  Connection* const publisher = std::exchange(replies_.publisher, nullptr);
  if (publisher == nullptr) return;
  const std::size_t size = replies_.frames.size();
  std::memcpy(transport_.reserve(size), replies_.frames.data(), size);
  transport_.queue(*publisher, transport_.commit(size));
  replies_.frames.clear();
}

}  // namespace ringcast::worker
