#include "worker/meta_events.h"

#include "ring/session_id.h"
#include "wire/encode.h"
#include "wire/uri.h"
#include "worker/meta_details.h"
#include "worker/topics.h"

namespace ringcast::worker {
namespace {

// In the order of MembershipChange.
constexpr std::string_view kRegistrationTopics[] = {
    "wamp.registration.on_create", "wamp.registration.on_register",
    "wamp.registration.on_unregister", "wamp.registration.on_delete"};
constexpr std::string_view kSubscriptionTopics[] = {
    "wamp.subscription.on_create", "wamp.subscription.on_subscribe",
    "wamp.subscription.on_unsubscribe", "wamp.subscription.on_delete"};

}  // namespace

// Any worker's bit, this one's included.
bool MetaEvents::wanted(std::uint16_t realm, std::string_view topic) const {
  const std::uint64_t hash = topic_hash(segment_.header().topic_seed, realm, topic);
  return (segment_.interested_workers(hash) |
          segment_.interested_workers(reserved_patterns_hash(segment_, realm))) != 0;
}

bool MetaEvents::subscriber_wanted(std::uint16_t realm, MembershipChange change) const {
  return wanted(realm, kSubscriptionTopics[static_cast<std::size_t>(change)]);
}

template <typename WriteArgs>
void MetaEvents::tell(std::uint16_t realm, std::string_view topic, WriteArgs write_args) {
  if (!wanted(realm, topic)) return;
  std::string args;
  wire::Writer writer(args, wire::Serializer::msgpack);
  write_args(writer);
  OwnPublication publication;
  publication.realm = realm;
  wire::append_publish(publication.message, publication.serializer, 1, {}, topic,
                       {.args = args, .kwargs = {}});
  outbox_.push(std::move(publication));
}

std::uint64_t MetaEvents::session_id(ring::ConnectionId session) const {
  return session.generation == 0 ? 0 : ring::session_id_of(session, segment_.header().session_key);
}

void MetaEvents::session_joined(std::uint16_t realm, std::uint64_t session,
                                const IdentityView& identity) {
  tell(realm, "wamp.session.on_join", [&](wire::Writer& writer) {
    writer.open_list(1);
    write_session_details(writer, session, identity);
    writer.close_list();
  });
}

void MetaEvents::session_left(std::uint16_t realm, std::uint64_t session, std::string_view authid,
                              std::string_view authrole) {
  tell(realm, "wamp.session.on_leave", [&](wire::Writer& writer) {
    writer.open_list(3);
    writer.integer(session);
    writer.text(authid);
    writer.text(authrole);
    writer.close_list();
  });
}

void MetaEvents::registration(MembershipChange change, ring::ConnectionId session,
                              const Registration& registration) {
  tell(registration.realm, kRegistrationTopics[static_cast<std::size_t>(change)],
       [&](wire::Writer& writer) {
         writer.open_list(2);
         writer.integer(session_id(session));
         if (change == MembershipChange::created) {
           write_details(writer, registration);
         } else {
           writer.integer(registration.id);
         }
         writer.close_list();
       });
}

// Subscriptions to the router's own topics are none of anybody's business: whoever watches
// subscriptions would otherwise hear of himself first.
void MetaEvents::subscription(MembershipChange change, ring::ConnectionId session,
                              const HomeTopic& topic) {
  if (wire::uri_reserved(topic.uri())) return;
  tell(topic.realm, kSubscriptionTopics[static_cast<std::size_t>(change)],
       [&](wire::Writer& writer) {
         writer.open_list(2);
         writer.integer(session_id(session));
         if (change == MembershipChange::created) {
           write_details(writer, topic);
         } else {
           writer.integer(topic.subscription);
         }
         writer.close_list();
       });
}

}  // namespace ringcast::worker
