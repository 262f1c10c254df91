// What is true for the whole churn: who was given which id, and how far publishers have come. Every
// session checks what it receives against this. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace ringcast::stress {

// Topics by number: the shared ones first.
inline constexpr std::uint32_t kSharedTopics = 4;
inline constexpr std::uint32_t kGossip = kSharedTopics;       // what sessions that come and go say
inline constexpr std::uint32_t kPrivate = kSharedTopics + 1;  // one for each session
inline constexpr std::uint32_t kLate = kSharedTopics + 2;     // one for each: its asker leaves
inline constexpr std::size_t kPublishers = 2;                 // that stay: sessions 1 and 2

class Member;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  std::uint64_t random(std::uint64_t bound) { return random_() % bound; }
  std::uint64_t next_uid() { return ++last_uid_; }
  std::uint64_t last_uid() const { return last_uid_; }

  // Requests of different sessions are numbered in ranges that do not touch: an answer that reaches
  // another session than the one that asked is recognised by its number.
  std::uint64_t first_request(std::uint64_t uid) { return uid << 20 | (1 + random(1u << 16)); }

  static std::string topic_name(std::uint32_t topic, std::uint64_t uid);

  // Each of these fails if what the broker says contradicts what it said before.
  void learn_session(std::uint64_t session);
  void learn_subscription(std::uint32_t topic, std::uint64_t uid, std::uint64_t subscription);
  void learn_publication(std::size_t publisher, std::uint32_t topic, std::uint64_t sequence,
                         std::uint64_t publication);

  // The number of the next note of a publisher on a shared topic.
  std::uint64_t next_sequence(std::size_t publisher, std::uint32_t topic) {
    ++published_[publisher];
    return ++sequences_[publisher][topic];
  }
  std::uint64_t sequence(std::size_t publisher, std::uint32_t topic) const {
    return sequences_[publisher][topic];
  }
  std::uint64_t published(std::size_t publisher) const { return published_[publisher]; }

  // Those whose private topic is subscribed to now.
  std::vector<Member*> addressees;

 private:
  // More than are under way at any time.
  static constexpr std::size_t kRemembered = 1u << 16;
  struct Remembered {
    std::uint64_t sequence = 0;
    std::uint64_t publication = 0;
  };

  std::mt19937_64 random_;
  std::uint64_t last_uid_ = 0;
  std::array<std::uint64_t, kSharedTopics + 1> shared_ids_{};
  std::unordered_map<std::uint64_t, std::uint64_t> subscription_owner_;  // every id ever given
  std::unordered_set<std::uint64_t> session_ids_;
  std::array<std::array<std::vector<Remembered>, kSharedTopics>, kPublishers> publications_;
  std::array<std::array<std::uint64_t, kSharedTopics>, kPublishers> sequences_{};
  std::array<std::uint64_t, kPublishers> published_{};
};

}  // namespace ringcast::stress
