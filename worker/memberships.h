// The subscriptions of one session: a dense list that can be found by subscription id. Owned by its
// session.
//
// Most sessions have one, which needs no memory of its own, or a few, which a scan finds soonest; a
// session with many gets an index, so that no request of a client costs more than a constant.
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

  std::size_t size() const {
    if (many_) return many_->list.size();
    return one_.subscription != 0 ? 1 : 0;
  }
  bool empty() const { return size() == 0; }
  Membership& operator[](std::size_t index) { return many_ ? many_->list[index] : one_; }

  // The index of a subscription, kNone if the session does not have it.
  std::size_t find(std::uint64_t subscription) const;

  // REQUIRES: membership.subscription != 0.
  void push_back(const Membership& membership);

  // The last one takes the place of the one that goes.
  void erase(std::size_t index);

 private:
  static constexpr std::size_t kScanMax = 32;

  struct Many {
    std::vector<Membership> list;
    // Subscription id to index in the list; empty until there have been more than kScanMax.
    std::unordered_map<std::uint64_t, std::size_t> index;
  };

  Membership one_;              // its subscription is 0 exactly while it is not set
  std::unique_ptr<Many> many_;  // from the second one on, until there is none
};
static_assert(sizeof(Memberships) == 24, "what every session has");

}  // namespace ringcast::worker
