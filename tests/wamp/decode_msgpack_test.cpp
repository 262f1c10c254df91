// MessagePack on the byte level: lengths that lie, heads that are none, strings that are not UTF-8.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "samples.h"

namespace ringcast::wire::test {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

std::string publish_with(const std::string& argument) {
  return "\x95\x10\x01\x80\xA1"
         "a\x91" +
         argument;
}

std::string verdict(const std::string& argument) {
  return violation_of(publish_with(argument), Serializer::msgpack);
}

TEST(DecodeMsgpack, accepts_every_form_of_value) {
  for (const std::string& value : {"\x00"s,
                                   "\x7F"s,
                                   "\xE0"s,
                                   "\xFF"s,
                                   "\xC0"s,
                                   "\xC2"s,
                                   "\xC3"s,
                                   "\x80"s,
                                   "\x90"s,
                                   "\xA0"s,
                                   "\xCC\xFF"s,
                                   "\xCD\xFF\xFF"s,
                                   "\xCE\xFF\xFF\xFF\xFF"s,
                                   "\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s,
                                   "\xD0\x80"s,
                                   "\xD1\x80\x00"s,
                                   "\xD2\x80\x00\x00\x00"s,
                                   "\xD3\x80\x00\x00\x00\x00\x00\x00\x00"s,
                                   "\xCA\x7F\xC0\x00\x00"s,
                                   "\xCB\x7F\xF0\x00\x00\x00\x00\x00\x00"s,
                                   "\xA2\xC3\xA9"s,
                                   "\xC4\x01\xFF"s,
                                   "\xC5\x00\x01\xFF"s,
                                   "\xC6\x00\x00\x00\x01\xFF"s,
                                   "\xC7\x03\x05"
                                   "abc"s,
                                   "\xC8\x00\x03\x05"
                                   "abc"s,
                                   "\xC9\x00\x00\x00\x03\x05"
                                   "abc"s,
                                   "\xD4\x05"
                                   "a"s,
                                   "\xD5\x05"
                                   "aa"s,
                                   "\xD6\xFF"
                                   "aaaa"s,
                                   "\xD7\xFF"
                                   "aaaaaaaa"s,
                                   "\xD8\x05"
                                   "aaaaaaaaaaaaaaaa"s,
                                   "\xC7\x00\x05"s,
                                   "\x81\x01\x02"s,
                                   "\x81\xC0\x02"s,
                                   "\xDC\x00\x00"s,
                                   "\xDD\x00\x00\x00\x00"s,
                                   "\xDE\x00\x01\x01\x01"s}) {
    EXPECT_EQ(verdict(value), "") << testing::PrintToString(value);
  }
}

TEST(DecodeMsgpack, refuses_every_form_cut_short) {
  for (const std::string& value : {"\xCC"s,
                                   "\xCD\xFF"s,
                                   "\xCE\xFF\xFF\xFF"s,
                                   "\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s,
                                   "\xD0"s,
                                   "\xD1\x80"s,
                                   "\xD2\x80\x00\x00"s,
                                   "\xD3\x80\x00\x00\x00\x00\x00\x00"s,
                                   "\xCA\x7F\xC0\x00"s,
                                   "\xCB\x7F\xF0\x00\x00\x00\x00\x00"s,
                                   "\xA2\xC3"s,
                                   "\xC4\x01"s,
                                   "\xC4"s,
                                   "\xC5\x00\x01"s,
                                   "\xC5\x00"s,
                                   "\xC6\x00\x00\x00\x01"s,
                                   "\xC7\x03\x05"
                                   "ab"s,
                                   "\xC7\x03"s,
                                   "\xC7"s,
                                   "\xC8\x00\x03\x05"
                                   "ab"s,
                                   "\xC9\x00\x00\x00\x03\x05"
                                   "ab"s,
                                   "\xD4\x05"s,
                                   "\xD4"s,
                                   "\xD5\x05"
                                   "a"s,
                                   "\xD8\x05"
                                   "aaaaaaaaaaaaaaa"s,
                                   "\x81\x01"s,
                                   "\x81"s,
                                   "\x92\x01"s,
                                   "\xDC\x00"s,
                                   "\xDD\x00\x00\x00"s,
                                   "\xD9"s,
                                   "\xDA\x00"s,
                                   "\xDB\x00"s}) {
    EXPECT_THAT(verdict(value), HasSubstr("malformed MessagePack at byte"))
        << testing::PrintToString(value);
  }
}

TEST(DecodeMsgpack, refuses_lengths_beyond_the_message_at_once) {
  for (const std::string& head :
       {"\xDD\xFF\xFF\xFF\xFF"s, "\xDF\xFF\xFF\xFF\xFF"s, "\xDF\x7F\xFF\xFF\xFF"s, "\xDC\xFF\xFF"s,
        "\xDE\xFF\xFF"s, "\xDB\xFF\xFF\xFF\xFF"s, "\xDA\xFF\xFF"s, "\xC6\xFF\xFF\xFF\xFF"s,
        "\xC5\xFF\xFF"s, "\xC9\xFF\xFF\xFF\xFF\x05"s, "\xC8\xFF\xFF\x05"s, "\x9F"s, "\x8F"s,
        "\xBF"s}) {
    EXPECT_THAT(verdict(head + "x"), HasSubstr("a length exceeds the message"))
        << testing::PrintToString(head);
    // The same in each other place: as the message, as its options, as its topic, as a key.
    EXPECT_NE(violation_of(head, Serializer::msgpack), "");
    EXPECT_NE(violation_of("\x94\x10\x01" + head, Serializer::msgpack), "");
    EXPECT_NE(violation_of("\x94\x10\x01\x80" + head, Serializer::msgpack), "");
    EXPECT_NE(violation_of("\x94\x10\x01\x81" + head, Serializer::msgpack), "");
  }
}

TEST(DecodeMsgpack, a_map_needs_two_bytes_for_each_entry) {
  EXPECT_THAT(verdict("\x83\x01\x01\x01\x01"s), HasSubstr("a length exceeds the message"));
}

TEST(DecodeMsgpack, refuses_the_head_that_is_none) {
  EXPECT_THAT(verdict("\xC1"), HasSubstr("0xc1 begins no value"));
}

TEST(DecodeMsgpack, strings_must_be_utf8_and_binary_need_not) {
  for (const std::string& bad : {"\xFF"s, "\xC3"s, "\x80"s, "\xC0\x80"s, "\xED\xA0\x80"s,
                                 "\xF4\x90\x80\x80"s, "abcdefgh\xE2\x82"s}) {
    const char size = static_cast<char>(bad.size());
    const std::string text = std::string(1, static_cast<char>(0xA0 | size)) + bad;
    EXPECT_THAT(verdict(text), HasSubstr("a string is not valid UTF-8"));
    EXPECT_THAT(verdict("\x81" + text + "\x01"), HasSubstr("a string is not valid UTF-8"));
    EXPECT_THAT(violation_of("\x94\x10\x01\x80" + text, Serializer::msgpack),
                HasSubstr("not valid UTF-8"));
    EXPECT_THAT(violation_of("\x94\x10\x01\x81" + text +
                                 "\x01\xA1"
                                 "a",
                             Serializer::msgpack),
                HasSubstr("not valid UTF-8"));
    EXPECT_EQ(verdict("\xC4"s + size + bad), "");
  }
}

TEST(DecodeMsgpack, binary_is_no_string) {
  EXPECT_EQ(violation_of("\x94\x10\x01\x80\xC4\x01"
                         "a"s,
                         Serializer::msgpack),
            "PUBLISH.Topic must be a string");
}

TEST(DecodeMsgpack, keys_of_options_must_be_strings) {
  EXPECT_EQ(violation_of("\x94\x10\x01\x81\x05\x05\xA1"
                         "a"s,
                         Serializer::msgpack),
            "PUBLISH.Options must be a dict with strings as keys");
  EXPECT_EQ(violation_of("\x94\x10\x01\x81\xC4\x01k\x05\xA1"
                         "a"s,
                         Serializer::msgpack),
            "PUBLISH.Options must be a dict with strings as keys");
}

}  // namespace
}  // namespace ringcast::wire::test
