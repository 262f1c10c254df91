// The subscriptions of one session: a dense list that can be found by subscription id. Owned by its
// session.
//
// Most sessions have a few, which a scan finds soonest; a session with many gets an index, so that
// no request of a client costs more than a constant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace ringcast::worker {

struct Topic;  // worker/topics.h

// Where a session stands in a topic's dense array of subscribers.
struct Membership {
  Topic* topic = nullptr;
  std::uint32_t subscription = 0;  // the topic's
  std::uint32_t position = 0;      // in topic->subscribers of this session's serializer
};

class Memberships {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;

  std::size_t size() const { return list_.size(); }
  bool empty() const { return list_.empty(); }
  Membership& operator[](std::size_t index) { return list_[index]; }

  // The index of a subscription, kNone if the session does not have it.
  std::size_t find(std::uint64_t subscription) const;

  void push_back(const Membership& membership);

  // The last one takes the place of the one that goes.
  void erase(std::size_t index);

 private:
  static constexpr std::size_t kScanMax = 32;

  std::vector<Membership> list_;
  // Subscription id to index in list_; null while there are at most kScanMax and have never been
  // more.
  std::unique_ptr<std::unordered_map<std::uint64_t, std::size_t>> index_;
};

}  // namespace ringcast::worker
