// What a home worker knows: one id per topic for all workers, never given twice, and gone with the
// last holder.
#include "worker/home.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

using ring::test::below;

constexpr TopicKey kA{1, 0, "a"};
constexpr TopicKey kB{2, 0, "b"};

TEST(HomeTable, GivesAllWorkersTheSameIdForATopic) {
  std::atomic<std::uint32_t> used{0};
  HomeTable home(0, 4, used);
  const std::uint32_t id = home.subscribe(kA, 0);
  EXPECT_NE(id, 0u);
  for (std::uint32_t worker = 0; worker < 4; ++worker) EXPECT_EQ(home.subscribe(kA, worker), id);
  EXPECT_NE(home.subscribe(kB, 0), id);
  EXPECT_EQ(home.size(), 2u);
}

TEST(HomeTable, TellsRealmsAndCollidingHashesApart) {
  std::atomic<std::uint32_t> used{0};
  HomeTable home(0, 1, used);
  std::set<std::uint32_t> ids = {home.subscribe({5, 0, "a"}, 0), home.subscribe({5, 1, "a"}, 0),
                                 home.subscribe({5, 0, "b"}, 0)};
  EXPECT_EQ(ids.size(), 3u);
}

TEST(HomeTable, TheTopicGoesWithItsLastHolderAndALaterOneGetsANewId) {
  std::atomic<std::uint32_t> used{0};
  HomeTable home(0, 4, used);
  const std::uint32_t id = home.subscribe(kA, 1);
  home.subscribe(kA, 2);
  home.release(kA.hash, id, 1);
  EXPECT_EQ(home.subscribe(kA, 3), id);
  home.release(kA.hash, id, 2);
  home.release(kA.hash, id, 3);
  EXPECT_EQ(home.size(), 0u);
  EXPECT_NE(home.subscribe(kA, 1), id);
}

TEST(HomeTable, AReleaseByOneWhoHoldsNothingChangesNothing) {
  std::atomic<std::uint32_t> used{0};
  HomeTable home(0, 4, used);
  const std::uint32_t id = home.subscribe(kA, 1);
  home.release(kA.hash, id, 2);
  home.release(kA.hash, id + 1, 1);
  home.release(kB.hash, id, 1);
  EXPECT_EQ(home.size(), 1u);
  EXPECT_EQ(home.subscribe(kA, 1), id);
}

TEST(HomeTable, IdsOfDifferentHomesNeverMeet) {
  std::set<std::uint32_t> ids;
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    std::atomic<std::uint32_t> used{0};
    HomeTable home(worker, 3, used);
    for (std::uint64_t topic = 0; topic < 100; ++topic) {
      EXPECT_TRUE(ids.insert(home.subscribe({topic, 0, "t"}, worker)).second);
    }
  }
}

TEST(HomeTable, AnIncarnationAfterTheNextStillGivesNoIdOfBefore) {
  std::atomic<std::uint32_t> used{0};
  std::set<std::uint32_t> ids;
  for (int incarnation = 0; incarnation < 5; ++incarnation) {
    HomeTable home(1, 2, used);
    for (std::uint64_t topic = 0; topic < 50; ++topic) {
      EXPECT_TRUE(ids.insert(home.subscribe({topic, 0, "t"}, 0)).second);
    }
  }
}

TEST(HomeTable, WhenIdsAreUsedUpItSaysSoAndKnownTopicsGoOn) {
  std::atomic<std::uint32_t> used{UINT32_MAX / 2 - 1};
  HomeTable home(0, 2, used);
  const std::uint32_t last = home.subscribe(kA, 0);
  EXPECT_EQ(last, UINT32_MAX - 2);
  EXPECT_EQ(home.subscribe(kB, 0), UINT32_MAX);
  EXPECT_EQ(home.subscribe({3, 0, "c"}, 0), 0u);
  EXPECT_EQ(home.size(), 2u);
  EXPECT_EQ(home.subscribe(kA, 1), last);
}

TEST(HomeTable, AnnouncedTopicsKeepTheirIds) {
  std::atomic<std::uint32_t> used{10};
  HomeTable home(0, 4, used);
  home.announce(kA, 5, 1);
  home.announce(kA, 5, 2);
  EXPECT_EQ(home.size(), 1u);
  EXPECT_EQ(home.subscribe(kA, 3), 5u);
  home.release(kA.hash, 5, 1);
  home.release(kA.hash, 5, 3);
  EXPECT_EQ(home.subscribe(kA, 1), 5u);  // worker 2 has held it all the time
}

TEST(HomeTable, AForgottenWorkerHoldsNothing) {
  std::atomic<std::uint32_t> used{0};
  HomeTable home(0, 64, used);
  const std::uint32_t shared = home.subscribe(kA, 63);
  home.subscribe(kA, 1);
  home.subscribe(kB, 63);
  home.forget_worker(63);
  EXPECT_EQ(home.size(), 1u);
  EXPECT_EQ(home.subscribe(kA, 2), shared);
  home.forget_worker(1);
  home.forget_worker(2);
  EXPECT_EQ(home.size(), 0u);
}

TEST(HomeTable, AgreesWithAMapOverRandomRequests) {
  struct Expected {
    std::uint32_t id;
    std::set<std::uint32_t> holders;
  };
  ring::test::Random random(23);
  std::atomic<std::uint32_t> used{0};
  HomeTable home(3, 5, used);
  std::map<std::uint64_t, Expected> expected;
  std::set<std::uint32_t> given;
  for (int step = 0; step < 50000; ++step) {
    const std::uint64_t topic = below(random, 8);
    const auto worker = static_cast<std::uint32_t>(below(random, 5));
    const auto entry = expected.find(topic);
    if (below(random, 2) == 0) {
      const std::uint32_t id = home.subscribe({topic, 0, "t"}, worker);
      if (entry == expected.end()) {
        ASSERT_TRUE(given.insert(id).second) << "id " << id << " was given before";
        expected[topic] = {id, {worker}};
      } else {
        ASSERT_EQ(id, entry->second.id);
        entry->second.holders.insert(worker);
      }
    } else if (below(random, 20) == 0) {
      home.forget_worker(worker);
      for (auto& [t, e] : expected) e.holders.erase(worker);
    } else if (entry != expected.end()) {
      home.release(topic, entry->second.id, worker);
      entry->second.holders.erase(worker);
    }
    std::erase_if(expected, [](const auto& e) { return e.second.holders.empty(); });
    ASSERT_EQ(home.size(), expected.size());
  }
}

}  // namespace
}  // namespace ringcast::worker
