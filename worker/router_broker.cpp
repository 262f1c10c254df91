// Publish and subscribe: what sessions ask for. Who gets a publication is in router_fan_out.cpp.
#include <utility>

#include "wire/encode.h"
#include "wire/uri.h"
#include "worker/error_uris.h"
#include "worker/router.h"

namespace ringcast::worker {

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

bool Router::add_extras(wire::Serializer serializer, const wire::PublishOptions& options,
                        const Publisher& publisher, Publication& publication) {
  PublicationExtras& extras = publication.extras.emplace();
  if (publisher.disclosed) {
    extras.publisher = publisher.session;
    // Its own text, which lasts as long as the publication does.
    publisher_authid_ = publisher.authid;
    extras.publisher_authid = publisher_authid_;
    extras.publisher_authrole = publisher.authrole;
  }
  if (options.passthru) extras.passthru = *options.passthru;
  if (options.retain) {
    extras.retain = true;
    if (options.exclude_me) extras.excluded_session = publisher.session;
  }
  if (options.receivers) {
    auto lists = read_receiver_lists(serializer, *options.receivers);
    if (!lists) return false;
    receivers_ = write_receiver_filter(std::move(*lists));
    extras.receivers = receivers_;
  }
  return true;
}

Taken Router::publish(Connection& connection, const wire::Publish& publish) {
  if (!request_in_order(connection, publish.request)) return Taken::yes;
  Session& session = *connection.session;
  const wire::PublishOptions& options = publish.options;
  if (!publish_allowed(connection, publish)) {
    session.last_request = publish.request;
    return Taken::yes;
  }
  bool disclosed = options.disclose_me;
  if (!session.unrestricted) {
    const Permission permission = may_publish(connection, publish);
    if (!permission.allowed()) {
      return forbid(connection, wire::MessageType::publish, publish.request, permission,
                    options.acknowledge);
    }
    disclosed = disclosed || permission.disclose == auth::Disclosure::always;
  }
  Publication publication{.id = publication_ids_.next(),
                          .realm = session.realm,
                          .serializer = connection.serializer,
                          .topic = publish.topic,
                          .payload = publish.payload};
  if (disclosed || !is_plain(options)) {
    const IdentityView identity = identity_of(connection);
    const Publisher publisher{session_id_of(connection), identity.authid(), identity.authrole(),
                              disclosed};
    if (!add_extras(connection.serializer, options, publisher, publication)) {
      session.last_request = publish.request;
      static_assert(kReceiversMax == 65536, "the text names it");
      if (options.acknowledge) {
        error(connection, wire::MessageType::publish, publish.request, kLimitExceeded,
              "the lists of who may get it have more than 65536 elements: use roles");
      }
      return Taken::yes;
    }
  }
  if (hand_out(publication, options.exclude_me ? &connection : nullptr) == Taken::blocked) {
    return Taken::blocked;
  }
  session.last_request = publish.request;
  if (options.acknowledge) acknowledge(connection, publish.request, publication.id);
  return Taken::yes;
}

// Straight to every worker that may have subscribers, and to this worker's own. The other workers
// first: if one of them has no room, nothing has happened yet and the whole message is offered
// again later.
Taken Router::hand_out(const Publication& publication, const Connection* excluded) {
  const std::uint64_t hash =
      topic_hash(segment_.header().topic_seed, publication.realm, publication.topic);
  std::uint64_t targets = interested_workers(publication.realm, hash);
  if (publication.extras && publication.extras->retain) {
    targets |= (std::uint64_t{1} << home_of(hash, segment_.workers())) & peers_.live();
  }
  if (targets != 0 && !peers_.publish(publication, hash, targets)) return Taken::blocked;
  counters_.add(ring::Counter::publications);
  fan_out(publication, hash, excluded);
  return Taken::yes;
}

Taken Router::subscribe(Connection& connection, const wire::Subscribe& subscribe) {
  if (!request_in_order(connection, subscribe.request)) return Taken::yes;
  Session& session = *connection.session;
  const auto refuse = [&](std::string_view uri, std::string_view message) {
    session.last_request = subscribe.request;
    error(connection, wire::MessageType::subscribe, subscribe.request, uri, message);
    return Taken::yes;
  };
  const wire::MatchPolicy match = subscribe.options.match;
  if (match == wire::MatchPolicy::unknown) {
    return refuse(wire::uri::kOptionNotAllowed, "match is exact, prefix or wildcard");
  }
  if (!wire::uri_valid(subscribe.topic, wire::UriRule::loose, match)) {
    return refuse(wire::uri::kInvalidUri, "the topic is not a valid URI");
  }
  const Permission permission = may_subscribe(connection, subscribe);
  if (!permission.allowed()) {
    return forbid(connection, wire::MessageType::subscribe, subscribe.request, permission);
  }
  if (session.memberships.size() + session.subscribes_pending >= kSubscriptionsPerSessionMax) {
    return refuse(kLimitExceeded, "this session has reached its limit of subscriptions");
  }
  const std::uint64_t hash =
      topic_hash(segment_.header().topic_seed, session.realm, subscribe.topic, match);
  // A home worker that does not keep up, or is away, slows down who asks it (invariant I4).
  const std::uint32_t home = home_of(hash, segment_.workers());
  const bool get_retained = subscribe.options.get_retained;
  if (pending_.size() >= kSubscribesPendingMax ||
      (get_retained && retention_.full(connection.id)) ||
      peers_.control_backlog(home) >= kControlBacklogMax) {
    return Taken::blocked;
  }
  const auto [found, outcome] =
      topics_.find_or_create({hash, session.realm, subscribe.topic, match});
  if (found == nullptr) return refuse(kLimitExceeded, describe(outcome));
  session.last_request = subscribe.request;
  Topic& topic = *found;
  if (topic.subscription != 0) {
    join(connection, subscribe.request, topic, get_retained);
    return Taken::yes;
  }
  const std::uint64_t token = next_token_++;
  pending_.emplace(token, PendingSubscribe{.who = connection.id,
                                           .io_generation = connection.io_generation,
                                           .request = subscribe.request,
                                           .topic = &topic,
                                           .asked_ms = now_,
                                           .get_retained = get_retained});
  ++topic.requests_pending;
  ++session.subscribes_pending;
  ask_home(token, topic);
  return Taken::yes;
}

// Subscribing twice to one topic is one subscription; both requests get its id (WAMP,
// "Subscribing").
void Router::join(Connection& connection, std::uint64_t request, Topic& topic, bool get_retained) {
  Session& session = *connection.session;
  if (session.memberships.find(topic.subscription) == Memberships::kNone) {
    settle_fan_out();  // what was published before is not for this subscriber
    topics_.add(topic, connection.serializer, connection.id.slot, session);
    counters_.add(ring::Counter::subscriptions);
    subscriber_changed(MembershipChange::joined, topic, connection.id);
  }
  out_.clear();
  wire::append_subscribed(out_, connection.serializer, request, topic.subscription);
  send(connection, out_);
  if (get_retained) retention_.fetch({connection.id, topic.subscription}, topic.key());
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
  subscriber_changed(MembershipChange::left, topic, connection.id);
  release_if_unused(topic, connection.id);
}

}  // namespace ringcast::worker
