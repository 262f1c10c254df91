#include "ring/realm_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace ringcast::ring {
namespace {

// Hashes as a MAC gives them.
std::uint64_t hash(std::uint64_t n) {
  n = (n + 1) * 0x9E3779B97F4A7C15u;
  n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9u;
  return n ^ n >> 27;
}

TEST(RealmTableTest, ARealmKeepsItsPlace) {
  RealmTable table;
  const auto place = table.claim(hash(1), 7);
  ASSERT_TRUE(place);
  EXPECT_EQ(table.claim(hash(1), 7), place);
  EXPECT_NE(table.claim(hash(2), 7), place);
  EXPECT_EQ(table.kind_at(*place), 7);
  EXPECT_EQ(table.claim(hash(1), 7), place);
}

TEST(RealmTableTest, PlacesThatNobodyHasHaveNoKind) {
  RealmTable table;
  const auto place = table.claim(hash(1), 255);
  EXPECT_EQ(table.kind_at(*place), 255);
  EXPECT_EQ(table.kind_at((*place + 1) % kRealmPlaces), 0);
  EXPECT_EQ(table.kind_at(kRealmPlaces), 0);
  EXPECT_EQ(table.kind_at(UINT32_MAX), 0);
}

TEST(RealmTableTest, IsFullWhenEveryPlaceIsTaken) {
  const auto table = std::make_unique<RealmTable>();
  std::set<std::uint32_t> places;
  for (std::uint32_t n = 0; n < kRealmPlaces; ++n) {
    const auto place = table->claim(hash(n), 1);
    ASSERT_TRUE(place);
    EXPECT_LT(*place, kRealmPlaces);
    places.insert(*place);
  }
  EXPECT_EQ(places.size(), kRealmPlaces);
  EXPECT_EQ(table->claim(hash(kRealmPlaces), 1), std::nullopt);
  EXPECT_TRUE(places.contains(*table->claim(hash(5), 1)));  // who has one is still served
}

TEST(RealmTableTest, ThreadsThatClaimAtOnceAgree) {
  const auto table = std::make_unique<RealmTable>();
  constexpr std::uint32_t kNames = 2000;
  std::vector<std::vector<std::uint32_t>> found(4);
  std::vector<std::thread> threads;
  for (auto& places : found) {
    threads.emplace_back([&table, &places] {
      for (std::uint32_t n = 0; n < kNames; ++n) places.push_back(*table->claim(hash(n), 1));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& places : found) EXPECT_EQ(places, found[0]);
  EXPECT_EQ(std::set<std::uint32_t>(found[0].begin(), found[0].end()).size(), kNames);
}

}  // namespace
}  // namespace ringcast::ring
