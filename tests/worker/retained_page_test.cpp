// What workers say to each other about retained events: comes back as it was written, and no size
// that contradicts its frame is believed.
#include "worker/retained_page.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

std::vector<std::string> frames_of(RetainedPage page) {
  std::vector<std::string> frames;
  while (const auto frame = page.next()) frames.emplace_back(*frame);
  return frames;
}

std::string page_of(const std::vector<std::string>& frames,
                    std::optional<std::string_view> after = std::nullopt) {
  RetainedPageWriter writer;
  for (const std::string& frame : frames) {
    std::memcpy(writer.add(frame.size()), frame.data(), frame.size());
  }
  return writer.finish(after);
}

TEST(RetainedQuery, ComesBackAsItWasWritten) {
  const auto first = parse_retained_query(
      write_retained_query({.realm = 7, .match = wire::MatchPolicy::wildcard, .uri = "com..x"}));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->realm, 7);
  EXPECT_EQ(first->match, wire::MatchPolicy::wildcard);
  EXPECT_FALSE(first->after);
  const std::string bytes =
      write_retained_query({.match = wire::MatchPolicy::prefix, .uri = "", .after = "com.b"});
  const auto next = parse_retained_query(bytes);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->uri, "");
  EXPECT_EQ(next->after, "com.b");
}

TEST(RetainedQuery, WhatContradictsItselfIsRefused) {
  const std::string good = write_retained_query({.uri = "com.a"});
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_retained_query(std::string_view(good).substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_retained_query(good + "x"));  // an `after` that is not announced
  std::string policy = good;
  policy[2] = static_cast<char>(wire::MatchPolicy::unknown);
  EXPECT_FALSE(parse_retained_query(policy));
}

TEST(RetainedPage, FramesComeBackInOrder) {
  const std::vector<std::string> frames = {"one", "", std::string(100000, 'x'), "four"};
  const std::string last = page_of(frames);
  ASSERT_TRUE(parse_retained_page(last));
  EXPECT_FALSE(parse_retained_page(last)->after);
  EXPECT_EQ(frames_of(*parse_retained_page(last)), frames);
  const std::string some = page_of(frames, "com.x");
  EXPECT_EQ(parse_retained_page(some)->after, "com.x");
  EXPECT_EQ(frames_of(*parse_retained_page(some)), frames);
  EXPECT_TRUE(frames_of(*parse_retained_page(page_of({}))).empty());
}

TEST(RetainedPage, NoSizeLeadsOutOfIt) {
  ring::test::Random random(5);
  const std::string good = page_of({"one", "two and more", "three"}, "com.x");
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::vector<char> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    if (const auto page = parse_retained_page({cut.data(), cut.size()})) frames_of(*page);
  }
  for (int i = 0; i < 50000; ++i) {
    std::string bytes = good;
    for (std::uint64_t n = ring::test::below(random, 4); n != 0; --n) {
      bytes[ring::test::below(random, bytes.size())] = static_cast<char>(random());
    }
    auto page = parse_retained_page(bytes);
    if (!page) continue;
    while (const auto frame = page->next()) {
      ASSERT_GE(frame->data(), bytes.data());
      ASSERT_LE(frame->data() + frame->size(), bytes.data() + bytes.size());
    }
  }
}

}  // namespace
}  // namespace ringcast::worker
