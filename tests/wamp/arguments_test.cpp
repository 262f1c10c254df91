#include "wire/arguments.h"

#include <gtest/gtest.h>

namespace ringcast::wire {
namespace {

TEST(Arguments, ElementsAreSlicedAsTheyAreWritten) {
  const auto json = list_elements(Serializer::json, R"( [1, "a" ,[2,[3]],{"k":null},null] )", 16);
  ASSERT_EQ(json.size(), 5u);
  EXPECT_EQ(json[0], "1");
  EXPECT_EQ(json[1], "\"a\"");
  EXPECT_EQ(json[2], "[2,[3]]");
  EXPECT_EQ(json[3], "{\"k\":null}");
  const auto packed = list_elements(Serializer::msgpack, "\x93\x01\xA1z\x91\xC0", 16);
  ASSERT_EQ(packed.size(), 3u);
  EXPECT_EQ(packed[1], "\xA1z");
  EXPECT_EQ(packed[2], "\x91\xC0");
}

TEST(Arguments, NoMoreElementsThanAskedFor) {
  EXPECT_EQ(list_elements(Serializer::json, "[1,2,3]", 2).size(), 2u);
  EXPECT_EQ(list_elements(Serializer::msgpack, "\x93\x01\x02\x03", 0).size(), 0u);
}

TEST(Arguments, WhatIsNoListHasNoElements) {
  EXPECT_TRUE(list_elements(Serializer::json, "{}", 4).empty());
  EXPECT_TRUE(list_elements(Serializer::json, "", 4).empty());
  EXPECT_TRUE(list_elements(Serializer::msgpack, "\x80", 4).empty());
  EXPECT_EQ(list_elements(Serializer::msgpack, "\x92\x01\xA5z", 4).size(), 1u) << "torn";
  EXPECT_TRUE(list_elements(Serializer::msgpack, "\x92\x01", 4).empty())
      << "fewer bytes than elements";
}

TEST(Arguments, ValuesAreOfOneTypeOnly) {
  EXPECT_EQ(text_value(Serializer::json, "\"a\\u0062\""), "ab");
  EXPECT_EQ(text_value(Serializer::json, "1"), std::nullopt);
  EXPECT_EQ(text_value(Serializer::msgpack, "\xA1z"), "z");
  EXPECT_EQ(integer_value(Serializer::json, "7"), 7u);
  EXPECT_EQ(integer_value(Serializer::json, "-7"), std::nullopt);
  EXPECT_EQ(integer_value(Serializer::json, "\"7\""), std::nullopt);
  EXPECT_EQ(integer_value(Serializer::msgpack, "\xCC\xFF"), 255u);
  EXPECT_EQ(integer_value(Serializer::msgpack, ""), std::nullopt);
}

TEST(Arguments, KindsAreTold) {
  EXPECT_EQ(value_kind(Serializer::json, "null"), ValueKind::absent);
  EXPECT_EQ(value_kind(Serializer::json, ""), ValueKind::absent);
  EXPECT_EQ(value_kind(Serializer::json, "[]"), ValueKind::list);
  EXPECT_EQ(value_kind(Serializer::msgpack, "\x80"), ValueKind::dict);
  EXPECT_EQ(value_kind(Serializer::msgpack, "\xA0"), ValueKind::text);
}

}  // namespace
}  // namespace ringcast::wire
