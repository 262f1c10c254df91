#include "client/cli/values.h"

#include <gtest/gtest.h>

namespace ringcast::cli {
namespace {

TEST(Values, ArgumentsAreJsonOrElseStrings) {
  EXPECT_EQ(value_of_argument("42"), Json(42));
  EXPECT_EQ(value_of_argument("true"), Json(true));
  EXPECT_EQ(value_of_argument("[1, \"a\"]").dump(), "[1,\"a\"]");
  EXPECT_EQ(value_of_argument("\"quoted\""), Json("quoted"));
  EXPECT_EQ(value_of_argument("hello world"), Json("hello world"));
  EXPECT_EQ(value_of_argument(""), Json(""));
  EXPECT_EQ(value_of_argument("007"), Json("007"));
}

TEST(Values, CellsAreNumbersOnlyIfNothingIsLost) {
  EXPECT_EQ(value_of_cell("1394.46"), Json(1394.46));
  EXPECT_EQ(value_of_cell("-3"), Json(-3));
  EXPECT_EQ(value_of_cell("18446744073709551615"), Json(18446744073709551615u));
  for (const char* text : {"", "007", "true", "null", "Jan 1 2000",
                           "123456789012345678901234567890", "-", "1 2", "{\"a\":1}"}) {
    EXPECT_EQ(value_of_cell(text), Json(text)) << text;
  }
}

TEST(Values, PublicationsSurviveBothSerializers) {
  const Json args =
      Json::parse(R"([1, -2.5, "ü\n", null, {"z": [true], "a": {}}, "\u0000AAEC/w=="])");
  const Json kwargs = Json::parse(R"({"z": 1, "a": [2], "empty": []})");
  for (const auto serializer : {wire::Serializer::json, wire::Serializer::msgpack}) {
    const auto encoded = encode(serializer, {args, kwargs});
    ASSERT_TRUE(std::holds_alternative<EncodedPayload>(encoded));
    const auto decoded = decode(serializer, std::get<EncodedPayload>(encoded).view());
    ASSERT_TRUE(std::holds_alternative<Publication>(decoded));
    // dump() also compares the order of the keys, which people expect to be kept.
    EXPECT_EQ(std::get<Publication>(decoded).args.dump(), args.dump());
    EXPECT_EQ(std::get<Publication>(decoded).kwargs.dump(), kwargs.dump());
  }
}

TEST(Values, EmptyPartsAreNotSent) {
  const auto encoded = encode(wire::Serializer::msgpack, {Json::array(), Json::object()});
  EXPECT_TRUE(std::get<EncodedPayload>(encoded).args.empty());
  EXPECT_TRUE(std::get<EncodedPayload>(encoded).kwargs.empty());
}

TEST(Values, BrokenUtf8IsAnErrorNotACrash) {
  const auto encoded = encode(wire::Serializer::json, publication_of(Json("\xFF\xFE")));
  ASSERT_TRUE(std::holds_alternative<client::Failure>(encoded));
  EXPECT_EQ(std::get<client::Failure>(encoded).kind, client::Failure::Kind::input);
}

}  // namespace
}  // namespace ringcast::cli
