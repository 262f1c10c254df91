#include "client/cli/event_format.h"

#include <gtest/gtest.h>

#include <regex>

namespace ringcast::cli {
namespace {

std::string shown(OutputStyle style, const Publication& content) {
  std::string out;
  append_event(out, style, {"a.b", 77, content, std::chrono::system_clock::now()});
  return out;
}

const Publication kContent{Json::parse(R"([1,"two words",{"x":null},"\u0000AAEC/w=="])"),
                           Json::parse(R"({"z":"ü","a":2})")};

TEST(EventFormat, JsonIsOneObjectPerLine) {
  EXPECT_EQ(shown(OutputStyle::json, kContent),
            "{\"topic\":\"a.b\",\"publication\":77,\"args\":[1,\"two "
            "words\",{\"x\":null},\"\\u0000AAEC/w==\"],\"kwargs\":{\"z\":\"ü\",\"a\":2}}\n");
  EXPECT_EQ(shown(OutputStyle::json, {nullptr, nullptr}),
            "{\"topic\":\"a.b\",\"publication\":77,\"args\":[],\"kwargs\":{}}\n");
}

TEST(EventFormat, RawIsTheArgumentsWithoutQuotes) {
  EXPECT_EQ(shown(OutputStyle::raw, kContent),
            "1\ntwo words\n{\"x\":null}\nAAEC/w==\n{\"z\":\"ü\",\"a\":2}\n");
  EXPECT_EQ(shown(OutputStyle::raw, {nullptr, nullptr}), "");
}

TEST(EventFormat, PrettyHasTimeTopicAndContent) {
  const std::regex expected(
      R"(\d\d:\d\d:\d\d\.\d\d\d  a\.b  1 "two words" \{"x":null\} <4 bytes>  z="ü" a=2\n)");
  EXPECT_TRUE(std::regex_match(shown(OutputStyle::pretty, kContent), expected))
      << shown(OutputStyle::pretty, kContent);
}

}  // namespace
}  // namespace ringcast::cli
