// What a home worker knows of the topics whose home it is: their subscription ids, and which
// workers hold them. One per worker; used by its thread only. It asks nobody: requests come in and
// answers go out by the Router.
//
// After a restart it knows nothing, until every worker that was live has announced again what it
// holds (worker/home_service.h); so all subscribers of a topic go on sharing one id.
#pragma once

#include <atomic>
#include <cstdint>

#include "worker/id_index.h"
#include "worker/topics.h"

namespace ringcast::worker {

// A subscription, as its home worker knows it.
struct HomeTopic : UriRecord<HomeTopic> {
  std::uint64_t holders = 0;  // bit per worker
  std::uint32_t subscription = 0;
  std::uint32_t created_s = 0;  // wall clock, since 1970; after a restart of this worker, that

  bool held_only_by(std::uint32_t worker) const { return holders == std::uint64_t{1} << worker; }
};
static_assert(sizeof(HomeTopic) == 32, "and the URI behind it: what a topic costs its home worker");

class HomeTable {
 public:
  // `ids_used` lies in the shared segment and counts through all incarnations: no id is given
  // twice.
  HomeTable(std::uint32_t worker, std::uint32_t workers, std::atomic<std::uint32_t>& ids_used);

  // `worker` wants to hold the topic. Its subscription id, or 0 when this node's ids are used up.
  std::uint32_t subscribe(const TopicKey& key, std::uint32_t worker);

  // `worker` says that it has held the topic under this id since before the restart.
  void announce(const TopicKey& key, std::uint32_t subscription, std::uint32_t worker);

  // `worker` holds the topic with this hash and id no more. The last holder takes the topic with
  // it: a later one gets a new id.
  void release(std::uint64_t hash, std::uint32_t subscription, std::uint32_t worker);

  // `worker` is gone and holds nothing.
  void forget_worker(std::uint32_t worker);

  // Null if there is none.
  const HomeTopic* find(const TopicKey& key) { return topics_.find(key); }
  const HomeTopic* find(std::uint32_t subscription) const { return by_id_.find(subscription); }

  template <typename Visit>
  void for_each(Visit visit) {
    topics_.for_each(visit);
  }
  std::size_t size() const { return topics_.size(); }

 private:
  HomeTopic& insert(const TopicKey& key, std::uint32_t subscription);
  void drop_holder(HomeTopic& topic, std::uint32_t worker);

  std::uint32_t worker_;
  std::uint32_t workers_;
  std::atomic<std::uint32_t>& ids_used_;
  UriTable<HomeTopic> topics_;
  IdIndex<HomeTopic> by_id_;  // all of topics_
};

}  // namespace ringcast::worker
