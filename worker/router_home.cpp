// The home protocol from the side of the worker that asks, and what comes in by the rings.
#include <cassert>

#include "wire/encode.h"
#include "wire/uri.h"
#include "worker/error_uris.h"
#include "worker/router.h"

namespace ringcast::worker {
namespace {

// For descriptors that carry a match policy: whether it is one.
bool names_a_topic(const ring::Descriptor& descriptor) {
  return descriptor.reserved < static_cast<std::uint32_t>(wire::MatchPolicy::unknown);
}

TopicKey topic_key(const ring::Descriptor& descriptor, std::string_view uri) {
  return {descriptor.topic_hash, descriptor.realm, uri,
          static_cast<wire::MatchPolicy>(descriptor.reserved)};
}

}  // namespace

void Router::ask_home(std::uint64_t token, const Topic& topic) {
  const std::uint32_t home = home_of(topic.hash, segment_.workers());
  const ring::ConnectionId who = pending_.at(token).who;
  if (home == self_) return home_.subscribe(self_, token, who.packed(), topic.key());
  // While the home worker is away this is dropped, and made again by on_worker_live().
  peers_.send(home,
              {.kind = ring::DescriptorKind::subscribe_request,
               .realm = topic.realm,
               .target = who.packed(),
               .token = token,
               .topic_hash = topic.hash,
               .reserved = static_cast<std::uint32_t>(topic.match)},
              std::string(topic.uri()));
}

// One SUBSCRIBE waits no more. The session that made it, or null if that is over: the transport is
// gone, or carries another session.
Session* Router::settle_pending(const PendingSubscribe& pending) {
  Connection* connection = transport_.connections().in_slot(pending.who.slot);
  if (connection == nullptr || connection->io_generation != pending.io_generation ||
      !connection->session) {
    return nullptr;
  }
  Session& session = *connection->session;
  --session.subscribes_pending;
  const bool same = connection->id == pending.who && session.state == Session::State::established;
  return same ? &session : nullptr;
}

void Router::on_home_reply(std::uint64_t token, std::uint32_t subscription) {
  const auto found = pending_.find(token);
  if (found == pending_.end()) {
    counters_.add(ring::Counter::stale_frames_dropped);
    return;
  }
  const PendingSubscribe pending = found->second;
  pending_.erase(found);
  Topic& topic = *pending.topic;
  --topic.requests_pending;
  if (subscription != 0) topics_.set_subscription(topic, subscription);
  if (pending.history != nullptr) {
    if (subscription == 0) {
      history_.give_up();
      return release_if_unused(topic, pending.who);
    }
    topics_.keep_history(topic);
    return history_.open(subscription, topic.key(), pending.history->limits);
  }
  if (pending.given_up) return release_if_unused(topic, pending.who);

  if (settle_pending(pending) == nullptr) {
    counters_.add(ring::Counter::stale_frames_dropped);
    return release_if_unused(topic, pending.who);
  }
  Connection& connection = *transport_.connections().in_slot(pending.who.slot);
  if (subscription == 0) {
    error(connection, wire::MessageType::subscribe, pending.request, kLimitExceeded,
          "this node has used up its subscription ids; restart it");
    return release_if_unused(topic, pending.who);
  }
  join(connection, pending.request, topic, pending.get_retained);
}

void Router::release_if_unused(Topic& topic, ring::ConnectionId last) {
  counters_.set(ring::Counter::topics, topics_.size());
  if (topic.wanted() || topic.requests_pending != 0) return;
  if (topic.subscription != 0) tell_release(topic.hash, topic.subscription, last);
  topics_.erase(topic);
  counters_.set(ring::Counter::topics, topics_.size());
}

void Router::tell_release(std::uint64_t hash, std::uint32_t subscription, ring::ConnectionId last) {
  const std::uint32_t home = home_of(hash, segment_.workers());
  if (home == self_) return home_.release(self_, hash, subscription, last);
  // A home worker that is away learns from the next announcements what is held; this is not among
  // them.
  peers_.send(home, {.kind = ring::DescriptorKind::unsubscribe_notice,
                     .argument = subscription,
                     .target = last.packed(),
                     .topic_hash = hash});
}

void Router::on_descriptor(std::uint32_t from, const ring::Descriptor& descriptor,
                           std::string_view frame) {
  using Kind = ring::DescriptorKind;
  switch (descriptor.kind) {
    case Kind::publication:
      return publication_from(descriptor, frame);
    case Kind::subscribe_request:
      if (!names_a_topic(descriptor)) break;
      return home_.subscribe(from, descriptor.token, descriptor.target,
                             topic_key(descriptor, frame));
    case Kind::subscribe_reply:
      return on_home_reply(descriptor.token, descriptor.argument);
    case Kind::unsubscribe_notice:
      return home_.release(from, descriptor.topic_hash, descriptor.argument,
                           ring::ConnectionId::from_packed(descriptor.target));
    case Kind::subscriber_notice:
      if (descriptor.token >= kMembershipChanges) break;
      return home_.subscriber_changed(static_cast<MembershipChange>(descriptor.token),
                                      ring::ConnectionId::from_packed(descriptor.target),
                                      descriptor.argument);
    case Kind::announce:
      if (!names_a_topic(descriptor)) break;
      return home_.announce(from, descriptor.argument, topic_key(descriptor, frame));
    case Kind::announce_done:
      return home_.announce_done(from);
    case Kind::query:
      return queries_.on_query(from, descriptor, frame);
    case Kind::query_reply:
      return queries_.on_reply(from, descriptor, frame);
    case Kind::retained_request:
      return retention_.on_request(from, descriptor.token, frame);
    case Kind::retained_page:
      return retention_.on_page(from, descriptor.token, frame);
    default:
      if (rpc_.on_descriptor(from, descriptor, frame)) return;
      break;
  }
  counters_.add(ring::Counter::corrupt_descriptors_dropped);
}

void Router::begin(std::uint64_t expected) {
  announce_lost_sessions();
  home_.begin(expected);
  rpc_.begin(expected);
  open_histories();
}

void Router::open_histories() {
  for (std::uint16_t realm = 0; realm < realms_.configured(); ++realm) {
    for (const HistoryRule& rule : realms_[realm].histories) {
      const std::uint64_t hash =
          topic_hash(segment_.header().topic_seed, realm, rule.uri, rule.match);
      if (home_of(hash, segment_.workers()) != self_) continue;
      Topic* const topic = topics_.find_or_create({hash, realm, rule.uri, rule.match}).topic;
      assert(topic != nullptr && "who read the configuration has checked it");
      const std::uint64_t token = next_token_++;
      history_.await();
      pending_.emplace(token, PendingSubscribe{.who = {}, .topic = topic, .history = &rule});
      ++topic->requests_pending;
      ask_home(token, *topic);
    }
  }
}

void Router::on_worker_lost(std::uint32_t worker) {
  home_.on_worker_lost(worker);
  retention_.on_worker_lost(worker);
  rpc_.on_worker_lost(worker);
  queries_.on_worker_lost(worker);
}

// A home worker that was away is back and knows nothing: say what this worker holds of its topics,
// and ask again what it had not answered.
void Router::on_worker_live(std::uint32_t worker) {
  topics_.for_each([&](const Topic& topic) {
    if (home_of(topic.hash, segment_.workers()) != worker || topic.subscription == 0) return;
    peers_.send(worker,
                {.kind = ring::DescriptorKind::announce,
                 .realm = topic.realm,
                 .argument = topic.subscription,
                 .topic_hash = topic.hash,
                 .reserved = static_cast<std::uint32_t>(topic.match)},
                std::string(topic.uri()));
  });
  peers_.send(worker, {.kind = ring::DescriptorKind::announce_done});
  rpc_.on_worker_live(worker);
  drop_given_up(worker);
  for (const auto& [token, pending] : pending_) {
    if (home_of(pending.topic->hash, segment_.workers()) == worker) ask_home(token, *pending.topic);
  }
}

// The incarnation that might still have answered these is gone.
void Router::drop_given_up(std::uint32_t home) {
  std::vector<Topic*> released;
  std::erase_if(pending_, [&](const auto& entry) {
    const PendingSubscribe& pending = entry.second;
    if (!pending.given_up || home_of(pending.topic->hash, segment_.workers()) != home) return false;
    if (--pending.topic->requests_pending == 0) released.push_back(pending.topic);
    return true;
  });
  for (Topic* topic : released) release_if_unused(*topic, {});
}

void Router::expire_pending(TimeMs now) {
  now_ = now;
  retention_.resume();
  history_.expire();
  rpc_.expire_registers();
  queries_.expire(now);
  rpc_.report();
  for (auto& [token, pending] : pending_) {
    if (pending.given_up || pending.history != nullptr ||
        now - pending.asked_ms < kHomeReplyTimeoutMs)
      continue;
    pending.given_up = true;
    if (settle_pending(pending) == nullptr) continue;
    error(*transport_.connections().in_slot(pending.who.slot), wire::MessageType::subscribe,
          pending.request, wire::uri::kNetworkFailure,
          "the worker that keeps this topic's subscriptions is away; subscribe again");
  }
}

}  // namespace ringcast::worker
