// What a home worker knows of the topics whose home it is: their subscription ids, and which
// workers hold them. One per worker; used by its thread only. It asks nobody: requests come in and
// answers go out by the Router.
//
// After a restart it knows nothing, until every worker that was live has announced again what it
// holds (worker/home_service.h); so all subscribers of a topic go on sharing one id.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "worker/topics.h"

namespace ringcast::worker {

class HomeTable {
 public:
  // `ids_used` lies in the shared segment and counts through all incarnations: no id is given
  // twice.
  HomeTable(std::uint32_t worker, std::uint32_t workers, std::atomic<std::uint32_t>& ids_used);

  // `worker` wants to hold the topic. Its subscription id, or 0 when this node's ids are used up.
  std::uint32_t subscribe(const TopicKey& key, std::uint32_t worker);

  // `worker` says that it has held the topic under this id since before the restart.
  void announce(const TopicKey& key, std::uint32_t subscription, std::uint32_t worker);

  // `worker` holds it no more. The last holder takes the topic with it: a later one gets a new id.
  void release(std::uint32_t subscription, std::uint32_t worker);

  // `worker` is gone and holds nothing.
  void forget_worker(std::uint32_t worker);

  std::size_t size() const { return by_id_.size(); }

 private:
  struct Entry {
    std::string uri;
    std::uint64_t hash = 0;
    std::uint16_t realm = 0;
    std::uint32_t subscription = 0;
    std::uint64_t holders = 0;  // bit per worker
    TopicKey key() const { return {hash, realm, uri}; }
  };

  Entry& insert(const TopicKey& key, std::uint32_t subscription);
  std::uint32_t draw_id();

  std::uint32_t worker_;
  std::uint32_t workers_;
  std::atomic<std::uint32_t>& ids_used_;
  std::unordered_map<std::uint32_t, std::unique_ptr<Entry>> by_id_;
  std::unordered_map<TopicKey, Entry*, TopicKeyHash> by_key_;
};

}  // namespace ringcast::worker
