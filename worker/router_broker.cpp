// Publish and subscribe: from a session's request to the frames that its subscribers get.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "wire/encode.h"
#include "wire/transcode.h"
#include "wire/uri.h"
#include "worker/error_uris.h"
#include "worker/router.h"

namespace ringcast::worker {
namespace {

constexpr std::uint32_t kNobody = UINT32_MAX;  // no slot has this number

}  // namespace

bool Router::publish_allowed(Connection& connection, const wire::Publish& publish) {
  const bool valid = wire::uri_valid(publish.topic, wire::UriRule::loose);
  if (valid && !wire::uri_reserved(publish.topic)) return true;
  // Without acknowledge a PUBLISH is not answered at all (WAMP, "Publishing").
  if (publish.options.acknowledge) {
    error(connection, wire::MessageType::publish, publish.request, wire::uri::kInvalidUri,
          valid ? "topics below \"wamp.\" belong to the router" : "the topic is not a valid URI");
  }
  return false;
}

// Straight to every worker that may have subscribers, and to this worker's own. The other workers
// first: if one of them has no room, nothing has happened yet and the whole message is offered
// again later.
Taken Router::publish(Connection& connection, const wire::Publish& publish) {
  if (!request_in_order(connection, publish.request)) return Taken::yes;
  Session& session = *connection.session;
  if (!publish_allowed(connection, publish)) {
    session.last_request = publish.request;
    return Taken::yes;
  }
  const std::uint64_t hash = topic_hash(segment_.header().topic_seed, session.realm, publish.topic);
  const Publication publication{.id = publication_ids_.next(),
                                .realm = session.realm,
                                .serializer = connection.serializer,
                                .topic = publish.topic,
                                .payload = publish.payload};
  // Alone, a worker need not look into the table of interests, which is seldom in the cache.
  const std::uint64_t live = peers_.live();
  const std::uint64_t targets = live == 0 ? 0 : segment_.interested_workers(hash) & live;
  if (targets != 0 && !peers_.publish(publication, hash, targets)) return Taken::blocked;
  session.last_request = publish.request;
  counters_.add(ring::Counter::publications);
  fan_out(publication, hash, publish.options.exclude_me ? &connection : nullptr);
  if (publish.options.acknowledge) acknowledge(connection, publish.request, publication.id);
  return Taken::yes;
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

void Router::publication_from(const ring::Descriptor& descriptor, std::string_view frame) {
  counters_.add(ring::Counter::publications_received);
  const auto publication = parse_publication(frame);
  if (!publication || !realms_.contains(publication->realm)) {
    counters_.add(ring::Counter::corrupt_frames_dropped);
    return;
  }
  fan_out(*publication, descriptor.topic_hash, nullptr);
}

void Router::fan_out(const Publication& publication, std::uint64_t hash, Connection* excluded) {
  const Topic* topic = topics_.find({hash, publication.realm, publication.topic});
  if (topic == nullptr) return;
  // A publisher that is no subscriber is no exception: so the runs of several publishers are one.
  const bool except = excluded != nullptr && excluded->session->memberships.find(
                                                 topic->subscription) != Memberships::kNone;
  const std::uint32_t excluded_slot = except ? excluded->id.slot : kNobody;
  for (std::size_t s = 0; s < wire::kSerializerCount; ++s) {
    if (topic->subscribers[s].empty()) continue;
    const auto serializer = static_cast<wire::Serializer>(s);
    if (serializer == publication.serializer) {
      fan_out(*topic, serializer, publication.id, publication.payload, excluded_slot);
      continue;
    }
    transcoded_args_.clear();
    transcoded_kwargs_.clear();
    // A payload without a form in the other serializer (a MessagePack map with lists as keys) can't
    // be shown to its sessions; it is counted, and the others get it.
    if (!wire::transcode(publication.serializer, serializer, publication.payload.args,
                         transcoded_args_) ||
        !wire::transcode(publication.serializer, serializer, publication.payload.kwargs,
                         transcoded_kwargs_)) {
      counters_.add(ring::Counter::payloads_not_transcodable);
      continue;
    }
    fan_out(*topic, serializer, publication.id,
            {.args = transcoded_args_, .kwargs = transcoded_kwargs_}, excluded_slot);
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
void Router::fan_out(const Topic& topic, wire::Serializer serializer, std::uint64_t id,
                     const wire::Payload& payload, std::uint32_t excluded_slot) {
  const auto& subscribers = topic.subscribers[static_cast<std::size_t>(serializer)];
  if (subscribers.size() == 1 && subscribers[0].slot == excluded_slot) return;
  const std::size_t event = wire::event_size(serializer, topic.subscription, id, payload);
  const std::size_t size = wire::frame_header_size(event) + event;
  // Text of control characters grows sixfold as JSON; there is an end to that.
  if (size > transport_.frame_size_max()) {
    counters_.add(ring::Counter::payloads_not_transcodable);
    return;
  }
  char* const begin = reserve_event(topic, serializer, excluded_slot, size);
  char* out = wire::write_frame_header(begin, wire::frame_opcode(serializer), event);
  out = wire::write_event(out, serializer, topic.subscription, id, payload);
  assert(out == begin + size);
  const LogRange frame = transport_.commit(size, subscribers.size());
  if (run_.events++ == 0) run_.frames.begin = frame.begin;
  run_.frames.end = frame.end;
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

Taken Router::subscribe(Connection& connection, const wire::Subscribe& subscribe) {
  if (!request_in_order(connection, subscribe.request)) return Taken::yes;
  Session& session = *connection.session;
  const auto refuse = [&](std::string_view uri, std::string_view message) {
    session.last_request = subscribe.request;
    error(connection, wire::MessageType::subscribe, subscribe.request, uri, message);
    return Taken::yes;
  };
  if (subscribe.options.match != wire::MatchPolicy::exact) {
    return refuse(wire::uri::kOptionNotAllowed, "only exact matching is supported");
  }
  if (!wire::uri_valid(subscribe.topic, wire::UriRule::loose)) {
    return refuse(wire::uri::kInvalidUri, "the topic is not a valid URI");
  }
  if (session.memberships.size() + session.subscribes_pending >= kSubscriptionsPerSessionMax) {
    return refuse(kLimitExceeded, "this session has reached its limit of subscriptions");
  }
  const std::uint64_t hash =
      topic_hash(segment_.header().topic_seed, session.realm, subscribe.topic);
  // A home worker that does not keep up, or is away, slows down who asks it (invariant I4).
  const std::uint32_t home = home_of(hash, segment_.workers());
  if (pending_.size() >= kSubscribesPendingMax ||
      peers_.control_backlog(home) >= kControlBacklogMax) {
    return Taken::blocked;
  }
  session.last_request = subscribe.request;
  Topic& topic = topics_.find_or_create({hash, session.realm, subscribe.topic});
  if (topic.subscription != 0) {
    join(connection, subscribe.request, topic);
    return Taken::yes;
  }
  const std::uint64_t token = next_token_++;
  pending_.emplace(token, PendingSubscribe{.who = connection.id,
                                           .io_generation = connection.io_generation,
                                           .request = subscribe.request,
                                           .topic = &topic,
                                           .asked_ms = now_});
  ++topic.requests_pending;
  ++session.subscribes_pending;
  ask_home(token, topic);
  return Taken::yes;
}

// Subscribing twice to one topic is one subscription; both requests get its id (WAMP,
// "Subscribing").
void Router::join(Connection& connection, std::uint64_t request, Topic& topic) {
  Session& session = *connection.session;
  if (session.memberships.find(topic.subscription) == Memberships::kNone) {
    settle_fan_out();  // what was published before is not for this subscriber
    topics_.add(topic, connection.serializer, connection.id.slot, session);
    counters_.add(ring::Counter::subscriptions);
  }
  out_.clear();
  wire::append_subscribed(out_, connection.serializer, request, topic.subscription);
  send(connection, out_);
}

void Router::unsubscribe(Connection& connection, const wire::Unsubscribe& unsubscribe) {
  if (!request_in_order(connection, unsubscribe.request)) return;
  Session& session = *connection.session;
  session.last_request = unsubscribe.request;
  const std::size_t membership = session.memberships.find(unsubscribe.subscription);
  if (membership == Memberships::kNone) {
    return error(connection, wire::MessageType::unsubscribe, unsubscribe.request,
                 wire::uri::kNoSuchSubscription, "no such subscription in this session");
  }
  leave(connection, membership);
  out_.clear();
  wire::append_unsubscribed(out_, connection.serializer, unsubscribe.request);
  send(connection, out_);
}

void Router::leave(Connection& connection, std::size_t membership) {
  Session& session = *connection.session;
  Topic& topic = *session.memberships[membership].topic;
  settle_fan_out();
  topics_.remove(session, connection.serializer, membership,
                 [this](std::uint32_t slot) -> Session& {
                   return *transport_.connections().in_slot(slot)->session;
                 });
  counters_.subtract(ring::Counter::subscriptions);
  release_if_unused(topic);
}

}  // namespace ringcast::worker
