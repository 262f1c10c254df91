#include "auth/decision_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace ringcast::auth {
namespace {

constexpr std::uint64_t kNow_ms = 1000;
constexpr Grant kYes{true, Disclosure::asked};
constexpr Grant kNo{false, Disclosure::asked};

DecisionCache::Question question(std::string_view principal, std::string_view uri,
                                 Action action = Action::call, UriMatch match = UriMatch::exact) {
  return {principal, action, {uri, match}};
}

TEST(DecisionCache, KnowsWhatItWasToldUntilItExpires) {
  DecisionCache cache({});
  EXPECT_FALSE(cache.find(question("user", "com.x"), kNow_ms));
  cache.store(question("user", "com.x"), kYes, kNow_ms + 100);
  cache.store(question("user", "com.y"), kNo, kNow_ms + 100);
  EXPECT_EQ(cache.find(question("user", "com.x"), kNow_ms + 99), kYes);
  EXPECT_EQ(cache.find(question("user", "com.y"), kNow_ms + 99), kNo);
  EXPECT_FALSE(cache.find(question("user", "com.x"), kNow_ms + 100));
  EXPECT_EQ(cache.size(), 1u) << "what has expired is gone";
}

TEST(DecisionCache, TellsQuestionsApart) {
  DecisionCache cache({});
  cache.store(question("ab", "c"), kYes, kNow_ms + 1);
  EXPECT_FALSE(cache.find(question("b", "ca"), kNow_ms));
  EXPECT_FALSE(cache.find(question("cab", ""), kNow_ms));
  EXPECT_FALSE(cache.find(question("a", "cb"), kNow_ms));
  EXPECT_FALSE(cache.find(question("ab", "c", Action::publish), kNow_ms));
  EXPECT_FALSE(cache.find(question("ab", "c", Action::call, UriMatch::prefix), kNow_ms));
  EXPECT_TRUE(cache.find(question("ab", "c"), kNow_ms));
}

TEST(DecisionCache, ANewAnswerReplacesTheOldOne) {
  DecisionCache cache({});
  cache.store(question("user", "com.x"), kYes, kNow_ms + 1);
  const std::size_t bytes = cache.bytes();
  cache.store(question("user", "com.x"), kNo, kNow_ms + 2);
  EXPECT_EQ(cache.find(question("user", "com.x"), kNow_ms + 1), kNo);
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(cache.bytes(), bytes);
}

TEST(DecisionCache, ForgetsWhatWasNotAskedForLongest) {
  DecisionCache cache({.entries_max = 3});
  for (const char* uri : {"a", "b", "c"}) cache.store(question("u", uri), kYes, kNow_ms + 1);
  EXPECT_TRUE(cache.find(question("u", "a"), kNow_ms));
  cache.store(question("u", "d"), kYes, kNow_ms + 1);
  EXPECT_TRUE(cache.find(question("u", "a"), kNow_ms));
  EXPECT_FALSE(cache.find(question("u", "b"), kNow_ms));
  EXPECT_TRUE(cache.find(question("u", "c"), kNow_ms));
  EXPECT_EQ(cache.size(), 3u);
}

TEST(DecisionCache, StaysWithinItsBytes) {
  DecisionCache cache({.bytes_max = 1000});
  for (int i = 0; i < 1000; ++i) {
    cache.store(
        question("user", std::string(static_cast<std::size_t>(i) % 200, 'x') + std::to_string(i)),
        kYes, kNow_ms + 1);
    EXPECT_LE(cache.bytes(), 1000u);
    EXPECT_GE(cache.size(), 1u);
  }
  const std::size_t size = cache.size();
  cache.store(question("user", std::string(2000, 'x')), kYes, kNow_ms + 1);
  EXPECT_EQ(cache.size(), size) << "one that never fits pushes out no other";
}

TEST(DecisionCache, ForgetsAPrincipal) {
  DecisionCache cache({});
  cache.store(question("joe", "a"), kYes, kNow_ms + 1);
  cache.store(question("joe", "b"), kYes, kNow_ms + 1);
  cache.store(question("e", "joe"), kYes, kNow_ms + 1);
  cache.store(question("ajoe", "x"), kYes, kNow_ms + 1);
  cache.forget("joe");
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_TRUE(cache.find(question("e", "joe"), kNow_ms));
  EXPECT_TRUE(cache.find(question("ajoe", "x"), kNow_ms));
  cache.clear();
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
  cache.store(question("joe", "a"), kYes, kNow_ms + 1);
  EXPECT_TRUE(cache.find(question("joe", "a"), kNow_ms));
}

}  // namespace
}  // namespace ringcast::auth
