#include "client/ws_url.h"

#include <gtest/gtest.h>

namespace ringcast::client {
namespace {

WsUrl parsed(const char* text) {
  const auto result = parse_ws_url(text);
  EXPECT_TRUE(std::holds_alternative<WsUrl>(result)) << text;
  return std::holds_alternative<WsUrl>(result) ? std::get<WsUrl>(result) : WsUrl{};
}

TEST(WsUrl, TakesItsParts) {
  const WsUrl url = parsed("ws://broker.example:8080/ws?x=1#fragment");
  EXPECT_EQ(url.host, "broker.example");
  EXPECT_EQ(url.port, "8080");
  EXPECT_EQ(url.target, "/ws?x=1");
  EXPECT_EQ(url.authority(), "broker.example:8080");
}

TEST(WsUrl, FillsInPortAndPath) {
  EXPECT_EQ(parsed("ws://h").port, "80");
  EXPECT_EQ(parsed("ws://h").target, "/");
  EXPECT_EQ(parsed("ws://h:9?a").target, "/?a");
}

TEST(WsUrl, TakesIpv6InBrackets) {
  const WsUrl url = parsed("ws://[::1]:8080/ws");
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, "8080");
  EXPECT_EQ(url.authority(), "[::1]:8080");
  EXPECT_EQ(parsed("ws://[::1]/ws").port, "80");
}

TEST(WsUrl, RefusesWithTheCauseAndAnExample) {
  for (const char* text : {"", "http://h/", "wss://h/", "ws://", "ws://:80/", "ws://h:0/",
                           "ws://h:65536/", "ws://h:x/", "ws://h:/", "ws://[::1/",
                           "ws://[::1]8080/", "ws://u@h/", "ws://h/a b", "ws://h/\r\nEvil: 1"}) {
    const auto result = parse_ws_url(text);
    ASSERT_TRUE(std::holds_alternative<Failure>(result)) << text;
    EXPECT_EQ(std::get<Failure>(result).kind, Failure::Kind::input);
    EXPECT_NE(std::get<Failure>(result).remedy.find("ws://"), std::string::npos);
  }
}

}  // namespace
}  // namespace ringcast::client
