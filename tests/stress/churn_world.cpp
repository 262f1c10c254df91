#include "tests/stress/churn_world.h"

#include "tests/stress/verdict.h"

namespace ringcast::stress {

std::string World::topic_name(std::uint32_t topic, std::uint64_t uid) {
  if (topic < kSharedTopics) return fmt::format("stress.shared.{}", topic);
  if (topic == kGossip) return "stress.gossip";
  return fmt::format("stress.{}.{}", topic == kPrivate ? "private" : "late", uid);
}

void World::learn_session(std::uint64_t session) {
  if (!session_ids_.insert(session).second) fail("session id {} was given twice", session);
}

void World::learn_subscription(std::uint32_t topic, std::uint64_t uid, std::uint64_t subscription) {
  const std::uint64_t owner = topic <= kGossip ? topic : uid << 8 | topic;
  const auto [known, is_new] = subscription_owner_.emplace(subscription, owner);
  if (!is_new && known->second != owner) {
    misdelivered("subscription id {} is given for {}, but was given for another topic before",
                 subscription, topic_name(topic, uid));
  }
  if (topic > kGossip) return;
  // Somebody holds the shared ones all the time, so they keep their ids.
  std::uint64_t& shared = shared_ids_[topic];
  if (shared == 0) shared = subscription;
  if (shared != subscription) {
    fail("{} has subscription id {} for one session and {} for another", topic_name(topic, uid),
         shared, subscription);
  }
}

void World::learn_publication(std::size_t publisher, std::uint32_t topic, std::uint64_t sequence,
                              std::uint64_t publication) {
  auto& remembered = publications_[publisher][topic];
  if (remembered.empty()) remembered.resize(kRemembered);
  Remembered& entry = remembered[sequence % kRemembered];
  if (entry.sequence < sequence) {
    entry = {.sequence = sequence, .publication = publication};
  } else if (entry.sequence == sequence && entry.publication != publication) {
    misdelivered("note {} of publisher {} on topic {} has publication id {} here, {} elsewhere",
                 sequence, publisher, topic, publication, entry.publication);
  }
}

}  // namespace ringcast::stress
