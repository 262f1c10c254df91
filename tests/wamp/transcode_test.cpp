// Payloads from one serializer to the other, against the JSON library and by round trips.

#include "wire/transcode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "samples.h"

namespace ringcast::wire::test {
namespace {

using namespace std::string_literals;

std::string to_json(const std::string& msgpack) {
  std::string out = ">";
  return transcode(Serializer::msgpack, Serializer::json, msgpack, out) ? out.substr(1)
                                                                        : "not convertible";
}

std::string to_msgpack(const std::string& json) {
  std::string out = ">";
  return transcode(Serializer::json, Serializer::msgpack, json, out) ? out.substr(1)
                                                                     : "not convertible";
}

TEST(Transcode, msgpack_to_json) {
  const std::pair<std::string, std::string> kCases[] = {
      {"\x90"s, "[]"},
      {"\x80"s, "{}"},
      {"\x93\x01\xA1x\xC0"s, R"([1,"x",null])"},
      {"\x92\xC2\xC3"s, "[false,true]"},
      {"\x82\xA1"
       "a\x91\x80\xA1"
       "b\x90"s,
       R"({"a":[{}],"b":[]})"},
      {"\xDC\x00\x01\xDD\x00\x00\x00\x01\xDE\x00\x01\xD9\x01k\xDF\x00\x00\x00\x00"s,
       R"([[{"k":{}}]])"},
      // integers
      {"\x94\x7F\xE0\xFF\xCC\xFF"s, "[127,-32,-1,255]"},
      {"\x92\xCD\xFF\xFF\xCE\xFF\xFF\xFF\xFF"s, "[65535,4294967295]"},
      {"\x91\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, "[18446744073709551615]"},
      {"\x94\xD0\x80\xD1\x80\x00\xD2\x80\x00\x00\x00\xD3\x80\x00\x00\x00\x00\x00\x00\x00"s,
       "[-128,-32768,-2147483648,-9223372036854775808]"},
      {"\x91\xD3\x00\x00\x00\x00\x00\x00\x00\x05"s, "[5]"},
      // floats
      {"\x92\xCB\x3F\xB9\x99\x99\x99\x99\x99\x9A\xCB\x40\x08\x00\x00\x00\x00\x00\x00"s,
       "[0.1,3.0]"},
      {"\x91\xCA\x3F\xC0\x00\x00"s, "[1.5]"},
      {"\x91\xCB\x80\x00\x00\x00\x00\x00\x00\x00"s, "[-0.0]"},
      {"\x93\xCB\x7F\xF8\x00\x00\x00\x00\x00\x00\xCB\x7F\xF0\x00\x00\x00\x00\x00\x00\xCA\xFF\x80\x00\x00"s,
       "[null,null,null]"},
      // strings
      {"\x91\xA9\"\\/\n\r\t\b\f\x01"s, R"(["\"\\/\n\r\t\b\f\u0001"])"},
      {"\x91\xA8\xC3\xA9\xE2\x82\xAC\x7F\xC2\x80"s, "[\"é€\x7F\xC2\x80\"]"},
      // binary and ext
      {"\x91\xC4\x00"s, R"(["\u0000"])"},
      {"\x91\xC4\x03\x00\xFF\x10"s, R"(["\u0000AP8Q"])"},
      {"\x91\xC7\x02\x05\x01\x02"s, R"(["\u0000AQI="])"},
      {"\x92\xD4\x00\x00\xD4\x01\x00"s, R"([null,"\u0000AA=="])"},
      // keys
      {"\x81\x05\x06"s, R"({"5":6})"},
      {"\x81\xD0\xFB\x06"s, R"({"-5":6})"},
      {"\x83\xC0\x01\xC3\x02\xCB\x3F\xF8\x00\x00\x00\x00\x00\x00\x03"s,
       R"({"null":1,"true":2,"1.5":3})"},
      {"\x81\xC4\x01\xFF\x06"s, R"({"\u0000/w==":6})"},
      {"\x81\xD4\x00\x00\x06"s, R"({"null":6})"},
      {"\x82\xA1k\x01\xA1k\x02"s, R"({"k":1,"k":2})"},
      {"\x81\x90\x06"s, "not convertible"},
      {"\x81\x80\x06"s, "not convertible"},
  };
  for (const auto& [msgpack, json] : kCases) EXPECT_EQ(to_json(msgpack), json);
}

TEST(Transcode, json_to_msgpack) {
  const std::pair<std::string, std::string> kCases[] = {
      {"[]", "\x90"s},
      {" { } ", "\x80"s},
      {R"([1, "x", null, true, false])", "\x95\x01\xA1x\xC0\xC3\xC2"s},
      {R"({"a":[{},[]],"b":[[1],2]})",
       "\x82\xA1"
       "a\x92\x80\x90\xA1"
       "b\x92\x91\x01\x02"s},
      // integers
      {"[0,-0,127,128,255,256,65535,65536]",
       "\x98\x00\x00\x7F\xCC\x80\xCC\xFF\xCD\x01\x00\xCD\xFF\xFF\xCE\x00\x01\x00\x00"s},
      {"[-1,-32,-33,-128,-129,-32768,-32769]",
       "\x97\xFF\xE0\xD0\xDF\xD0\x80\xD1\xFF\x7F\xD1\x80\x00\xD2\xFF\xFF\x7F\xFF"s},
      {"[-2147483649,-9223372036854775808]",
       "\x92\xD3\xFF\xFF\xFF\xFF\x7F\xFF\xFF\xFF\xD3\x80\x00\x00\x00\x00\x00\x00\x00"s},
      {"[4294967295,4294967296,18446744073709551615]",
       "\x93\xCE\xFF\xFF\xFF\xFF\xCF\x00\x00\x00\x01\x00\x00\x00\x00\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s},
      // floats: with a fraction or an exponent, or beyond 64 bits
      {"[0.1,3.0,1e2]",
       "\x93\xCB\x3F\xB9\x99\x99\x99\x99\x99\x9A\xCB\x40\x08\x00\x00\x00\x00\x00\x00"
       "\xCB\x40\x59\x00\x00\x00\x00\x00\x00"s},
      {"[18446744073709551616]", "\x91\xCB\x43\xF0\x00\x00\x00\x00\x00\x00"s},
      {"[-9223372036854775809]", "\x91\xCB\xC3\xE0\x00\x00\x00\x00\x00\x00"s},
      {"[1e400,-1e400]",
       "\x92\xCB\x7F\xF0\x00\x00\x00\x00\x00\x00\xCB\xFF\xF0\x00\x00\x00\x00\x00\x00"s},
      {"[1e-400,-0.0]",
       "\x92\xCB\x00\x00\x00\x00\x00\x00\x00\x00\xCB\x80\x00\x00\x00\x00\x00\x00\x00"s},
      {"[0e999999999999999999999]", "\x91\xCB\x00\x00\x00\x00\x00\x00\x00\x00"s},
      {"[1e999999999999999999999]", "\x91\xCB\x7F\xF0\x00\x00\x00\x00\x00\x00"s},
      {"[1e-999999999999999999999]", "\x91\xCB\x00\x00\x00\x00\x00\x00\x00\x00"s},
      // strings
      {R"(["\"\\\/\b\f\n\r\t\u0041"])", "\x91\xA9\"\\/\b\f\n\r\tA"s},
      {R"(["\u00e9\u20AC\uD83C\uDF88"])", "\x91\xA9\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\x88"s},
      {R"(["\uD83C","\uDF88x"])", "\x92\xA3\xEF\xBF\xBD\xA4\xEF\xBF\xBDx"s},
      // binary
      {R"(["\u0000"])", "\x91\xC4\x00"s},
      {R"(["\u0000AP8Q"])", "\x91\xC4\x03\x00\xFF\x10"s},
      {R"(["\u0000AQI="])", "\x91\xC4\x02\x01\x02"s},
      {R"(["\u0000AQI"])",
       "\x91\xA4\x00"
       "AQI"s},
      {R"(["\u0000 not base64"])", "\x91\xAC\x00 not base64"s},
      {R"({"\u0000AP8Q":1})",
       "\x81\xA5\x00"
       "AP8Q\x01"s},
      {R"({"k":1,"k":2})", "\x82\xA1k\x01\xA1k\x02"s},
  };
  for (const auto& [json, msgpack] : kCases) EXPECT_EQ(to_msgpack(json), msgpack) << json;
}

TEST(Transcode, what_is_cut_off_is_not_convertible) {
  const std::string msgpack = "\x92\xA2xy\x81\xA1k\xCD\x01\x00"s;
  for (std::size_t size = 1; size < msgpack.size(); ++size)
    EXPECT_EQ(to_json(msgpack.substr(0, size)), "not convertible");
  EXPECT_EQ(to_json(msgpack + "\x01"), "not convertible");
  const std::string json = R"(["xy",{"k":256}])";
  for (std::size_t size = 1; size < json.size(); ++size)
    EXPECT_EQ(to_msgpack(json.substr(0, size)), "not convertible");
  EXPECT_EQ(to_msgpack(json + "1"), "not convertible");
}

TEST(Transcode, nothing_becomes_nothing_and_the_same_serializer_copies) {
  EXPECT_EQ(to_json(""), "");
  EXPECT_EQ(to_msgpack(""), "");
  std::string out = "x";
  EXPECT_TRUE(transcode(Serializer::json, Serializer::json, "[ 1 ]", out));
  EXPECT_EQ(out, "x[ 1 ]");
}

TEST(Transcode, counts_beyond_every_header_width) {
  for (const std::size_t count : {15u, 16u, 255u, 256u, 65535u, 65536u}) {
    Json list = Json::array();
    Json dict = Json::object();
    for (std::size_t i = 0; i < count; ++i) {
      list.push_back(i);
      dict[std::to_string(i)] = i;
    }
    for (const Json& value : {list, dict, Json::array({std::string(count, 'x')})}) {
      EXPECT_EQ(to_msgpack(value.dump()), serialize(value, Serializer::msgpack));
      EXPECT_EQ(to_json(serialize(value, Serializer::msgpack)), value.dump());
    }
    const std::string json = "[\"\\u0000" + std::string(count * 4, 'A') + "\"]";
    EXPECT_EQ(to_json(to_msgpack(json)), json);
  }
}

TEST(Transcode, as_deep_as_a_decoder_lets_through) {
  std::string json = std::string(kDepthCeiling, '[') + std::string(kDepthCeiling, ']');
  const std::string msgpack = std::string(kDepthCeiling - 1, '\x91') + '\x90';
  EXPECT_EQ(to_msgpack(json), msgpack);
  EXPECT_EQ(to_json(msgpack), json);
  EXPECT_EQ(to_msgpack("[" + json + "]"), "not convertible");
}

// A random value without what one of the formats has no form for.
Json random_value(std::mt19937_64& random, int depth) {
  const auto text = [&] {
    static const char* const kPieces[] = {"a",  "Z9", "é",    "€", "🎈", "\"",
                                          "\\", "\n", "\x01", " ", "/"};
    std::string out;
    for (std::uint64_t i = random() % 40; i > 0; --i) out += kPieces[random() % std::size(kPieces)];
    return out;
  };
  switch (random() % (depth > 0 ? 10 : 8)) {
    case 0:
      return nullptr;
    case 1:
      return random() % 2 == 0;
    case 2:
      return random() >> random() % 64;
    case 3:
      return static_cast<std::int64_t>(random()) >> random() % 64;
    case 4: {
      double real = 0;
      do {
        const std::uint64_t bits = random();
        std::memcpy(&real, &bits, sizeof(real));
      } while (!std::isfinite(real));
      return real;
    }
    case 5:
      return static_cast<double>(static_cast<std::int64_t>(random())) / 1000;
    case 6: {
      std::vector<std::uint8_t> data(random() % 300);
      for (std::uint8_t& byte : data) byte = static_cast<std::uint8_t>(random());
      return Json::binary(data);
    }
    case 7:
      return text();
    case 8: {
      Json list = Json::array();
      for (std::uint64_t i = random() % 20; i > 0; --i)
        list.push_back(random_value(random, depth - 1));
      return list;
    }
    default: {
      Json dict = Json::object();
      for (std::uint64_t i = random() % 20; i > 0; --i)
        dict[text()] = random_value(random, depth - 1);
      return dict;
    }
  }
}

TEST(Transcode, random_values_survive_the_way_there_and_back) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 3000; ++i) {
    const Json value = Json::array({random_value(random, 4)});
    const std::string msgpack = serialize(value, Serializer::msgpack);
    const std::string json = to_json(msgpack);
    ASSERT_TRUE(Json::accept(json)) << json;
    const std::string back = to_msgpack(json);
    ASSERT_EQ(parse(back, Serializer::msgpack), value) << json;
    // From here on nothing is left to be chosen.
    ASSERT_EQ(to_json(back), json);
    ASSERT_EQ(to_msgpack(to_json(back)), back);
  }
}

TEST(Transcode, agrees_with_the_library_on_json) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 1000; ++i) {
    // By way of the own transcoder, so that binary values are strings already.
    const Json value = Json::parse(
        to_json(serialize(Json::array({random_value(random, 3)}), Serializer::msgpack)));
    Json decoded = parse(to_msgpack(value.dump()), Serializer::msgpack);
    ASSERT_EQ(Json::parse(to_json(serialize(decoded, Serializer::msgpack))), value);
  }
}

}  // namespace
}  // namespace ringcast::wire::test
