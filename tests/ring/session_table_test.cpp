#include "ring/session_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace ringcast::ring {
namespace {

constexpr std::uint32_t kSlots = 8;

class SessionTableTest : public testing::Test {
 protected:
  std::vector<std::atomic<std::uint64_t>> entries_ =
      std::vector<std::atomic<std::uint64_t>>(kSlots + 1);
  std::vector<std::atomic<std::uint64_t>> texts_ =
      std::vector<std::atomic<std::uint64_t>>(kSlots * SessionTable::kTextsBytes / 8);
  SessionTable table_{entries_, texts_};
};

TEST_F(SessionTableTest, AnAnonymousSessionIsOneWord) {
  EXPECT_EQ(table_.slots_used(), 0u);
  EXPECT_EQ(table_.read(3).generation, 0u);
  const SessionEntry entry{.generation = (1u << 29) - 1, .realm = 65535};
  table_.enter(3, entry);
  EXPECT_EQ(table_.read(3), entry);
  EXPECT_EQ(table_.slots_used(), 4u);
  for (const auto& word : texts_) EXPECT_EQ(word.load(), 0u);
  table_.leave(3);
  EXPECT_EQ(table_.read(3).generation, 0u);
  EXPECT_EQ(table_.slots_used(), 4u);
}

TEST_F(SessionTableTest, TextsComeBackAndAreCutAtTheirBounds) {
  const std::string long_id(300, 'x');
  std::string long_role(127, 'y');
  long_role += "\u00e9\u00e9";  // its first byte is the last that would fit
  const SessionEntry entry{.generation = 1, .realm = 2, .identified = true};
  table_.enter(kSlots - 1, entry, {long_id, long_role, "ticket", "static"});
  const auto texts = table_.texts(kSlots - 1, entry);
  ASSERT_TRUE(texts);
  EXPECT_EQ(texts->authid, std::string(256, 'x'));
  EXPECT_EQ(texts->authrole, std::string(127, 'y'));
  EXPECT_EQ(texts->authmethod, "ticket");
  EXPECT_EQ(texts->authprovider, "static");
}

TEST_F(SessionTableTest, TextsOfASessionThatLeftAreNotToldAsAnothers) {
  const SessionEntry first{.generation = 1, .realm = 0, .identified = true};
  table_.enter(0, first, {"alice", "user", "ticket", "static"});
  table_.leave(0);
  EXPECT_EQ(table_.texts(0, first), std::nullopt);
  table_.enter(0, {.generation = 2, .realm = 0, .identified = true}, {"bob", "user", "ticket", ""});
  EXPECT_EQ(table_.texts(0, first), std::nullopt);
}

TEST_F(SessionTableTest, WhatTheSegmentClaimsIsBounded) {
  entries_[0] = UINT64_MAX;
  EXPECT_EQ(table_.slots_used(), kSlots);
  EXPECT_EQ(table_.read(kSlots).generation, 0u);
  EXPECT_EQ(table_.read(UINT32_MAX).generation, 0u);
  const SessionEntry entry{.generation = 1, .realm = 0, .identified = true};
  table_.enter(0, entry, {"a", "b", "c", "d"});
  texts_[0] = UINT64_MAX;  // lengths
  EXPECT_EQ(table_.texts(0, entry), std::nullopt);
}

// A reader on another thread sees one session's texts or none, never a mixture.
TEST_F(SessionTableTest, AReaderNeverSeesTwoSessionsInOne) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint32_t generation = 1; !stop; ++generation) {
      const std::string text(1 + generation % 100, static_cast<char>('a' + generation % 26));
      table_.enter(0, {.generation = generation & 0xFFFFFF, .realm = 1, .identified = true},
                   {text, text, "", text.substr(0, 60)});
      table_.leave(0);
      if (generation == 0xFFFFFF) break;
    }
  });
  std::size_t seen = 0;
  for (int i = 0; i < 200'000 || (seen == 0 && i < 100'000'000); ++i) {
    const SessionEntry entry = table_.read(0);
    if (entry.generation == 0) continue;
    const auto texts = table_.texts(0, entry);
    if (!texts) continue;
    ++seen;
    const std::string expected(1 + entry.generation % 100,
                               static_cast<char>('a' + entry.generation % 26));
    ASSERT_EQ(texts->authid, expected);
    ASSERT_EQ(texts->authrole, expected);
  }
  stop = true;
  writer.join();
  EXPECT_GT(seen, 0u);
}

}  // namespace
}  // namespace ringcast::ring
