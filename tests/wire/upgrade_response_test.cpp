#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/http_upgrade.h"

namespace ringcast::wire {
namespace {

using testing::HasSubstr;

const std::string kKey = "dGhlIHNhbXBsZSBub25jZQ==";
const std::string kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const std::vector<std::string> kOffered = {"wamp.2.msgpack", "wamp.2.json"};

struct Response {
  std::string line = "HTTP/1.1 101 Switching Protocols";
  std::string upgrade = "Upgrade: websocket\r\n";
  std::string connection = "Connection: Upgrade\r\n";
  std::string accept = "Sec-WebSocket-Accept: " + kAccept + "\r\n";
  std::string more;
  std::string text() const { return line + "\r\n" + upgrade + connection + accept + more + "\r\n"; }
};

UpgradeRefusal refused(const std::string& text) {
  const auto result = parse_upgrade_response(text, kKey, kOffered);
  if (const auto* refusal = std::get_if<UpgradeRefusal>(&result)) return *refusal;
  ADD_FAILURE() << "not refused: " << text;
  return {};
}

bool incomplete(const std::string& text) {
  return std::holds_alternative<UpgradeIncomplete>(parse_upgrade_response(text, kKey, kOffered));
}

TEST(UpgradeResponse, AcceptIsTheExampleOfRfc6455) { EXPECT_EQ(accept_for_key(kKey), kAccept); }

TEST(UpgradeResponse, EncodesWhatRfc6455Shows) {
  EXPECT_EQ(encode_upgrade_response(kKey, "chat"),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: " +
                kAccept + "\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
  EXPECT_EQ(encode_upgrade_response(kKey, "").find("Protocol:"), std::string::npos);
}

TEST(UpgradeResponse, BothSidesAgree) {
  const std::string request = encode_upgrade_request("example.org:8080", "/ws?a=b", kOffered, kKey);
  const auto parsed = parse_upgrade_request(request);
  ASSERT_TRUE(std::holds_alternative<UpgradeRequest>(parsed));
  const auto& read = std::get<UpgradeRequest>(parsed);
  EXPECT_EQ(read.host, "example.org:8080");
  EXPECT_EQ(read.path, "/ws");
  EXPECT_EQ(read.query, "a=b");
  EXPECT_EQ(read.subprotocols, kOffered);
  const std::string response = encode_upgrade_response(read.key, "wamp.2.json");
  for (std::size_t size = 0; size < response.size(); ++size)
    ASSERT_TRUE(incomplete(response.substr(0, size))) << size;
  const auto answer = parse_upgrade_response(response + "frames", kKey, kOffered);
  ASSERT_TRUE(std::holds_alternative<UpgradeAccepted>(answer));
  EXPECT_EQ(std::get<UpgradeAccepted>(answer).subprotocol, "wamp.2.json");
  EXPECT_EQ(std::get<UpgradeAccepted>(answer).consumed, response.size());
}

TEST(UpgradeResponse, NoSubprotocolOfferedSendsNoLine) {
  EXPECT_EQ(encode_upgrade_request("h", "/", {}, kKey).find("Protocol"), std::string::npos);
}

TEST(UpgradeResponse, NoSubprotocolChosenIsEmpty) {
  const auto answer = parse_upgrade_response(Response().text(), kKey, kOffered);
  ASSERT_TRUE(std::holds_alternative<UpgradeAccepted>(answer));
  EXPECT_EQ(std::get<UpgradeAccepted>(answer).subprotocol, "");
}

TEST(UpgradeResponse, RefusesA101ThatLacksAField) {
  Response response;
  response.upgrade.clear();
  EXPECT_THAT(refused(response.text()).body, HasSubstr("Upgrade: websocket"));
  response = {};
  response.connection = "Connection: close\r\n";
  EXPECT_THAT(refused(response.text()).body, HasSubstr("Connection: Upgrade"));
  response = {};
  response.accept.clear();
  EXPECT_THAT(refused(response.text()).body, HasSubstr("Sec-WebSocket-Accept"));
}

TEST(UpgradeResponse, RefusesAnAcceptThatDoesNotFitTheKey) {
  Response response;
  response.accept = "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  EXPECT_THAT(refused(response.text()).body, HasSubstr("does not fit the key"));
  EXPECT_EQ(refused(response.text()).status, 0u);
}

TEST(UpgradeResponse, RefusesASubprotocolThatWasNotOffered) {
  Response response;
  response.more = "Sec-WebSocket-Protocol: chat\r\n";
  EXPECT_THAT(refused(response.text()).body, HasSubstr("'chat'"));
  response.more = "Sec-WebSocket-Protocol: wamp.2.json\r\nSec-WebSocket-Protocol: wamp.2.json\r\n";
  EXPECT_THAT(refused(response.text()).body, HasSubstr("more than one"));
}

TEST(UpgradeResponse, RefusesAnExtensionThatWasNotOffered) {
  Response response;
  response.more = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  EXPECT_THAT(refused(response.text()).body, HasSubstr("extension"));
}

TEST(UpgradeResponse, ARefusalOfTheServerCarriesItsStatusAndBody) {
  const UpgradeRefusal sent{405, "Use GET.\n", "Allow: GET"};
  const std::string text = encode_refusal(sent);
  for (std::size_t size = 0; size < text.size(); ++size)
    ASSERT_TRUE(incomplete(text.substr(0, size))) << size;
  const UpgradeRefusal read = refused(text);
  EXPECT_EQ(read.status, 405u);
  EXPECT_EQ(read.body, "Use GET.\n");
}

TEST(UpgradeResponse, OnlyTheBeginningOfAHugeBodyIsWaitedFor) {
  const std::string head = "HTTP/1.1 500 X\r\nContent-Length: 1000000000\r\n\r\n";
  EXPECT_TRUE(incomplete(head + "some"));
  EXPECT_EQ(refused(head + std::string(5000, 'x')).body.size(), 4096u);
}

TEST(UpgradeResponse, ABodyWithoutLengthIsTakenAsFarAsItIsThere) {
  EXPECT_EQ(refused("HTTP/1.1 404 Not Found\r\n\r\nnothing").body, "nothing");
}

TEST(UpgradeResponse, ARefusalIsAWholeResponseThatClosesTheConnection) {
  EXPECT_EQ(encode_refusal({426, "Upgrade.\n", "Upgrade: websocket\r\nSec-WebSocket-Version: 13"}),
            "HTTP/1.1 426 Upgrade Required\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 9\r\nConnection: close\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\nUpgrade.\n");
  EXPECT_THAT(encode_refusal({505, "x", ""}), HasSubstr("Connection: close\r\n\r\nx"));
}

TEST(UpgradeResponse, WhatIsNoHttpIsRefusedAtOnce) {
  EXPECT_THAT(refused("\x15\x03").body, HasSubstr("wss://"));
  EXPECT_THAT(refused("SSH-2.0").body, HasSubstr("HTTP"));
  EXPECT_THAT(refused("HTTP/1.1 abc\r\n\r\n").body, HasSubstr("not valid HTTP"));
}

TEST(UpgradeResponse, AHeaderThatIsTooLargeIsRefused) {
  EXPECT_THAT(refused("HTTP/1.1 101 X\r\nX: " + std::string(9000, 'x')).body, HasSubstr("larger"));
}

}  // namespace
}  // namespace ringcast::wire
