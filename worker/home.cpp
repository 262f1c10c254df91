#include "worker/home.h"

#include "worker/node_ids.h"
#include "worker/wall_clock.h"

namespace ringcast::worker {

HomeTable::HomeTable(std::uint32_t worker, std::uint32_t workers,
                     std::atomic<std::uint32_t>& ids_used)
    : worker_(worker), workers_(workers), ids_used_(ids_used) {}

HomeTopic& HomeTable::insert(const TopicKey& key, std::uint32_t subscription) {
  HomeTopic& topic = topics_.insert(key);
  topic.subscription = subscription;
  topic.created_s = wall_clock_s();
  by_id_.insert(topic);
  return topic;
}

std::uint32_t HomeTable::subscribe(const TopicKey& key, std::uint32_t worker) {
  HomeTopic* topic = topics_.find(key);
  if (topic == nullptr) {
    const std::uint32_t id = draw_node_id(ids_used_, workers_, worker_);
    if (id == 0) return 0;
    topic = &insert(key, id);
  }
  topic->holders |= std::uint64_t{1} << worker;
  return topic->subscription;
}

// Whoever holds a topic has its id from one home worker, so they all announce the same. Of
// contradictions (a torn announcement) the first stands.
void HomeTable::announce(const TopicKey& key, std::uint32_t subscription, std::uint32_t worker) {
  HomeTopic* topic = topics_.find(key);
  if (topic == nullptr) {
    if (by_id_.find(subscription) != nullptr) return;
    topic = &insert(key, subscription);
  }
  topic->holders |= std::uint64_t{1} << worker;
}

void HomeTable::release(std::uint64_t hash, std::uint32_t subscription, std::uint32_t worker) {
  HomeTopic* topic = by_id_.find(subscription);
  if (topic != nullptr && topic->hash == hash) drop_holder(*topic, worker);
}

void HomeTable::drop_holder(HomeTopic& topic, std::uint32_t worker) {
  topic.holders &= ~(std::uint64_t{1} << worker);
  if (topic.holders != 0) return;
  by_id_.erase(topic);
  topics_.erase(topic);
}

void HomeTable::forget_worker(std::uint32_t worker) {
  std::vector<HomeTopic*> held;
  topics_.for_each([&](HomeTopic& topic) {
    if ((topic.holders >> worker & 1) != 0) held.push_back(&topic);
  });
  for (HomeTopic* topic : held) drop_holder(*topic, worker);
}

}  // namespace ringcast::worker
