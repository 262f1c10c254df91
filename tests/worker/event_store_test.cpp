// Histories: what a query finds, and what goes when a bound is passed; retained events: which is
// kept for how long.
#include "worker/event_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

using ring::test::below;
using testing::ElementsAre;
using testing::IsEmpty;
using Ids = std::vector<std::uint64_t>;

constexpr std::uint32_t kSubscription = 5;
constexpr std::size_t kRoom = std::size_t{1} << 20;
constexpr std::int64_t kNow_ms = 1'790'000'000'000;

Event event(std::uint64_t publication, std::int64_t time_ms = kNow_ms,
            wire::Bytes topic = "com.example") {
  Event e;
  e.publication = publication;
  e.time_ms = time_ms;
  e.topic = topic;
  return e;
}

Ids found(EventStore& store, const EventQuery& query, std::int64_t now_ms = kNow_ms,
          std::uint32_t subscription = kSubscription) {
  Ids ids;
  EXPECT_EQ(store.query(subscription, query, now_ms,
                        [&](const Event& e) {
                          ids.push_back(e.publication);
                          return true;
                        }),
            QueryOutcome::ok);
  return ids;
}

// Publications 10, 20 … 60, a second apart, on two topics in turn.
struct SixEvents {
  SixEvents() {
    store.open(kSubscription, {.age_max_ms = kNow_ms});
    for (int i = 1; i <= 6; ++i) {
      const char* topic = i % 2 == 0 ? "com.even" : "com.odd";
      store.append(kSubscription, event(static_cast<std::uint64_t>(i) * 10, i * 1000, topic));
    }
  }
  EventStore store{kRoom};
};

TEST(EventStore, AnEventComesBackAsItWasGiven) {
  EventStore store(kRoom);
  store.open(kSubscription, {});
  std::string bytes = "com.example.topic|[1,2]|{\"a\":1}|{\"ppt\":1}|alice|admin";
  const wire::Bytes view = bytes;
  Event given = event((std::uint64_t{1} << 53) - 1);
  given.serializer = wire::Serializer::msgpack;
  given.topic = view.substr(0, 17);
  given.payload.args = view.substr(18, 5);
  given.payload.kwargs = view.substr(24, 7);
  given.details = view.substr(32, 9);
  given.publisher = 77;
  given.publisher_authid = view.substr(42, 5);
  given.publisher_authrole = view.substr(48);
  given.excluded_session = 78;
  ASSERT_EQ(store.append(kSubscription, given), AppendOutcome::stored);
  std::fill(bytes.begin(), bytes.end(), 'x');

  int visited = 0;
  store.query(kSubscription, {}, kNow_ms, [&](const Event& e) {
    ++visited;
    EXPECT_EQ(e.publication, (std::uint64_t{1} << 53) - 1);
    EXPECT_EQ(e.time_ms, kNow_ms);
    EXPECT_EQ(e.serializer, wire::Serializer::msgpack);
    EXPECT_EQ(e.topic, "com.example.topic");
    EXPECT_EQ(e.payload.args, "[1,2]");
    EXPECT_EQ(e.payload.kwargs, "{\"a\":1}");
    EXPECT_EQ(e.details, "{\"ppt\":1}");
    EXPECT_EQ(e.publisher, 77u);
    EXPECT_EQ(e.publisher_authid, "alice");
    EXPECT_EQ(e.publisher_authrole, "admin");
    EXPECT_EQ(e.excluded_session, 78u);
    EXPECT_FALSE(e.restricted);
    return true;
  });
  EXPECT_EQ(visited, 1);
}

TEST(EventStore, KeepsNothingForASubscriptionThatIsNotOpen) {
  EventStore store(kRoom);
  EXPECT_EQ(store.append(kSubscription, event(1)), AppendOutcome::no_history);
  const auto never = [](const Event&) { return true; };
  EXPECT_EQ(store.query(kSubscription, {}, kNow_ms, never), QueryOutcome::no_history);
  store.open(kSubscription, {});
  EXPECT_THAT(found(store, {}), IsEmpty());
  store.append(kSubscription, event(1));
  store.close(kSubscription);
  store.close(kSubscription);
  EXPECT_EQ(store.query(kSubscription, {}, kNow_ms, never), QueryOutcome::no_history);
  EXPECT_EQ(store.bytes(), 0u);
  EXPECT_EQ(store.events(), 0u);
  EXPECT_EQ(store.histories(), 0u);
}

TEST(EventStore, AnswersInTheOrderOfOccurrenceOrInReverse) {
  SixEvents six;
  EventStore& store = six.store;
  EXPECT_THAT(found(store, {}), ElementsAre(10, 20, 30, 40, 50, 60));
  EXPECT_THAT(found(store, {.reverse = true}), ElementsAre(60, 50, 40, 30, 20, 10));
  EXPECT_THAT(found(store, {.limit = 2}), ElementsAre(10, 20));
  EXPECT_THAT(found(store, {.reverse = true, .limit = 2}), ElementsAre(60, 50));
  EXPECT_THAT(found(store, {.limit = 0}), IsEmpty());
}

TEST(EventStore, FiltersByTime) {
  SixEvents six;
  EventStore& store = six.store;
  EXPECT_THAT(found(store, {.from_time_ms = 5000}), ElementsAre(50, 60));
  EXPECT_THAT(found(store, {.after_time_ms = 5000}), ElementsAre(60));
  EXPECT_THAT(found(store, {.before_time_ms = 2000}), ElementsAre(10));
  EXPECT_THAT(found(store, {.until_time_ms = 2000}), ElementsAre(10, 20));
  EXPECT_THAT(found(store, {.from_time_ms = 2500, .until_time_ms = 4500}), ElementsAre(30, 40));
}

TEST(EventStore, FiltersByWhatCameBeforeAndBehindAPublication) {
  SixEvents six;
  EventStore& store = six.store;
  EXPECT_THAT(found(store, {.from_publication = 50}), ElementsAre(50, 60));
  EXPECT_THAT(found(store, {.after_publication = 50}), ElementsAre(60));
  EXPECT_THAT(found(store, {.after_publication = 60}), IsEmpty());
  EXPECT_THAT(found(store, {.before_publication = 20}), ElementsAre(10));
  EXPECT_THAT(found(store, {.before_publication = 10}), IsEmpty());
  EXPECT_THAT(found(store, {.until_publication = 20}), ElementsAre(10, 20));
  EXPECT_THAT(found(store, {.after_publication = 20, .before_publication = 50}),
              ElementsAre(30, 40));
  EXPECT_THAT(found(store, {.from_publication = 50, .until_publication = 20}), IsEmpty());
  EXPECT_THAT(found(store, {.reverse = true, .from_publication = 50, .before_publication = 20}),
              IsEmpty());
}

TEST(EventStore, AllConditionsMustHold) {
  SixEvents six;
  EventStore& store = six.store;
  EXPECT_THAT(found(store, {.topic = "com.even"}), ElementsAre(20, 40, 60));
  EXPECT_THAT(found(store, {.reverse = true,
                            .limit = 2,
                            .until_time_ms = 5000,
                            .after_publication = 10,
                            .topic = "com.odd"}),
              ElementsAre(50, 30));
  EXPECT_THAT(found(store, {.topic = "com"}), IsEmpty());
}

TEST(EventStore, PagesThroughAllInBothDirections) {
  SixEvents six;
  EventStore& store = six.store;
  for (const bool reverse : {false, true}) {
    Ids all;
    EventQuery query{.reverse = reverse, .limit = 4};
    for (Ids page = found(store, query); !page.empty(); page = found(store, query)) {
      all.insert(all.end(), page.begin(), page.end());
      (reverse ? query.before_publication : query.after_publication) = page.back();
    }
    if (reverse) std::reverse(all.begin(), all.end());
    EXPECT_THAT(all, ElementsAre(10, 20, 30, 40, 50, 60));
  }
}

TEST(EventStore, TellsWhenAPublicationIsNotThereAnyMore) {
  SixEvents six;
  EventStore& store = six.store;
  for (const EventQuery& query :
       {EventQuery{.from_publication = 55}, EventQuery{.after_publication = 55},
        EventQuery{.before_publication = 55}, EventQuery{.until_publication = 55},
        EventQuery{.from_publication = 10, .until_publication = 55}}) {
    int visited = 0;
    EXPECT_EQ(store.query(kSubscription, query, kNow_ms,
                          [&](const Event&) {
                            ++visited;
                            return true;
                          }),
              QueryOutcome::unknown_publication);
    EXPECT_EQ(visited, 0);
  }
}

TEST(EventStore, StopsWhenTheCallerHasNoRoomForMore) {
  SixEvents six;
  EventStore& store = six.store;
  Ids ids;
  EXPECT_EQ(store.query(kSubscription, {}, 6000,
                        [&](const Event& e) {
                          ids.push_back(e.publication);
                          return ids.size() < 3;
                        }),
            QueryOutcome::ok);
  EXPECT_THAT(ids, ElementsAre(10, 20, 30));
}

TEST(EventStore, DoesNotStoreWhatHadAnExcludeOrEligibleList) {
  EventStore store(kRoom);
  store.open(kSubscription, {});
  Event restricted = event(1);
  restricted.restricted = true;
  EXPECT_EQ(store.append(kSubscription, restricted), AppendOutcome::restricted);
  EXPECT_THAT(found(store, {}), IsEmpty());
  EXPECT_EQ(store.bytes(), 0u);
}

TEST(EventStore, HistoriesKnowNothingOfEachOther) {
  EventStore store(kRoom);
  for (const std::uint32_t subscription : {1u, 2u}) store.open(subscription, {});
  store.append(1, event(10));
  store.append(2, event(20));
  store.append(1, event(30));
  EXPECT_THAT(found(store, {}, kNow_ms, 1), ElementsAre(10, 30));
  EXPECT_THAT(found(store, {}, kNow_ms, 2), ElementsAre(20));
  store.close(1);
  EXPECT_THAT(found(store, {}, kNow_ms, 2), ElementsAre(20));
  EXPECT_EQ(store.events(), 1u);
}

// ---- Bounds ----

TEST(EventStore, TheOldestGoesWhereTheCountIsPassed) {
  EventStore store(kRoom);
  store.open(kSubscription, {.events_max = 3});
  for (std::uint64_t id = 1; id <= 5; ++id) store.append(kSubscription, event(id));
  EXPECT_THAT(found(store, {}), ElementsAre(3, 4, 5));
  EXPECT_EQ(store.evicted().by_count, 2u);
  EXPECT_EQ(store.events(), 3u);
}

TEST(EventStore, TheOldestGoWhereTheBytesArePassed) {
  const std::string small(1000, 's');
  const std::string large(2500, 'l');
  Event e = event(1);
  e.payload.args = small;
  const std::size_t one = StoredEvent::bytes(e);
  EventStore store(kRoom);
  store.open(kSubscription, {.bytes_max = 3 * one});
  for (; e.publication <= 4; ++e.publication) store.append(kSubscription, e);
  EXPECT_THAT(found(store, {}), ElementsAre(2, 3, 4));
  EXPECT_EQ(store.bytes(), 3 * one);
  e.payload.args = large;
  EXPECT_EQ(store.append(kSubscription, e), AppendOutcome::stored);
  EXPECT_THAT(found(store, {}), ElementsAre(5));
  EXPECT_EQ(store.evicted().by_bytes, 4u);
  EXPECT_EQ(store.bytes(), one + 1500);
}

TEST(EventStore, WhatIsTooLargeTakesAllBeforeItOut) {
  EventStore store(kRoom);
  store.open(kSubscription, {.bytes_max = 4000});
  store.append(kSubscription, event(1));
  const std::string large(4000, 'l');
  Event e = event(2);
  e.payload.kwargs = large;
  EXPECT_EQ(store.append(kSubscription, e), AppendOutcome::too_large);
  store.append(kSubscription, event(3));
  // Who has seen 1 and asks for what came behind it must not be told that this is all.
  EXPECT_EQ(store.query(kSubscription, {.after_publication = 1}, kNow_ms,
                        [](const Event&) { return true; }),
            QueryOutcome::unknown_publication);
  EXPECT_THAT(found(store, {}), ElementsAre(3));
  EXPECT_EQ(store.evicted().too_large, 1u);
}

TEST(EventStore, WhatIsTooOldGoesWhenItIsAskedForAppendedToOrSwept) {
  for (const int how : {0, 1, 2}) {
    EventStore store(kRoom);
    store.open(kSubscription, {.age_max_ms = 1000});
    store.append(kSubscription, event(1, kNow_ms));
    store.append(kSubscription, event(2, kNow_ms + 500));
    EXPECT_THAT(found(store, {}, kNow_ms + 1000), ElementsAre(1, 2));
    const std::int64_t later_ms = kNow_ms + 1001;
    const Ids seen = how == 0 ? found(store, {}, later_ms) : Ids{2};
    EXPECT_THAT(seen, ElementsAre(2));
    if (how == 1) store.append(kSubscription, event(3, later_ms));
    if (how == 2) store.expire(later_ms, 1);
    EXPECT_EQ(store.events(), how == 1 ? 2u : 1u);
    EXPECT_EQ(store.evicted().by_age, 1u);
  }
}

TEST(EventStore, ASweepGoesRoundAsFarAsItIsTold) {
  EventStore store(kRoom);
  for (const std::uint32_t subscription : {7u, 0u, 4'000'000'000u}) {
    store.open(subscription, {.age_max_ms = 1000});
    store.append(subscription, event(subscription + 1));
  }
  const std::int64_t later_ms = kNow_ms + 2000;
  for (std::size_t left = 3; left != 0; --left) {
    EXPECT_EQ(store.events(), left);
    store.expire(later_ms, 1);
  }
  EXPECT_EQ(store.events(), 0u);
  store.append(7, event(1));
  store.expire(later_ms, 100);
  EXPECT_EQ(store.events(), 0u);
}

TEST(EventStore, AClockThatGoesBackLosesNothing) {
  EventStore store(kRoom);
  store.open(kSubscription, {.age_max_ms = 1000});
  store.append(kSubscription, event(1, kNow_ms));
  store.append(kSubscription, event(2, kNow_ms - 5000));
  EXPECT_THAT(found(store, {}, kNow_ms - 5000), ElementsAre(1, 2));
  EXPECT_THAT(found(store, {}, kNow_ms + 2000), IsEmpty());
}

TEST(EventStore, WhereTheStoreIsFullTheEventsThatCameFirstGoWhoseverTheyAre) {
  const std::size_t one = StoredEvent::bytes(event(1));
  EventStore store(4 * one);
  for (const std::uint32_t subscription : {1u, 2u}) store.open(subscription, {});
  store.append(1, event(10));
  store.append(2, event(20));
  store.append(1, event(11));
  store.append(1, event(12));
  store.append(1, event(13));  // takes the place of 10
  store.append(2, event(21));  // takes the place of 20
  EXPECT_THAT(found(store, {}, kNow_ms, 1), ElementsAre(11, 12, 13));
  EXPECT_THAT(found(store, {}, kNow_ms, 2), ElementsAre(21));
  EXPECT_EQ(store.evicted().by_store_bytes, 2u);
  EXPECT_EQ(store.bytes(), 4 * one);
}

TEST(EventStore, NewLimitsHoldFromTheNextEventOn) {
  SixEvents six;
  EventStore& store = six.store;
  store.open(kSubscription, {.events_max = 2});
  store.append(kSubscription, event(70, 7000));
  EXPECT_THAT(found(store, {}, 7000), ElementsAre(60, 70));
}

TEST(EventStore, CountsWhatItHoldsOverRandomUse) {
  ring::test::Random random(17);
  EventStore store(20'000);
  const std::string bytes(3000, 'b');
  for (int step = 0; step < 20000; ++step) {
    const auto subscription = static_cast<std::uint32_t>(below(random, 6));
    const auto now_ms = static_cast<std::int64_t>(step) * 10 + 100;
    if (below(random, 50) == 0) {
      store.close(subscription);
    } else if (below(random, 20) == 0) {
      store.open(subscription, {.events_max = static_cast<std::uint32_t>(below(random, 20)),
                                .bytes_max = below(random, 9000),
                                .age_max_ms = static_cast<std::int64_t>(below(random, 4000))});
    } else {
      Event e = event(static_cast<std::uint64_t>(step), now_ms);
      e.payload.args = wire::Bytes(bytes).substr(0, below(random, bytes.size()));
      store.append(subscription, e);
    }
    ASSERT_LE(store.bytes(), 20'000u);
    std::size_t events = 0;
    std::size_t held = 0;
    for (std::uint32_t each = 0; each < 6; ++each) {
      store.query(each, {.reverse = true}, now_ms, [&](const Event& e) {
        ++events;
        held += StoredEvent::bytes(e);
        return true;
      });
    }
    ASSERT_EQ(store.events(), events);
    ASSERT_EQ(store.bytes(), held);
  }
  const EventStore::Evicted& evicted = store.evicted();
  for (const std::uint64_t count : {evicted.by_count, evicted.by_bytes, evicted.by_age,
                                    evicted.by_store_bytes, evicted.too_large}) {
    EXPECT_GT(count, 0u);
  }
}

// ---- Retained events ----

std::uint64_t retained(const RetainedEvents& events, wire::Bytes topic, std::uint16_t realm = 0) {
  const auto found = events.find(realm, topic);
  return found ? found->publication : 0;
}

TEST(RetainedEvents, TheLastOneOfATopicIsTheRetainedOne) {
  RetainedEvents events({});
  EXPECT_EQ(retained(events, "a"), 0u);
  EXPECT_EQ(events.put(0, event(1, kNow_ms, "a")), RetainedEvents::Put::retained);
  events.put(0, event(2, kNow_ms, "b"));
  events.put(1, event(3, kNow_ms, "a"));
  events.put(0, event(4, kNow_ms, "a"));
  EXPECT_EQ(retained(events, "a"), 4u);
  EXPECT_EQ(retained(events, "b"), 2u);
  EXPECT_EQ(retained(events, "a", 1), 3u);
  EXPECT_EQ(events.size(), 3u);
  EXPECT_EQ(events.bytes(), 3 * StoredEvent::bytes(event(1, kNow_ms, "a")));
}

TEST(RetainedEvents, OneThatNotAllMaySeeLeavesTheOneThatAllMaySee) {
  RetainedEvents events({});
  events.put(0, event(1, kNow_ms, "a"));
  Event restricted = event(2, kNow_ms, "a");
  restricted.restricted = true;
  EXPECT_EQ(events.put(0, restricted), RetainedEvents::Put::restricted);
  EXPECT_EQ(retained(events, "a"), 1u);
}

TEST(RetainedEvents, TellsFromWhomItIsToBeKept) {
  RetainedEvents events({});
  Event e = event(1, kNow_ms, "a");
  e.excluded_session = 99;
  events.put(0, e);
  EXPECT_EQ(events.find(0, "a")->excluded_session, 99u);
}

TEST(RetainedEvents, GoesWhenItIsErased) {
  RetainedEvents events({});
  for (const std::uint16_t realm : {0, 1, 2}) {
    events.put(realm, event(1, kNow_ms, "a"));
    events.put(realm, event(2, kNow_ms, "b"));
  }
  EXPECT_TRUE(events.erase(0, "a"));
  EXPECT_FALSE(events.erase(0, "a"));
  EXPECT_EQ(retained(events, "a"), 0u);
  events.erase_realm(1);
  EXPECT_EQ(retained(events, "b", 1), 0u);
  EXPECT_EQ(retained(events, "b", 0), 2u);
  EXPECT_EQ(retained(events, "a", 2), 1u);
  events.erase_realm(0);
  events.erase_realm(2);
  EXPECT_EQ(events.size(), 0u);
  EXPECT_EQ(events.bytes(), 0u);
}

TEST(RetainedEvents, WhereBoundsArePassedTheOneRetainedLongestAgoGoes) {
  RetainedEvents by_count({.events_max = 2});
  by_count.put(0, event(1, kNow_ms, "a"));
  by_count.put(0, event(2, kNow_ms, "b"));
  by_count.put(0, event(3, kNow_ms, "a"));  // now b is the one retained longest ago
  by_count.put(0, event(4, kNow_ms, "c"));
  EXPECT_EQ(retained(by_count, "a"), 3u);
  EXPECT_EQ(retained(by_count, "b"), 0u);
  EXPECT_EQ(retained(by_count, "c"), 4u);
  EXPECT_EQ(by_count.evicted(), 1u);

  const std::size_t one = StoredEvent::bytes(event(1, kNow_ms, "a"));
  RetainedEvents by_bytes({.bytes_max = 2 * one});
  by_bytes.put(0, event(1, kNow_ms, "a"));
  by_bytes.put(0, event(2, kNow_ms, "b"));
  by_bytes.put(0, event(3, kNow_ms, "b"));  // in its own place
  EXPECT_EQ(by_bytes.evicted(), 0u);
  by_bytes.put(0, event(4, kNow_ms, "c"));
  EXPECT_EQ(retained(by_bytes, "a"), 0u);
  EXPECT_EQ(retained(by_bytes, "b"), 3u);
  EXPECT_EQ(by_bytes.bytes(), 2 * one);
}

TEST(RetainedEvents, OneThatIsTooLargeLeavesNoneThatIsOutOfDate) {
  RetainedEvents events({.bytes_max = 1000});
  events.put(0, event(1, kNow_ms, "a"));
  const std::string large(1000, 'l');
  Event e = event(2, kNow_ms, "a");
  e.payload.args = large;
  EXPECT_EQ(events.put(0, e), RetainedEvents::Put::too_large);
  EXPECT_EQ(retained(events, "a"), 0u);
}

std::vector<std::string> matching(const RetainedEvents& events, wire::MatchPolicy match,
                                  wire::Bytes pattern, std::size_t looked_at_max = 100) {
  std::vector<std::string> topics;
  const auto more =
      events.for_each_match(1, match, pattern, std::nullopt, looked_at_max, [&](const Event& e) {
        topics.emplace_back(e.topic);
        return true;
      });
  if (more) topics.emplace_back("…");
  return topics;
}

TEST(RetainedEvents, ThoseThatMatchAPatternAreFound) {
  RetainedEvents events({});
  for (const char* topic : {"com.a.x", "com.b.x", "com.b.y", "com", "comb", "de.a.x", "com.b.x.z"})
    events.put(1, event(1, kNow_ms, topic));
  events.put(0, event(1, kNow_ms, "com.a.x"));
  events.put(2, event(1, kNow_ms, "com.a.x"));
  using wire::MatchPolicy;
  EXPECT_THAT(matching(events, MatchPolicy::prefix, "com.b"),
              ElementsAre("com.b.x", "com.b.x.z", "com.b.y"));
  EXPECT_EQ(matching(events, MatchPolicy::prefix, "").size(), 7u);
  EXPECT_THAT(matching(events, MatchPolicy::wildcard, "com..x"), ElementsAre("com.a.x", "com.b.x"));
  EXPECT_THAT(matching(events, MatchPolicy::wildcard, ".a.x"), ElementsAre("com.a.x", "de.a.x"));
  EXPECT_THAT(matching(events, MatchPolicy::wildcard, "com.b."), ElementsAre("com.b.x", "com.b.y"));
  EXPECT_THAT(matching(events, MatchPolicy::wildcard, ""), ElementsAre("com", "comb"));
  EXPECT_THAT(matching(events, MatchPolicy::exact, "com"), ElementsAre("com"));
  EXPECT_THAT(matching(events, MatchPolicy::prefix, "com.b", 2),
              ElementsAre("com.b.x", "com.b.x.z", "…"));
  // Four begin with "com.".
  EXPECT_THAT(matching(events, MatchPolicy::wildcard, "com..x", 4),
              ElementsAre("com.a.x", "com.b.x"));
  EXPECT_THAT(matching(events, MatchPolicy::prefix, "com.b", 3),
              ElementsAre("com.b.x", "com.b.x.z", "com.b.y"));
}

}  // namespace
}  // namespace ringcast::worker
