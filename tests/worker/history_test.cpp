// The history of subscriptions and the questions about it: what is kept comes back as the
// specification's Events, and no bytes are believed that are no question.
#include "worker/history.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/ring/support.h"
#include "wire/transcode.h"
#include "worker/events_question.h"

namespace ringcast::worker {
namespace {

using wire::MatchPolicy;
using wire::Serializer;

class HistoryTest : public testing::Test {
 protected:
  void open(std::uint32_t subscription, MatchPolicy match = MatchPolicy::exact,
            const HistoryLimits& limits = {}) {
    history_.await();
    history_.open(subscription, {1, 3, "com.a", match}, limits);
  }
  void append(std::uint32_t subscription, std::uint64_t id, std::string_view args) {
    history_.append(
        subscription,
        {.id = id, .realm = 3, .topic = "com.a", .payload = {.args = args, .kwargs = {}}});
  }
  // As JSON.
  std::string ask(std::uint32_t subscription, const EventQuery& query = {},
                  std::size_t bytes_max = 100'000) {
    std::string args;
    std::string json;
    outcome_ = history_.query(subscription, query, bytes_max, args);
    if (outcome_ == History::Outcome::ok) {
      EXPECT_TRUE(wire::transcode(Serializer::msgpack, Serializer::json, args, json));
    }
    return json;
  }
  static std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  }

  ring::Counters counters_;
  History history_{counters_};
  History::Outcome outcome_ = History::Outcome::ok;
};

TEST_F(HistoryTest, IsCompleteOnceAllThatWereAwaitedHaveCome) {
  EXPECT_TRUE(history_.complete());
  history_.await();
  history_.await();
  history_.give_up();
  EXPECT_FALSE(history_.complete());
  history_.open(1, {1, 0, "com.a"}, {});
  EXPECT_TRUE(history_.complete());
}

TEST_F(HistoryTest, TellsEventsAsTheSpecificationWritesThem) {
  open(5);
  EXPECT_EQ(ask(5), "[[]]");
  append(5, 77, R"([1,"x"])");
  const std::string told = ask(5);
  EXPECT_TRUE(told.starts_with(R"([[{"timestamp":"2)")) << told;
  EXPECT_TRUE(
      told.ends_with(R"(Z","subscription":5,"publication":77,"details":{},"args":[1,"x"]}]])"))
      << told;
  EXPECT_EQ(counters_.get(ring::Counter::history_events), 1u);
}

TEST_F(HistoryTest, EventsOfAPatternSayTheirTopic) {
  open(5, MatchPolicy::prefix);
  append(5, 77, "[]");
  EXPECT_EQ(count(ask(5), R"("details":{"topic":"com.a"})"), 1u);
}

TEST_F(HistoryTest, AResultHasAsManyEventsAsFit) {
  open(5);
  for (std::uint64_t id = 1; id <= 10; ++id) append(5, id, R"(["0123456789"])");
  EXPECT_EQ(count(ask(5), "timestamp"), 10u);
  const std::size_t some = count(ask(5, {}, 500), "timestamp");
  EXPECT_GT(some, 2u);
  EXPECT_LT(some, 6u);
  EXPECT_EQ(ask(5, {}, 50), "");
  EXPECT_EQ(outcome_, History::Outcome::too_large);
  EventQuery query;
  query.from_publication = 11;
  ask(5, query);
  EXPECT_EQ(outcome_, History::Outcome::unknown_publication);
}

TEST_F(HistoryTest, KnowsTheSubscriptionsThatItKeeps) {
  open(5, MatchPolicy::wildcard);
  ASSERT_NE(history_.find(5), nullptr);
  EXPECT_EQ(history_.find(5)->realm, 3);
  EXPECT_EQ(history_.find(5)->uri, "com.a");
  EXPECT_EQ(history_.find(6), nullptr);
}

TEST(EventsQuestion, ComesBackAsItWasWritten) {
  EventsQuestion question{.subscription = 9, .role = 4, .query = {}};
  EXPECT_EQ(parse_events_question(write_events_question(question))->query.limit, UINT32_MAX);
  question.query.reverse = true;
  question.query.limit = 17;
  question.query.after_time_ms = -5;
  question.query.until_time_ms = 6;
  question.query.from_publication = 7;
  question.query.until_publication = 8;
  question.query.topic = "com.a";
  const std::string bytes = write_events_question(question);
  const auto back = parse_events_question(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->subscription, 9u);
  EXPECT_EQ(back->role, 4);
  EXPECT_TRUE(back->query.reverse);
  EXPECT_EQ(back->query.limit, 17u);
  EXPECT_FALSE(back->query.from_time_ms || back->query.before_time_ms);
  EXPECT_EQ(back->query.after_time_ms, -5);
  EXPECT_EQ(back->query.until_time_ms, 6);
  EXPECT_EQ(back->query.from_publication, 7u);
  EXPECT_FALSE(back->query.after_publication || back->query.before_publication);
  EXPECT_EQ(back->query.until_publication, 8u);
  EXPECT_EQ(back->query.topic, "com.a");
}

TEST(EventsQuestion, WhatIsNoneIsRefused) {
  std::string bytes = write_events_question({.subscription = 9, .query = {}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_events_question(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_events_question(bytes + "x"));  // a topic that is not announced
}

}  // namespace
}  // namespace ringcast::worker
