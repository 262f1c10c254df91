// JSON as RFC 8259 has it, in the payload and in the elements that are decoded.

#include <gtest/gtest.h>

#include "samples.h"

namespace ringcast::wire::test {
namespace {

bool accepted(const std::string& value) {
  return violation_of(Bytes("[16,1,{},\"a\",[" + value + "]]"), Serializer::json).empty();
}

TEST(DecodeJson, accepts_every_form_of_value) {
  for (const char* value : {"0",
                            "-0",
                            "1",
                            "-1",
                            "10",
                            "1.5",
                            "0.5",
                            "-0.25e-7",
                            "1e5",
                            "1E+5",
                            "1e-5",
                            "0e0",
                            "123456789012345678901234567890",
                            "1e999999",
                            "0.00000000000000000000000000000000001",
                            "true",
                            "false",
                            "null",
                            "\"\"",
                            "\"a\"",
                            R"("\"\\\/\b\f\n\r\t")",
                            R"("\u00e9")",
                            R"("\uD83D\uDE00")",
                            R"("\uD83D")",
                            R"("\uDE00\uD83D")",
                            R"("\u0000")",
                            "\"\x7F\"",
                            "\"Grüße 🎈\"",
                            "[]",
                            "{}",
                            "[[],{}]",
                            R"({"":0})",
                            R"({"a":1,"a":2})",
                            " 1 ",
                            "\t\r\n[ ]",
                            " [ 1 , { \"k\" : [ ] } ] "}) {
    EXPECT_TRUE(accepted(value)) << value;
  }
}

TEST(DecodeJson, refuses_what_is_not_json) {
  for (const char* value : {",",
                            "1,",
                            "[1,]",
                            "[,1]",
                            "{,}",
                            "{\"a\":1,}",
                            "{\"a\"}",
                            "{\"a\":}",
                            "{a:1}",
                            "{1:1}",
                            "{'a':1}",
                            "'a'",
                            "01",
                            "-01",
                            "+1",
                            "-",
                            ".5",
                            "1.",
                            "1.e5",
                            "1e",
                            "1e+",
                            "0x10",
                            "1_0",
                            "NaN",
                            "Infinity",
                            "-Infinity",
                            "True",
                            "tru",
                            "truee",
                            "nul",
                            "nullx",
                            "undefined",
                            "\"a",
                            "\"\\",
                            "\"\\x\"",
                            "\"\\u12\"",
                            "\"\\u12g4\"",
                            "\"\\'\"",
                            "\"\n\"",
                            "\"\t\"",
                            "\"\x01\"",
                            "\"\x1F\"",
                            "[1 2]",
                            "{\"a\" 1}",
                            "{\"a\":1 \"b\":2}",
                            "[1}",
                            "{\"a\":1]",
                            "[",
                            "{",
                            "]",
                            "}",
                            "1//x",
                            "/**/1",
                            "\f1",
                            "\v1",
                            "\xC2\xA0"
                            "1",
                            "\xEF\xBB\xBF"
                            "1"}) {
    EXPECT_FALSE(accepted(value)) << value;
  }
  EXPECT_FALSE(accepted(std::string("\"\0\"", 3)));
}

// The same judgement as the library's, on texts one change away from JSON.
TEST(DecodeJson, agrees_with_the_library_on_every_single_change) {
  const std::string text =
      R"([16,1,{"x":[1,-2.5e3,"a\n\u00e9\\"],"y":{}},"a",[true,null,0.1],{"k":false}])";
  const std::string kChanges = "0123456789+-.eE\"\\/{}[]:,truefalsn ubx\n\t\x01";
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char change : kChanges) {
      std::string changed = text;
      changed[at] = change;
      const bool ours = violation_of(changed, Serializer::json).rfind("malformed JSON", 0) == 0 ||
                        violation_of(changed, Serializer::json).rfind("there are bytes", 0) == 0;
      if (violation_of(changed, Serializer::json).empty()) {
        EXPECT_TRUE(Json::accept(changed)) << changed;
      } else if (ours) {
        EXPECT_FALSE(Json::accept(changed)) << changed;
      }
    }
  }
}

TEST(DecodeJson, escapes_in_decoded_strings_are_resolved) {
  Decoder decoder(Serializer::json);
  std::string text =
      R"([32,1,{"ma\u0074ch":"pre\u0066ix"},"a\u002eb\/\"\\\b\f\n\r\t\u00e9\u20ac\uD83C\uDF88"])";
  auto subscribe = decode_as<Subscribe>(decoder, text);
  EXPECT_EQ(subscribe.options.match, MatchPolicy::prefix);
  EXPECT_EQ(subscribe.topic, "a.b/\"\\\b\f\n\r\té€🎈");
  text = R"([32,1,{},"\uD83C.\uDF88.\uD83C\u0041.\uD83C\n.\uD83C"])";
  subscribe = decode_as<Subscribe>(decoder, text);
  EXPECT_EQ(subscribe.topic, "\uFFFD.\uFFFD.\uFFFDA.\uFFFD\n.\uFFFD");
}

TEST(DecodeJson, several_unescaped_strings_stay_valid_together) {
  Decoder decoder(Serializer::json);
  const std::string realm(1000, 'r');
  const std::string authid(3000, 'i');
  const std::string text =
      "[1,\"\\u0041" + realm + R"(",{"roles":{"caller":{}},"authid":"\u0042)" + authid + "\"}]";
  for (int i = 0; i < 3; ++i) {
    const auto hello = decode_as<Hello>(decoder, text);
    EXPECT_EQ(hello.realm, "A" + realm);
    EXPECT_EQ(hello.details.authid, "B" + authid);
  }
}

TEST(DecodeJson, strings_without_escapes_are_views_of_the_input) {
  Decoder decoder(Serializer::json);
  const std::string text = R"([32,1,{},"com.topic"])";
  EXPECT_EQ(decode_as<Subscribe>(decoder, text).topic.data(), text.data() + text.find("com"));
}

TEST(DecodeJson, white_space_around_and_inside_is_left_out_of_slices) {
  Decoder decoder(Serializer::json);
  const std::string text = " [ 16 , 1 , { \"acknowledge\" : true } , \"a\" , [ 1 , 2 ] , { } ] \n";
  const auto publish = decode_as<Publish>(decoder, text);
  EXPECT_TRUE(publish.options.acknowledge);
  EXPECT_EQ(publish.raw_options, "{ \"acknowledge\" : true }");
  EXPECT_EQ(publish.payload.args, "[ 1 , 2 ]");
}

TEST(DecodeJson, violations_say_where) {
  EXPECT_EQ(violation_of(Bytes("[16,1 {}]"), Serializer::json),
            "malformed JSON at byte 6: a comma or the end of the list or dict is missing");
  EXPECT_EQ(violation_of(Bytes("[16,1,{},\"a\",[\"\\x\"]]"), Serializer::json),
            "malformed JSON at byte 15: not a JSON escape");
}

}  // namespace
}  // namespace ringcast::wire::test
