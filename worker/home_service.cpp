#include "worker/home_service.h"

#include <algorithm>

namespace ringcast::worker {

HomeService::HomeService(ring::Segment& segment, std::uint32_t self, Peers& peers,
                         HomeClient& client)
    : self_(self),
      peers_(peers),
      client_(client),
      counters_(segment.block(self).counters),
      table_(self, segment.workers(), segment.block(self).node_ids_used) {}

void HomeService::subscribe(std::uint32_t from, std::uint64_t token, std::uint64_t target,
                            const TopicKey& key) {
  if (awaited_ == 0) return answer(from, token, target, key);
  deferred_.push_back({.from = from,
                       .token = token,
                       .target = target,
                       .hash = key.hash,
                       .realm = key.realm,
                       .match = key.match,
                       .uri = std::string(key.uri)});
}

void HomeService::answer(std::uint32_t from, std::uint64_t token, std::uint64_t target,
                         const TopicKey& key) {
  const bool created = table_.find(key) == nullptr;
  const std::uint32_t subscription = table_.subscribe(key, from);
  report();
  if (created && subscription != 0) {
    client_.on_topic_change(MembershipChange::created, ring::ConnectionId::from_packed(target),
                            *table_.find(subscription));
  }
  if (from == self_) {
    client_.on_home_reply(token, subscription);
    return;
  }
  peers_.send(from, {.kind = ring::DescriptorKind::subscribe_reply,
                     .realm = key.realm,
                     .argument = subscription,
                     .target = target,
                     .token = token,
                     .topic_hash = key.hash});
}

void HomeService::release(std::uint32_t from, std::uint64_t hash, std::uint32_t subscription,
                          ring::ConnectionId last) {
  const HomeTopic* topic = table_.find(subscription);
  if (topic != nullptr && topic->hash == hash && topic->held_only_by(from)) {
    client_.on_topic_change(MembershipChange::deleted, last, *topic);
  }
  table_.release(hash, subscription, from);
  report();
}

void HomeService::subscriber_changed(MembershipChange change, ring::ConnectionId session,
                                     std::uint32_t subscription) {
  const HomeTopic* topic = table_.find(subscription);
  if (topic != nullptr) client_.on_topic_change(change, session, *topic);
}

void HomeService::announce(std::uint32_t from, std::uint32_t subscription, const TopicKey& key) {
  table_.announce(key, subscription, from);
  report();
}

void HomeService::announce_done(std::uint32_t from) {
  awaited_ &= ~(std::uint64_t{1} << from);
  open_if_complete();
}

void HomeService::on_worker_lost(std::uint32_t worker) {
  table_.for_each([&](const HomeTopic& topic) {
    if (topic.held_only_by(worker)) {
      client_.on_topic_change(MembershipChange::deleted, {}, topic);
    }
  });
  table_.forget_worker(worker);
  std::erase_if(deferred_, [worker](const Deferred& d) { return d.from == worker; });
  awaited_ &= ~(std::uint64_t{1} << worker);
  report();
  open_if_complete();
}

void HomeService::open_if_complete() {
  if (awaited_ != 0) return;
  std::deque<Deferred> waiting;
  waiting.swap(deferred_);
  for (const Deferred& d : waiting)
    answer(d.from, d.token, d.target, {d.hash, d.realm, d.uri, d.match});
}

void HomeService::report() { counters_.set(ring::Counter::home_topics, table_.size()); }

}  // namespace ringcast::worker
