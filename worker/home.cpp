#include "worker/home.h"

#include "worker/node_ids.h"

namespace ringcast::worker {

HomeTable::HomeTable(std::uint32_t worker, std::uint32_t workers,
                     std::atomic<std::uint32_t>& ids_used)
    : worker_(worker), workers_(workers), ids_used_(ids_used) {}

std::uint32_t HomeTable::subscribe(const TopicKey& key, std::uint32_t worker) {
  Entry* entry = entries_.find(key);
  if (entry == nullptr) {
    const std::uint32_t id = draw_node_id(ids_used_, workers_, worker_);
    if (id == 0) return 0;
    entry = &entries_.insert(key);
    entry->subscription = id;
  }
  entry->holders |= std::uint64_t{1} << worker;
  return entry->subscription;
}

// Whoever holds a topic has its id from one home worker, so they all announce the same.
void HomeTable::announce(const TopicKey& key, std::uint32_t subscription, std::uint32_t worker) {
  Entry* entry = entries_.find(key);
  if (entry == nullptr) {
    entry = &entries_.insert(key);
    entry->subscription = subscription;
  }
  entry->holders |= std::uint64_t{1} << worker;
}

void HomeTable::release(std::uint64_t hash, std::uint32_t subscription, std::uint32_t worker) {
  Entry* entry = entries_.find_if(
      hash, [subscription](const Entry& e) { return e.subscription == subscription; });
  if (entry != nullptr) drop_holder(*entry, worker);
}

void HomeTable::drop_holder(Entry& entry, std::uint32_t worker) {
  entry.holders &= ~(std::uint64_t{1} << worker);
  if (entry.holders == 0) entries_.erase(entry);
}

void HomeTable::forget_worker(std::uint32_t worker) {
  std::vector<Entry*> held;
  entries_.for_each([&](Entry& entry) {
    if ((entry.holders >> worker & 1) != 0) held.push_back(&entry);
  });
  for (Entry* entry : held) drop_holder(*entry, worker);
}

}  // namespace ringcast::worker
