#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "wire/http_upgrade.h"

namespace ringcast::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kKey = "dGhlIHNhbXBsZSBub25jZQ==";

// A valid request, to be changed: the lines below the request line.
struct Request {
  std::string line = "GET /ws HTTP/1.1";
  std::string host = "Host: example.org\r\n";
  std::string upgrade = "Upgrade: websocket\r\n";
  std::string connection = "Connection: Upgrade\r\n";
  std::string version = "Sec-WebSocket-Version: 13\r\n";
  std::string key = "Sec-WebSocket-Key: " + kKey + "\r\n";
  std::string more;
  std::string text() const {
    return line + "\r\n" + host + upgrade + connection + version + key + more + "\r\n";
  }
};

UpgradeRequest accepted(const std::string& text) {
  const auto result = parse_upgrade_request(text);
  if (const auto* refusal = std::get_if<UpgradeRefusal>(&result))
    ADD_FAILURE() << refusal->status << " " << refusal->body;
  else if (std::holds_alternative<UpgradeIncomplete>(result))
    ADD_FAILURE() << "incomplete";
  else
    return std::get<UpgradeRequest>(result);
  return {};
}

UpgradeRefusal refused(const std::string& text) {
  const auto result = parse_upgrade_request(text);
  if (const auto* refusal = std::get_if<UpgradeRefusal>(&result)) {
    EXPECT_FALSE(refusal->body.empty());
    return *refusal;
  }
  ADD_FAILURE() << "not refused: " << text.substr(0, 200);
  return {};
}

bool incomplete(const std::string& text) {
  return std::holds_alternative<UpgradeIncomplete>(parse_upgrade_request(text));
}

TEST(UpgradeRequest, ReadsEverythingThatAConnectionNeeds) {
  Request request;
  request.line = "GET /ws/a%20b?token=x&y=?z HTTP/1.1";
  request.more =
      "Origin: https://example.org\r\nUser-Agent: test/1\r\n"
      "Sec-WebSocket-Protocol: wamp.2.msgpack, wamp.2.json\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
  const std::string text = request.text();
  const UpgradeRequest read = accepted(text + "frames follow");
  EXPECT_EQ(read.path, "/ws/a%20b");
  EXPECT_EQ(read.query, "token=x&y=?z");
  EXPECT_EQ(read.key, kKey);
  EXPECT_EQ(read.host, "example.org");
  EXPECT_EQ(read.origin, "https://example.org");
  EXPECT_EQ(read.user_agent, "test/1");
  EXPECT_THAT(read.subprotocols, ElementsAre("wamp.2.msgpack", "wamp.2.json"));
  EXPECT_EQ(read.extensions, "permessage-deflate; client_max_window_bits");
  EXPECT_EQ(read.consumed, text.size());
}

TEST(UpgradeRequest, WhatIsAbsentIsEmpty) {
  const UpgradeRequest read = accepted(Request().text());
  EXPECT_EQ(read.query, "");
  EXPECT_EQ(read.origin, "");
  EXPECT_EQ(read.user_agent, "");
  EXPECT_EQ(read.extensions, "");
  EXPECT_TRUE(read.subprotocols.empty());
}

TEST(UpgradeRequest, IsIncompleteAtEveryByteBeforeItsEnd) {
  const std::string text = Request().text();
  for (std::size_t size = 0; size < text.size(); ++size)
    ASSERT_TRUE(incomplete(text.substr(0, size))) << size;
  accepted(text);
}

TEST(UpgradeRequest, NamesAndTokensAreCaseInsensitive) {
  Request request;
  request.upgrade = "UPGRADE: WebSocket\r\n";
  request.connection = "connection: UPGRADE\r\n";
  request.key = "sec-websocket-KEY: " + kKey + "\r\n";
  accepted(request.text());
}

TEST(UpgradeRequest, TokensMayStandInListsAndOnSeveralLines) {
  Request request;
  request.connection = "Connection: keep-alive, Upgrade\r\n";
  accepted(request.text());
  request.connection = "Connection: keep-alive\r\nConnection: upgrade\r\n";
  request.upgrade = "Upgrade: h2c, websocket\r\n";
  accepted(request.text());
}

TEST(UpgradeRequest, SubprotocolsOfSeveralLinesKeepTheirOrder) {
  Request request;
  request.more =
      "Sec-WebSocket-Protocol: b ,a\r\nX: y\r\nSec-WebSocket-Protocol:\tc,,\r\n"
      "Sec-WebSocket-Extensions: x\r\nSec-WebSocket-Extensions: y; z=1\r\n";
  const UpgradeRequest read = accepted(request.text());
  EXPECT_THAT(read.subprotocols, ElementsAre("b", "a", "c"));
  EXPECT_EQ(read.extensions, "x, y; z=1");
}

TEST(UpgradeRequest, RefusesASubprotocolThatIsNoToken) {
  Request request;
  request.more = "Sec-WebSocket-Protocol: wamp 2\r\n";
  EXPECT_THAT(refused(request.text()).body, HasSubstr("Sec-WebSocket-Protocol"));
}

TEST(UpgradeRequest, TakesATargetInAbsoluteForm) {
  Request request;
  request.line = "GET http://example.org:8080/ws?a HTTP/1.1";
  EXPECT_EQ(accepted(request.text()).path, "/ws");
  EXPECT_EQ(accepted(request.text()).query, "a");
  request.line = "GET ws://example.org HTTP/1.1";
  EXPECT_EQ(accepted(request.text()).path, "/");
}

TEST(UpgradeRequest, AnAddressInTheQueryIsNoAbsoluteForm) {
  Request request;
  request.line = "GET /ws?from=http://other/x HTTP/1.1";
  EXPECT_EQ(accepted(request.text()).path, "/ws");
}

TEST(UpgradeRequest, RefusesATargetThatIsNoPath) {
  Request request;
  for (const char* line : {"GET * HTTP/1.1", "GET ws HTTP/1.1", "GET /ws#part HTTP/1.1"}) {
    request.line = line;
    EXPECT_EQ(refused(request.text()).status, 400u);
  }
}

TEST(UpgradeRequest, RefusesOtherMethodsWith405AndAllow) {
  for (const char* method : {"POST", "HEAD", "PUT", "OPTIONS", "FOO"}) {
    Request request;
    request.line = std::string(method) + " /ws HTTP/1.1";
    const UpgradeRefusal refusal = refused(request.text());
    EXPECT_EQ(refusal.status, 405u) << method;
    EXPECT_EQ(refusal.extra_header, "Allow: GET");
  }
}

TEST(UpgradeRequest, RefusesOtherVersionsOfHttp) {
  for (const char* version : {"HTTP/1.0", "HTTP/2.0", "HTTP/0.9"}) {
    Request request;
    request.line = std::string("GET /ws ") + version;
    EXPECT_EQ(refused(request.text()).status, 505u) << version;
  }
  EXPECT_EQ(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status, 505u);
}

TEST(UpgradeRequest, RefusesAPlainRequestWith426AndUpgrade) {
  for (int missing = 0; missing < 4; ++missing) {
    Request request;
    if (missing == 0) request.upgrade.clear();
    if (missing == 1) request.connection.clear();
    if (missing == 2) request.upgrade = "Upgrade: h2c\r\n";
    if (missing == 3) request.connection = "Connection: keep-alive\r\n";
    const UpgradeRefusal refusal = refused(request.text());
    EXPECT_EQ(refusal.status, 426u) << missing;
    EXPECT_EQ(refusal.extra_header, "Upgrade: websocket");
    EXPECT_THAT(refusal.body, HasSubstr("WebSocket client"));
  }
}

TEST(UpgradeRequest, RefusesOtherVersionsOfWebSocketWith426AndTheVersion) {
  for (const char* version : {"", "Sec-WebSocket-Version: 8\r\n", "Sec-WebSocket-Version: 130\r\n",
                              "Sec-WebSocket-Version: 8, 13\r\n"}) {
    Request request;
    request.version = version;
    const UpgradeRefusal refusal = refused(request.text());
    EXPECT_EQ(refusal.status, 426u) << version;
    EXPECT_THAT(refusal.extra_header, HasSubstr("Sec-WebSocket-Version: 13"));
  }
}

TEST(UpgradeRequest, RefusesAKeyThatIsNot16BytesInBase64) {
  for (const char* key :
       {"", "x", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZTEy",
        "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25j Q=="}) {
    Request request;
    request.key = std::string("Sec-WebSocket-Key: ") + key + "\r\n";
    const UpgradeRefusal refusal = refused(request.text());
    EXPECT_EQ(refusal.status, 400u) << key;
    EXPECT_THAT(refusal.body, HasSubstr("Sec-WebSocket-Key")) << key;
  }
  Request request;
  request.key.clear();
  EXPECT_THAT(refused(request.text()).body, HasSubstr("missing"));
}

TEST(UpgradeRequest, RefusesRepeatedFieldsThatMustBeSingle) {
  for (int field = 0; field < 3; ++field) {
    Request request;
    std::string& line = field == 0 ? request.host : field == 1 ? request.key : request.version;
    line += line;
    const UpgradeRefusal refusal = refused(request.text());
    EXPECT_EQ(refusal.status, 400u) << field;
    EXPECT_THAT(refusal.body, HasSubstr("repeated"));
  }
}

TEST(UpgradeRequest, RefusesAMissingHost) {
  Request request;
  request.host.clear();
  EXPECT_THAT(refused(request.text()).body, HasSubstr("Host"));
}

TEST(UpgradeRequest, RefusesABody) {
  for (const char* more : {"Content-Length: 5\r\n", "Content-Length: 99999999999\r\n",
                           "Transfer-Encoding: chunked\r\n"}) {
    Request request;
    request.more = more;
    const UpgradeRefusal refusal = refused(request.text() + "hello");
    EXPECT_EQ(refusal.status, 400u) << more;
    EXPECT_THAT(refusal.body, HasSubstr("body")) << more;
  }
  Request request;
  request.more = "Content-Length: 0\r\n";
  accepted(request.text());
}

TEST(UpgradeRequest, RefusesLengthAndChunksTogether) {
  Request request;
  request.more = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
  EXPECT_EQ(refused(request.text()).status, 400u);
}

TEST(UpgradeRequest, RefusesBareLineFeedsAtOnceInsteadOfWaiting) {
  EXPECT_THAT(refused("GET /ws HTTP/1.1\n").body, HasSubstr("LF"));
  EXPECT_THAT(refused("GET /ws HTTP/1.1\r\nHost: x\n").body, HasSubstr("LF"));
  EXPECT_EQ(refused("GET /ws HTTP/1.1\nHost: x\n\n").status, 400u);
}

TEST(UpgradeRequest, RefusesATlsHandshakeAtItsFirstByteAndSaysSo) {
  EXPECT_THAT(refused("\x16").body, HasSubstr("TLS is not spoken"));
  EXPECT_THAT(refused(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xFC", 9)).body,
              HasSubstr("wss://"));
}

TEST(UpgradeRequest, RefusesWhatCannotBecomeHttpAtOnce) {
  for (const char* text : {"\x80", "\r\n", " GET", "{\"a\":1}", "SSH-2.0-OpenSSH_9.2\r\n",
                           "EHLO example.org\r\n", "GET /\x01", "GET /\x7F", "\xFF\xFE"})
    EXPECT_EQ(refused(text).status, 400u) << text;
  EXPECT_EQ(refused(std::string("GET\0", 4)).status, 400u);
}

TEST(UpgradeRequest, RefusesAMalformedHeader) {
  for (const char* more : {"no colon\r\n", ": no name\r\n", "a b: space in name\r\n",
                           "X: control \x01\r\n", "X : space\r\n"}) {
    Request request;
    request.more = more;
    EXPECT_EQ(refused(request.text()).status, 400u) << more;
  }
}

TEST(UpgradeRequest, RefusesAHeaderThatIsTooLargeWith431) {
  Request request;
  const std::size_t room = kUpgradeHeaderBytesMax - request.text().size();
  request.more = "X: " + std::string(room - 5, 'x') + "\r\n";
  ASSERT_EQ(request.text().size(), kUpgradeHeaderBytesMax);
  EXPECT_EQ(accepted(request.text()).consumed, kUpgradeHeaderBytesMax);
  request.more = "X: " + std::string(room - 4, 'x') + "\r\n";
  EXPECT_EQ(refused(request.text()).status, 431u);
  EXPECT_EQ(refused(request.text().substr(0, kUpgradeHeaderBytesMax)).status, 431u);
  EXPECT_TRUE(incomplete(request.text().substr(0, kUpgradeHeaderBytesMax - 1)));
  EXPECT_EQ(refused("GET /" + std::string(20000, 'x')).status, 431u);
}

TEST(UpgradeRequest, FramesThatFollowAreNoPartOfTheHeader) {
  const std::string text = Request().text();
  EXPECT_EQ(accepted(text + std::string(20000, '\n')).consumed, text.size());
}

TEST(UpgradeRequest, AnyDamageGivesADefinedAnswer) {
  std::mt19937 random(5);
  Request request;
  request.more = "Sec-WebSocket-Protocol: a, b\r\n";
  const std::string text = request.text();
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = text;
    const unsigned faults = 1 + random() % 3;
    for (unsigned k = 0; k < faults; ++k)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    damaged.resize(1 + random() % damaged.size());
    const std::vector<char> own(damaged.begin(), damaged.end());
    const auto result = parse_upgrade_request(Bytes(own.data(), own.size()));
    if (const auto* refusal = std::get_if<UpgradeRefusal>(&result)) {
      EXPECT_GE(refusal->status, 400u);
      EXPECT_FALSE(refusal->body.empty());
    }
  }
}

}  // namespace
}  // namespace ringcast::wire
