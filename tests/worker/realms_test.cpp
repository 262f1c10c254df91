#include "worker/realms.h"

#include <gtest/gtest.h>

#include <variant>

namespace ringcast::worker {
namespace {

TEST(RealmNameTest, AStarIsAnyPartOfOneComponent) {
  EXPECT_TRUE(realm_name_matches("tenant.*", "tenant.a"));
  EXPECT_TRUE(realm_name_matches("tenant.*", "tenant.some-one"));
  EXPECT_FALSE(realm_name_matches("tenant.*", "tenant"));
  EXPECT_FALSE(realm_name_matches("tenant.*", "tenant.a.b"));
  EXPECT_FALSE(realm_name_matches("tenant.*", "tenants.a"));
  EXPECT_TRUE(realm_name_matches("t-*-x.*.end", "t-1-2-x.y.end"));
  EXPECT_FALSE(realm_name_matches("t-*-x.*.end", "t-1-2-y.y.end"));
  EXPECT_TRUE(realm_name_matches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(realm_name_matches("a*b*c", "a-c"));
  EXPECT_TRUE(realm_name_matches("*", "anything"));
  EXPECT_FALSE(realm_name_matches("*", "any.thing"));
}

class RealmsTest : public testing::Test {
 protected:
  RealmsTest() {
    segment_ = std::get<std::unique_ptr<ring::Segment>>(ring::Segment::create({.workers = 2}));
    options_.realms = {open_realm("fixed"), open_realm("tenant.fixed")};
    options_.realm_templates = {open_realm("tenant.*"), open_realm("*")};
  }
  std::unique_ptr<ring::Segment> segment_;
  WorkerOptions options_;
};

TEST_F(RealmsTest, ConfiguredOnesComeBeforeTemplatesAndTheseInTheirOrder) {
  const Realms realms(options_, *segment_);
  EXPECT_EQ(realms.serving("fixed"), options_.realms[0].get());
  EXPECT_EQ(realms.serving("tenant.fixed"), options_.realms[1].get());
  EXPECT_EQ(realms.serving("tenant.a"), options_.realm_templates[0].get());
  EXPECT_EQ(realms.serving("other"), options_.realm_templates[1].get());
  EXPECT_EQ(realms.serving("other.a"), nullptr);
  EXPECT_EQ(realms.serving(""), nullptr);
  EXPECT_EQ(realms.serving("with blank"), nullptr);
}

TEST_F(RealmsTest, NumbersAreTheSameInEveryWorkerAndInTheNextIncarnation) {
  Realms one(options_, *segment_);
  EXPECT_EQ(one.number("fixed"), 0);
  EXPECT_EQ(one.number("tenant.fixed"), 1);
  const auto a = one.number("tenant.a");
  const auto b = one.number("b");
  ASSERT_TRUE(a && b);
  EXPECT_NE(a, b);
  EXPECT_GE(*a, 2);
  Realms other(options_, *segment_);
  EXPECT_TRUE(other.contains(*a));
  EXPECT_EQ(&other[*a], options_.realm_templates[0].get());
  EXPECT_EQ(other.name(*a), "tenant.*");  // until a session of its own is there
  EXPECT_EQ(other.number("b"), b);
  EXPECT_EQ(other.number("tenant.a"), a);
  EXPECT_EQ(other.name(*a), "tenant.a");
  EXPECT_EQ(other.name(0), "fixed");
}

TEST_F(RealmsTest, NumbersThatNobodyGaveOutAreNone) {
  Realms realms(options_, *segment_);
  EXPECT_TRUE(realms.contains(1));
  for (std::uint32_t number = 2; number <= UINT16_MAX; ++number) {
    ASSERT_FALSE(realms.contains(static_cast<std::uint16_t>(number)));
  }
}

TEST_F(RealmsTest, ThereIsAnEndToThem) {
  Realms realms(options_, *segment_);
  for (std::uint32_t n = 0; n < ring::kRealmPlaces; ++n) {
    ASSERT_TRUE(realms.number("tenant." + std::to_string(n)));
  }
  EXPECT_EQ(realms.number("tenant.more"), std::nullopt);
  EXPECT_TRUE(realms.number("tenant.0"));
  EXPECT_TRUE(realms.number("fixed"));
}

}  // namespace
}  // namespace ringcast::worker
