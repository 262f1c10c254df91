#include "worker/home.h"

namespace ringcast::worker {

HomeTable::HomeTable(std::uint32_t worker, std::uint32_t workers,
                     std::atomic<std::uint32_t>& ids_used)
    : worker_(worker), workers_(workers), ids_used_(ids_used) {}

// Ids of different homes never meet: id - 1 is congruent to the home's number. At most 2^32 - 1,
// because a client turns larger ones into other types.
std::uint32_t HomeTable::draw_id() {
  // Relaxed: this worker is the only writer.
  const std::uint32_t used = ids_used_.load(std::memory_order_relaxed);
  const std::uint64_t id = std::uint64_t{used} * workers_ + worker_ + 1;
  if (id > UINT32_MAX) return 0;
  ids_used_.store(used + 1, std::memory_order_relaxed);
  return static_cast<std::uint32_t>(id);
}

HomeTable::Entry& HomeTable::insert(const TopicKey& key, std::uint32_t subscription) {
  auto entry = std::make_unique<Entry>();
  entry->uri = key.uri;
  entry->hash = key.hash;
  entry->realm = key.realm;
  entry->subscription = subscription;
  Entry& inserted = *entry;
  by_key_[inserted.key()] = &inserted;
  by_id_[subscription] = std::move(entry);
  return inserted;
}

std::uint32_t HomeTable::subscribe(const TopicKey& key, std::uint32_t worker) {
  const auto found = by_key_.find(key);
  Entry* entry = found == by_key_.end() ? nullptr : found->second;
  if (entry == nullptr) {
    const std::uint32_t id = draw_id();
    if (id == 0) return 0;
    entry = &insert(key, id);
  }
  entry->holders |= std::uint64_t{1} << worker;
  return entry->subscription;
}

void HomeTable::announce(const TopicKey& key, std::uint32_t subscription, std::uint32_t worker) {
  const auto found = by_id_.find(subscription);
  Entry& entry = found == by_id_.end() ? insert(key, subscription) : *found->second;
  entry.holders |= std::uint64_t{1} << worker;
}

void HomeTable::release(std::uint32_t subscription, std::uint32_t worker) {
  const auto found = by_id_.find(subscription);
  if (found == by_id_.end()) return;
  Entry& entry = *found->second;
  entry.holders &= ~(std::uint64_t{1} << worker);
  if (entry.holders != 0) return;
  by_key_.erase(entry.key());
  by_id_.erase(found);
}

void HomeTable::forget_worker(std::uint32_t worker) {
  std::vector<std::uint32_t> held;
  for (const auto& [id, entry] : by_id_) {
    if ((entry->holders >> worker & 1) != 0) held.push_back(id);
  }
  for (const std::uint32_t id : held) release(id, worker);
}

}  // namespace ringcast::worker
