#include "ring/counters.h"

#include <cctype>
#include <set>
#include <string>
#include <thread>

#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

Counter counter_at(std::size_t index) { return static_cast<Counter>(index); }

const std::set<Counter> kGauges = {
    Counter::connections,    Counter::sessions,          Counter::subscriptions,
    Counter::topics,         Counter::publishers_paused, Counter::arena_free_bytes,
    Counter::arena_frames,   Counter::home_topics,       Counter::registrations,
    Counter::calls_open,     Counter::retained_events,   Counter::retained_bytes,
    Counter::history_events, Counter::history_bytes,
};

TEST(CountersTest, EveryCounterHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kCounterCount; ++i) {
    const std::string_view name = counter_name(counter_at(i));
    EXPECT_FALSE(name.empty());
    for (char c : name) EXPECT_TRUE(std::islower(static_cast<unsigned char>(c)) != 0 || c == '_');
    EXPECT_TRUE(names.insert(name).second) << name << " twice";
  }
}

// The names are a list beside the enumeration: some of each part of it, so that a shift is seen.
TEST(CountersTest, NamesStandAtTheirCounters) {
  EXPECT_EQ(counter_name(Counter::turns), "turns");
  EXPECT_EQ(counter_name(Counter::connections_accepted), "connections_accepted");
  EXPECT_EQ(counter_name(Counter::protocol_violations), "protocol_violations");
  EXPECT_EQ(counter_name(Counter::messages_received), "messages_received");
  EXPECT_EQ(counter_name(Counter::events_queued), "events_queued");
  EXPECT_EQ(counter_name(Counter::stale_frames_dropped), "stale_frames_dropped");
  EXPECT_EQ(counter_name(Counter::ring_full), "ring_full");
  EXPECT_EQ(counter_name(Counter::arena_free_bytes), "arena_free_bytes");
  EXPECT_EQ(counter_name(Counter::wakeups_sent), "wakeups_sent");
}

TEST(CountersTest, EachCountsForItself) {
  Counters counters;
  for (std::size_t i = 0; i < kCounterCount; ++i) EXPECT_EQ(counters.get(counter_at(i)), 0u);
  counters.add(Counter::sends);
  counters.add(Counter::bytes_sent, 1500);
  counters.add(Counter::bytes_sent, 500);
  counters.add(Counter::connections, 3);
  counters.subtract(Counter::connections);
  counters.set(Counter::arena_frames, 7);
  EXPECT_EQ(counters.get(Counter::sends), 1u);
  EXPECT_EQ(counters.get(Counter::bytes_sent), 2000u);
  EXPECT_EQ(counters.get(Counter::connections), 2u);
  EXPECT_EQ(counters.get(Counter::arena_frames), 7u);
  EXPECT_EQ(counters.get(Counter::bytes_received), 0u);
}

TEST(CountersTest, ANewIncarnationStartsItsGaugesAtZeroAndGoesOnWithItsTotals) {
  Counters counters;
  for (std::size_t i = 0; i < kCounterCount; ++i) counters.add(counter_at(i), i + 1);
  counters.reset_gauges();
  for (std::size_t i = 0; i < kCounterCount; ++i) {
    EXPECT_EQ(counters.get(counter_at(i)), kGauges.contains(counter_at(i)) ? 0u : i + 1)
        << counter_name(counter_at(i));
  }
}

TEST(CountersTest, AnyoneMayReadWhileTheOwnerCounts) {
  Counters counters;
  const std::uint64_t end = 1'000'000 / test::kRoundsDivisor;
  std::thread owner([&] {
    for (std::uint64_t i = 0; i < end; ++i) counters.add(Counter::turns);
  });
  std::uint64_t last = 0;
  bool went_back = false;
  while (last < end && !went_back) {
    const std::uint64_t now = counters.get(Counter::turns);
    went_back = now < last;
    last = now;
  }
  owner.join();
  EXPECT_FALSE(went_back);
  EXPECT_EQ(counters.get(Counter::turns), end);
}

}  // namespace
}  // namespace ringcast::ring
