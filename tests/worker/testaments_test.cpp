#include "worker/testaments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/recorder.h"

namespace ringcast::worker {
namespace {

using Scope = Testaments::Scope;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr ring::ConnectionId kAlice{.worker = 0, .slot = 3, .generation = 5};
constexpr ring::ConnectionId kNext{.worker = 0, .slot = 3, .generation = 6};

OwnPublication publication(std::string message) {
  return {.realm = 0, .serializer = wire::Serializer::json, .message = std::move(message)};
}

std::vector<std::string> taken(Testaments& testaments, ring::ConnectionId session) {
  std::vector<std::string> messages;
  for (const OwnPublication& each : testaments.take(session)) messages.push_back(each.message);
  return messages;
}

TEST(Testaments, DetachedOnesComeFirstEachInTheirOrder) {
  Testaments testaments;
  EXPECT_TRUE(testaments.add(kAlice, Scope::destroyed, publication("1")));
  EXPECT_TRUE(testaments.add(kAlice, Scope::detached, publication("2")));
  EXPECT_TRUE(testaments.add(kAlice, Scope::destroyed, publication("3")));
  EXPECT_TRUE(testaments.add(kAlice, Scope::detached, publication("4")));
  EXPECT_THAT(taken(testaments, kAlice), ElementsAre("2", "4", "1", "3"));
  EXPECT_THAT(taken(testaments, kAlice), IsEmpty());
}

TEST(Testaments, AreFlushedByScope) {
  Testaments testaments;
  testaments.add(kAlice, Scope::destroyed, publication("1"));
  testaments.add(kAlice, Scope::detached, publication("2"));
  testaments.flush(kAlice, Scope::detached);
  EXPECT_THAT(taken(testaments, kAlice), ElementsAre("1"));
  testaments.flush(kAlice, Scope::destroyed);
  // The slot's next session begins with nothing.
  EXPECT_TRUE(testaments.add(kNext, Scope::destroyed, publication("3")));
  testaments.flush(kNext, Scope::destroyed);
  EXPECT_THAT(taken(testaments, kNext), IsEmpty());
}

TEST(Testaments, ABoundOfEachSession) {
  Testaments testaments;
  for (std::size_t i = 0; i < Testaments::kPerSessionMax; ++i) {
    ASSERT_TRUE(
        testaments.add(kAlice, i % 2 == 0 ? Scope::detached : Scope::destroyed, publication("x")));
  }
  EXPECT_FALSE(testaments.add(kAlice, Scope::detached, publication("x")));
  EXPECT_EQ(taken(testaments, kAlice).size(), Testaments::kPerSessionMax);
  EXPECT_FALSE(testaments.add(kNext, Scope::detached,
                              publication(std::string(Testaments::kSessionBytesMax, 'x'))));
  EXPECT_THAT(taken(testaments, kNext), IsEmpty());
}

TEST(Testaments, ABoundInAllThatIsGivenBack) {
  Testaments testaments;
  const std::string large(Testaments::kSessionBytesMax - 1024, 'x');
  std::uint32_t slot = 0;
  while (testaments.add({.worker = 0, .slot = slot, .generation = 1}, Scope::detached,
                        publication(large))) {
    ++slot;
    ASSERT_LT(slot, 100u);
  }
  EXPECT_GE(slot, 60u);
  testaments.take({.worker = 0, .slot = 0, .generation = 1});
  EXPECT_TRUE(testaments.add(kNext.slot == slot ? kAlice : ring::ConnectionId{0, slot, 2},
                             Scope::detached, publication(large)));
}

TEST(Outbox, BeyondItsBoundsItDropsAndCounts) {
  ring::Counters counters;
  Outbox outbox(counters);
  for (std::size_t i = 0; i < Outbox::kMessagesMax + 2; ++i) outbox.push(publication("x"));
  EXPECT_TRUE(outbox.behind());
  EXPECT_EQ(counters.get(ring::Counter::router_events_dropped), 2u);
  outbox.pop();
  outbox.push(publication(std::string(Outbox::kBytesMax, 'x')));
  EXPECT_EQ(counters.get(ring::Counter::router_events_dropped), 3u);
  outbox.push(publication("y"));
  EXPECT_EQ(counters.get(ring::Counter::router_events_dropped), 3u);
}

}  // namespace
}  // namespace ringcast::worker
