// Records found by realm and URI: as a map does it, over insertions and removals that fill, shift
// and shrink the table, and with hashes that collide.
#include "worker/uri_table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

using ring::test::below;

struct Numbered : UriRecord<Numbered> {
  int number = 0;
};

TEST(UriTable, AnEmptyOneFindsNothing) {
  UriTable<Numbered> table;
  EXPECT_EQ(table.find({1, 0, "a"}), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

TEST(UriTable, ARecordKeepsItsNameWhateverTheCallersBytesBecome) {
  UriTable<Numbered> table;
  std::string uri = "com.example.topic";
  const Numbered& record = table.insert({7, 3, uri});
  uri.assign(uri.size(), 'x');
  EXPECT_EQ(record.uri(), "com.example.topic");
  EXPECT_EQ(record.key(), (TopicKey{7, 3, "com.example.topic"}));
  EXPECT_EQ(table.find({7, 3, "com.example.topic"}), &record);
}

TEST(UriTable, AnEmptyUriIsAName) {
  UriTable<Numbered> table;
  const Numbered& record = table.insert({0, 0, ""});
  EXPECT_EQ(table.find({0, 0, ""}), &record);
  EXPECT_EQ(table.find({0, 1, ""}), nullptr);
}

TEST(UriTable, FindsByHashAndWhatElseIsAsked) {
  UriTable<Numbered> table;
  for (int i = 0; i < 10; ++i)
    table.insert({5, 0, std::string(1, static_cast<char>('a' + i))}).number = i;
  const Numbered* found = table.find_if(5, [](const Numbered& n) { return n.number == 7; });
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->uri(), "h");
  EXPECT_EQ(table.find_if(6, [](const Numbered&) { return true; }), nullptr);
}

// Hashes: scattered as real ones, dense so that runs of neighbours form, and at the table's end so
// that runs wrap.
TEST(UriTable, AgreesWithAMapOverRandomInsertionsAndRemovals) {
  ring::test::Random random(41);
  for (const std::uint64_t spread : {std::uint64_t{0}, std::uint64_t{40}, std::uint64_t{1}}) {
    UriTable<Numbered> table;
    std::map<std::string, Numbered*> expected;
    const auto hash_of = [spread](std::uint64_t name) {
      if (spread == 0) return topic_hash(1, 0, std::to_string(name));
      return UINT64_MAX - name % spread;
    };
    for (int step = 0; step < 40000; ++step) {
      // Grows to hundreds and shrinks to a few, several times.
      const bool growing = step / 4000 % 2 == 0;
      const std::uint64_t name = below(random, growing ? 900 : 12);
      const std::string uri = std::to_string(name);
      const TopicKey key{hash_of(name), 0, uri};
      const auto known = expected.find(uri);
      ASSERT_EQ(table.find(key), known == expected.end() ? nullptr : known->second);
      if (known == expected.end()) {
        expected[uri] = &table.insert(key);
      } else {
        table.erase(*known->second);
        expected.erase(known);
        if (!growing && !expected.empty()) {
          table.erase(*expected.begin()->second);
          expected.erase(expected.begin());
        }
      }
      ASSERT_EQ(table.size(), expected.size());
    }
    std::size_t visited = 0;
    table.for_each([&](Numbered& record) {
      ++visited;
      EXPECT_EQ(expected[std::string(record.uri())], &record);
    });
    EXPECT_EQ(visited, expected.size());
  }
}

}  // namespace
}  // namespace ringcast::worker
