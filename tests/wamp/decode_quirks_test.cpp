// What real clients send that a strict reading of the specification would not expect (WAMP.md).

#include <gtest/gtest.h>

#include "samples.h"

namespace ringcast::wire::test {
namespace {

using namespace std::string_literals;

TEST(DecodeQuirks, integral_floats_are_ids) {
  Decoder msgpack(Serializer::msgpack);
  const std::string doubles =
      "\x93\x22\xCB\x41\xF0\x00\x00\x00\x00\x00\x00\xCB\x43\x40\x00\x00\x00\x00\x00\x00"s;
  auto unsubscribe = decode_as<Unsubscribe>(msgpack, doubles);
  EXPECT_EQ(unsubscribe.request, 4294967296u);
  EXPECT_EQ(unsubscribe.subscription, kIdMax);
  const std::string floats = "\x93\x22\xCA\x3F\x80\x00\x00\xCA\x47\x80\x00\x00"s;
  unsubscribe = decode_as<Unsubscribe>(msgpack, floats);
  EXPECT_EQ(unsubscribe.request, 1u);
  EXPECT_EQ(unsubscribe.subscription, 65536u);
  Decoder json(Serializer::json);
  unsubscribe = decode_as<Unsubscribe>(json, "[34,1.0,9.007199254740992e15]");
  EXPECT_EQ(unsubscribe.request, 1u);
  EXPECT_EQ(unsubscribe.subscription, kIdMax);
  unsubscribe = decode_as<Unsubscribe>(json, "[34.0,10E2,5000e-3]");
  EXPECT_EQ(unsubscribe.request, 1000u);
  EXPECT_EQ(unsubscribe.subscription, 5u);
}

TEST(DecodeQuirks, signed_integers_are_ids_of_any_width) {
  Decoder decoder(Serializer::msgpack);
  auto ids = decode_as<Unsubscribe>(decoder, "\x93\xD0\x22\xD0\x7F\xD1\x01\x00"s);
  EXPECT_EQ(ids.request, 127u);
  EXPECT_EQ(ids.subscription, 256u);
  ids = decode_as<Unsubscribe>(
      decoder, "\x93\xCE\x00\x00\x00\x22\xD2\x00\x00\x00\x05\xD3\x00\x00\x00\x00\x00\x00\x00\x06"s);
  EXPECT_EQ(ids.request, 5u);
  EXPECT_EQ(ids.subscription, 6u);
  ids = decode_as<Unsubscribe>(decoder,
                               "\x93\xCC\x22\xCD\x00\x05\xCF\x00\x20\x00\x00\x00\x00\x00\x00"s);
  EXPECT_EQ(ids.request, 5u);
  EXPECT_EQ(ids.subscription, kIdMax);
}

TEST(DecodeQuirks, fractions_and_numbers_beyond_the_range_are_no_ids) {
  for (const char* number : {"1.5", "0", "-1", "-1.0", "0.0", "-0", "9007199254740993", "1e16",
                             "1e400", "1e-400", "99999999999999999999999999"}) {
    EXPECT_EQ(violation_of(Bytes("[65," + std::string(number) + ",1]"), Serializer::json),
              "REGISTERED.Request must be an integer from 1 to 2^53")
        << number;
  }
}

TEST(DecodeQuirks, undefined_and_null_stand_for_an_absent_option) {
  for (const std::string& absent : {"\xD4\x00\x00"s, "\xC7\x01\x00\x00"s, "\xC0"s}) {
    Decoder decoder(Serializer::msgpack);
    const std::string publish =
        "\x94\x10\x01\x82\xAB"
        "acknowledge" +
        absent +
        "\xAA"
        "exclude_me" +
        absent +
        "\xA1"
        "a";
    const auto options = decode_as<Publish>(decoder, publish).options;
    EXPECT_FALSE(options.acknowledge);
    EXPECT_TRUE(options.exclude_me);
    const std::string subscribe =
        "\x94\x20\x01\x81\xA5"
        "match" +
        absent +
        "\xA1"
        "a";
    EXPECT_EQ(decode_as<Subscribe>(decoder, subscribe).options.match, MatchPolicy::exact);
  }
  Decoder json(Serializer::json);
  EXPECT_TRUE(decode_as<Publish>(json, R"([16,1,{"exclude_me":null},"a"])").options.exclude_me);
}

TEST(DecodeQuirks, undefined_and_null_stand_for_an_absent_payload) {
  for (const std::string& absent : {"\xD4\x00\x00"s, "\xC0"s}) {
    Decoder decoder(Serializer::msgpack);
    std::string text =
        "\x96\x10\x01\x80\xA1"
        "a" +
        absent + absent;
    auto publish = decode_as<Publish>(decoder, text);
    EXPECT_TRUE(publish.payload.args.empty());
    EXPECT_TRUE(publish.payload.kwargs.empty());
    text =
        "\x96\x10\x01\x80\xA1"
        "a" +
        absent + "\x81\xA1k\x01";
    publish = decode_as<Publish>(decoder, text);
    EXPECT_TRUE(publish.payload.args.empty());
    EXPECT_EQ(publish.payload.kwargs, "\x81\xA1k\x01");
  }
}

TEST(DecodeQuirks, wide_headers_are_accepted_for_small_values) {
  Decoder decoder(Serializer::msgpack);
  const std::string kHeads[] = {"\xDC\x00\x06"s, "\xDD\x00\x00\x00\x06"s};
  const std::string kEmptyMaps[] = {"\xDE\x00\x00"s, "\xDF\x00\x00\x00\x00"s};
  const std::string kTopics[] = {
      "\xD9\x01"
      "a"s,
      "\xDA\x00\x01"
      "a"s,
      "\xDB\x00\x00\x00\x01"
      "a"s};
  const std::string kArgs[] = {"\xDC\x00\x01\x05"s, "\xDD\x00\x00\x00\x01\x05"s};
  const std::string kKwargs =
      "\xDE\x00\x01\xDA\x00\x01"
      "kC"s;
  for (const std::string& head : kHeads) {
    for (const std::string& map : kEmptyMaps) {
      for (const std::string& topic : kTopics) {
        for (const std::string& args : kArgs) {
          const std::string text = head + "\x10\x01" + map + topic + args + kKwargs;
          const auto publish = decode_as<Publish>(decoder, text);
          EXPECT_EQ(publish.topic, "a");
          EXPECT_EQ(publish.payload.args, args);
          EXPECT_EQ(publish.payload.kwargs, kKwargs);
        }
      }
    }
  }
}

TEST(DecodeQuirks, of_a_key_that_comes_twice_the_last_counts) {
  Decoder decoder(Serializer::json);
  std::string text =
      R"([16,1,{"acknowledge":true,"exclude_me":false,"acknowledge":false,"exclude_me":null},"a"])";
  const auto publish = decode_as<Publish>(decoder, text);
  EXPECT_FALSE(publish.options.acknowledge);
  EXPECT_TRUE(publish.options.exclude_me);
  text = R"([1,"r",{"roles":{"publisher":{}},)"
         R"("roles":{"caller":{"features":{"call_timeout":true},"features":{"call_reroute":true}},)"
         R"("callee":{},"callee":null}}])";
  const HelloDetails details = decode_as<Hello>(decoder, text).details;
  EXPECT_FALSE(details.publisher.announced);
  EXPECT_TRUE(details.caller.announced);
  EXPECT_FALSE(details.caller.features.has(Feature::call_timeout));
  EXPECT_TRUE(details.caller.features.has(Feature::call_reroute));
  EXPECT_FALSE(details.callee.announced);
}

TEST(DecodeQuirks, options_that_come_twice_may_take_back_what_was_there) {
  Decoder decoder(Serializer::json);
  const std::string text =
      R"([16,1,{"eligible":[1],"eligible":null,"ppt_scheme":"a","ppt_scheme":null,)"
      R"("ppt_keyid":"k"},"a"])";
  const PublishOptions options = decode_as<Publish>(decoder, text).options;
  EXPECT_FALSE(options.receivers.has_value());
  EXPECT_FALSE(options.passthru.has_value());
}

}  // namespace
}  // namespace ringcast::wire::test
