#include "auth/wampcra.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/auth/support.h"

namespace ringcast::auth {
namespace {

using test::must;

constexpr std::int64_t kTime_ms = 1'403'455'901'643;  // 2014-06-22T16:51:41.643Z

std::string challenge() {
  return cra_challenge({"peter", "user", "userdb", 3251278072152162}, "LHRTC9zeOIrt_9U3", kTime_ms);
}

TEST(WampCra, TheChallengeSaysWhatTheSpecificationDemands) {
  const auto json = nlohmann::json::parse(challenge());
  EXPECT_EQ(json.size(), 7u);
  EXPECT_EQ(json["authid"], "peter");
  EXPECT_EQ(json["authrole"], "user");
  EXPECT_EQ(json["authmethod"], "wampcra");
  EXPECT_EQ(json["authprovider"], "userdb");
  EXPECT_EQ(json["nonce"], "LHRTC9zeOIrt_9U3");
  EXPECT_EQ(json["timestamp"], "2014-06-22T16:51:41.643Z");
  EXPECT_EQ(json["session"], 3251278072152162u);
}

TEST(WampCra, AnAuthidCannotAddToTheChallenge) {
  const std::string text =
      cra_challenge({"joe\",\"authrole\":\"admin", "user\n", "p", 1}, "n", kTime_ms);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["authid"], "joe\",\"authrole\":\"admin");
  EXPECT_EQ(json["authrole"], "user\n");
  EXPECT_EQ(nlohmann::json::parse(cra_challenge({"\xFF", "", "", 0}, "", kTime_ms))["authid"],
            "\uFFFD");
}

TEST(WampCra, PadsEveryPartOfTheTime) {
  const auto json =
      nlohmann::json::parse(cra_challenge({"a", "b", "c", 1}, "n", 1'000'000'000'007));
  EXPECT_EQ(json["timestamp"], "2001-09-09T01:46:40.007Z");
}

TEST(WampCra, PlainSecretsSignTheChallenge) {
  const auto server = must(CraServer::begin(must(make_plain("secret123")), challenge()));
  EXPECT_FALSE(server.salting());
  const std::string key = must(cra_key("secret123", server.salting()));
  EXPECT_EQ(key, "secret123");
  EXPECT_TRUE(server.verify(cra_sign(key, server.challenge())));
  EXPECT_FALSE(server.verify(cra_sign("secret124", server.challenge())));
  EXPECT_FALSE(server.verify(cra_sign(key, server.challenge() + " ")));
}

TEST(WampCra, SaltedSecretsSignWithTheTextOfTheDerivedKey) {
  const auto server = must(CraServer::begin(
      must(make_cra_key("prq7+YkJ1/KlW1X0YczMHw==", 1000, "salt123")), challenge()));
  ASSERT_TRUE(server.salting());
  EXPECT_EQ(server.salting()->salt, "salt123");
  EXPECT_EQ(server.salting()->iterations, 1000u);
  EXPECT_EQ(server.salting()->keylen, 32u);
  const std::string key = must(cra_key("prq7+YkJ1/KlW1X0YczMHw==", server.salting()));
  EXPECT_EQ(key.size(), 44u);
  EXPECT_TRUE(server.verify(cra_sign(key, server.challenge())));
  EXPECT_FALSE(server.verify(cra_sign(*from_base64(key, Base64::standard), server.challenge())));
  EXPECT_FALSE(server.verify(cra_sign("prq7+YkJ1/KlW1X0YczMHw==", server.challenge())));
}

TEST(WampCra, RefusesWhatIsNoSignature) {
  const auto server = must(CraServer::begin(must(make_plain("s")), challenge()));
  const std::string good = cra_sign("s", challenge());
  EXPECT_FALSE(server.verify(""));
  EXPECT_FALSE(server.verify(good + "\n"));
  EXPECT_FALSE(server.verify(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(server.verify(std::string(1 << 20, 'A')));
  EXPECT_FALSE(server.verify(std::string_view("\0\0\0\0", 4)));
}

TEST(WampCra, RefusesCredentialsOfOtherMethods) {
  EXPECT_FALSE(CraServer::begin(must(make_pbkdf2("s", 1, "01234567")), challenge()));
}

TEST(WampCra, AClientDoesNotPayAnyPrice) {
  EXPECT_FALSE(cra_key("s", CraSalting{"salt", kPbkdf2IterationsMax + 1, 32}));
  EXPECT_FALSE(cra_key("s", CraSalting{"salt", 0, 32}));
  EXPECT_FALSE(cra_key("s", CraSalting{"salt", 1000, 0}));
  EXPECT_FALSE(cra_key("s", CraSalting{"salt", 1000, 65}));
}

}  // namespace
}  // namespace ringcast::auth
