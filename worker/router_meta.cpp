// What the router tells of its sessions and subscriptions, and what it publishes itself; and the
// questions of other workers.
#include <cassert>
#include <utility>

#include "ring/session_id.h"
#include "wire/encode.h"
#include "wire/uri.h"
#include "worker/router.h"

namespace ringcast::worker {

void Router::session_joined(const Connection& connection) {
  const Session& session = *connection.session;
  const IdentityView identity = identity_of(connection);
  segment_.sessions(self_).enter(
      connection.id.slot,
      {.generation = connection.id.generation,
       .realm = session.realm,
       .identified = session.identity != nullptr},
      {identity.authid(), identity.authrole(), identity.authmethod(), identity.authprovider()});
  events_.session_joined(session.realm, session_id_of(connection), identity);
}

// Its subscriptions have gone already, so it hears nothing of its own end.
void Router::session_left(const Connection& connection, bool quietly) {
  const Session& session = *connection.session;
  segment_.sessions(self_).leave(connection.id.slot);
  for (OwnPublication& publication : testaments_.take(connection.id)) {
    if (!quietly) outbox_.push(std::move(publication));
  }
  if (quietly) return;
  const IdentityView identity = identity_of(connection);
  events_.session_left(session.realm, session_id_of(connection), identity.authid(),
                       identity.authrole());
}

// Those that the incarnation before this one has died with.
void Router::announce_lost_sessions() {
  ring::SessionTable table = segment_.sessions(self_);
  const std::uint32_t slots = table.slots_used();
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    const ring::SessionEntry entry = table.read(slot);
    if (entry.generation == 0) continue;
    const auto texts = entry.identified ? table.texts(slot, entry) : std::nullopt;
    table.leave(slot);
    if (!realms_.contains(entry.realm)) continue;
    const std::uint64_t id =
        ring::session_id_of({.worker = self_, .slot = slot, .generation = entry.generation},
                            segment_.header().session_key);
    const IdentityView anonymous(nullptr, id, realms_[entry.realm].anonymous_role_name());
    events_.session_left(entry.realm, id, texts ? texts->authid : anonymous.authid(),
                         texts ? texts->authrole : anonymous.authrole());
  }
}

void Router::on_topic_change(MembershipChange change, ring::ConnectionId session,
                             const HomeTopic& topic) {
  events_.subscription(change, session, topic);
}

// The topic's home worker tells of it, after what it has told of its beginning and before what it
// will of its end. While that worker is away this is lost.
void Router::subscriber_changed(MembershipChange change, const Topic& topic,
                                ring::ConnectionId session) {
  if (!events_.subscriber_wanted(topic.realm, change)) return;
  const std::uint32_t home = home_of(topic.hash, segment_.workers());
  if (home == self_) return home_.subscriber_changed(change, session, topic.subscription);
  peers_.send(home, {.kind = ring::DescriptorKind::subscriber_notice,
                     .argument = topic.subscription,
                     .target = session.packed(),
                     .token = static_cast<std::uint64_t>(change)});
}

// "wamp.close.killed" or what else its killer says. What the client still sends is ignored, until
// its GOODBYE, for which it has as long as for a HELLO.
void Router::kill_session(Connection& connection, std::string_view reason, std::string_view message,
                          bool quietly) {
  settle(connection, quietly);
  out_.clear();
  wire::append_goodbye(out_, connection.serializer, reason, message);
  send(connection, out_);
  connection.session->state = Session::State::killed;
  transport_.set_established(connection, false);
}

bool Router::revoke_subscription(Connection& connection, std::uint32_t subscription,
                                 std::string_view reason) {
  Session& session = *connection.session;
  const std::size_t membership = session.memberships.find(subscription);
  if (membership == Memberships::kNone) return false;
  leave(connection, membership);
  // To others it would be a reply that they have not asked for (WAMP, "Subscription Revocation").
  if (!session.understands_subscription_revocation) return true;
  out_.clear();
  wire::append_subscription_revoked(out_, connection.serializer, subscription, reason);
  send(connection, out_);
  return true;
}

// Decoded now, with the same checks as a client's: a testament is what a client has sent.
Taken Router::publish_own(const OwnPublication& own) {
  auto& decoder = decoders_[static_cast<std::size_t>(own.serializer)];
  const wire::DecodeResult& result = decoder.decode(own.message);
  const auto* message = std::get_if<wire::Message>(&result);
  const auto* publish = message == nullptr ? nullptr : std::get_if<wire::Publish>(message);
  assert(publish != nullptr && "what is put into the outbox is a PUBLISH");
  Publication publication{.id = publication_ids_.next(),
                          .realm = own.realm,
                          .serializer = own.serializer,
                          .topic = publish->topic,
                          .payload = publish->payload};
  const Publisher publisher{own.publisher, own.publisher_authid, own.publisher_authrole,
                            own.discloses_publisher};
  if ((own.discloses_publisher || !is_plain(publish->options)) &&
      !add_extras(own.serializer, publish->options, publisher, publication)) {
    counters_.add(ring::Counter::router_events_dropped);
    return Taken::yes;
  }
  return hand_out(publication, nullptr);
}

bool Router::end_turn() {
  queries_.retry();
  while (!outbox_.empty() && !transport_.stage_full()) {
    if (publish_own(outbox_.front()) == Taken::blocked) break;
    outbox_.pop();
  }
  retention_.end_turn();
  return rpc_.run_finished();
}

bool Router::serve_query(QueryKind kind, std::uint16_t realm, std::string_view request,
                         std::string& reply) {
  switch (kind) {
    case QueryKind::registrations:
      return registration_meta_.serve(realm, request, reply);
    case QueryKind::events:
      return history_meta_.serve(realm, request, reply);
    case QueryKind::subscriptions:
      return subscription_meta_.serve(realm, request, reply);
    case QueryKind::kill_sessions:
      return session_meta_.serve(realm, request, reply);
  }
  counters_.add(ring::Counter::corrupt_descriptors_dropped);
  return true;
}

}  // namespace ringcast::worker
