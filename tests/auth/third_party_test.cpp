// The methods of auth/ against the implementations that real clients bring: autobahn-python,
// autobahn-js, wampy; and hashes and tokens against argon2-cffi and PyJWT.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "auth/cryptosign.h"
#include "auth/jwt.h"
#include "auth/scram.h"
#include "auth/wampcra.h"
#include "tests/auth/support.h"
#include "tests/client/program.h"

namespace ringcast::auth {
namespace {

using nlohmann::json;
using test::must;

// The peer's answers, one for each request. A peer that can't run is a failure, not a reason to
// skip.
json answers_of(const std::vector<std::string>& command, const json& requests) {
  ringcast::test::Program program("/usr/bin/env", command, requests.dump());
  const auto outcome = program.wait();
  if (outcome.exit_code != 0)
    throw std::runtime_error(command[1] +
                             " failed (./dev test installs what it needs): " + outcome.err);
  return json::parse(outcome.out);
}
json ask_python(const json& requests) {
  return answers_of({"/usr/bin/python3", RINGCAST_TESTS "/auth/peer.py"}, requests);
}
json ask_node(const json& requests) {
  return answers_of({"node", RINGCAST_TESTS "/integration/clients/auth_peer.mjs"}, requests);
}

const std::string kPassword = "pass, word=\u00E9\u4E2D";

// ---- WAMP-CRA ----

json cra_request(const CraServer& server) {
  json extra = {{"challenge", server.challenge()}};
  if (const auto& salting = server.salting()) {
    extra["salt"] = salting->salt;
    extra["iterations"] = salting->iterations;
    extra["keylen"] = salting->keylen;
  }
  return {{"op", "cra"}, {"authid", "joe"}, {"secret", kPassword}, {"extra", extra}};
}

std::vector<CraServer> cra_servers() {
  const std::string challenge =
      cra_challenge({"joe\u00E9", "user", "static", 3251278072152162}, "nonce", 1'700'000'000'000);
  const std::string salt = to_base64(random_bytes(16), Base64::standard);
  return {must(CraServer::begin(must(make_plain(kPassword)), challenge)),
          must(CraServer::begin(must(make_cra_key(kPassword, 1000, salt)), challenge)),
          must(CraServer::begin(must(make_cra_key(kPassword, 37, "s\u00E9l")), challenge))};
}

TEST(ThirdParty, AutobahnPythonSignsWampCra) {
  const auto servers = cra_servers();
  json requests;
  for (const CraServer& server : servers) requests.push_back(cra_request(server));
  const json answers = ask_python(requests);
  for (std::size_t i = 0; i < servers.size(); ++i)
    EXPECT_TRUE(servers[i].verify(answers[i].get<std::string>())) << i;
}

TEST(ThirdParty, JavaScriptClientsSignWampCra) {
  const auto servers = cra_servers();
  json requests;
  for (const CraServer& server : servers) requests.push_back(cra_request(server));
  const json answers = ask_node(requests);
  for (std::size_t i = 0; i < servers.size(); ++i) {
    EXPECT_TRUE(servers[i].verify(answers[i]["autobahn"].get<std::string>())) << i;
    EXPECT_TRUE(servers[i].verify(answers[i]["wampy"].get<std::string>())) << i;
  }
}

// ---- WAMP-Cryptosign ----

TEST(ThirdParty, ClientsSignWampCryptosign) {
  const Bytes32 key = random_bytes32();
  const Bytes32 challenge = random_bytes32();
  const Bytes32 channel = random_bytes32();
  json plain = {
      {"op", "sign"}, {"private_key", to_hex(view(key))}, {"challenge", to_hex(view(challenge))}};
  json bound = plain;
  bound["channel_id"] = to_hex(view(channel));
  const json python = ask_python({plain, bound});
  const Bytes32 public_key = must(parse_hex32(python[0]["public_key"].get<std::string>()));
  EXPECT_EQ(public_key, ed25519_public_key(key));
  const auto verify = [&](const json& reply, const ChannelId& channel_id) {
    return static_cast<bool>(
        cryptosign_verify(public_key, challenge, channel_id, reply.get<std::string>()));
  };
  EXPECT_TRUE(verify(python[0]["reply"], {}));
  EXPECT_TRUE(verify(python[1]["reply"], channel));
  const json node = ask_node(json::array({plain}));
  EXPECT_TRUE(verify(node[0]["autobahn"], {}));
  EXPECT_TRUE(verify(node[0]["wampy"], {}));
}

// ---- SCRAM ----

// The only client that has it, in the dialect of Crossbar and with argon2id: its PBKDF2 fails on
// its own types, and JavaScript clients have neither.
TEST(ThirdParty, AutobahnPythonProvesItselfByScram) {
  const Argon2Cost cost{512, 64, 1};
  const auto keys =
      std::get<ScramKeys>(must(make_scram_argon2id(kPassword, cost, random_bytes(16))));
  const ScramHello hello{"joe", to_base64(random_bytes(16), Base64::standard), {}};
  auto server = must(ScramServer::begin(ScramDialect::crossbar, hello, keys, random_bytes(16), {}));
  const ScramChallenge& challenge = server.challenge();
  // Our own client computes the verifier before the server may give it away.
  auto twin = must(ScramClient::begin(ScramDialect::crossbar, "joe", kPassword,
                                      *from_base64(hello.nonce, Base64::standard), {}));
  const std::string own_proof = must(twin.answer(challenge)).signature;
  ASSERT_TRUE(server.verify({own_proof, {}, {}, {}}));

  const std::string wrong(44, 'A');
  json request = {{"op", "scram"},
                  {"authid", "joe"},
                  {"password", kPassword},
                  {"nonce", hello.nonce},
                  {"verifiers", {server.verifier(), wrong}},
                  {"extra",
                   {{"nonce", challenge.nonce},
                    {"salt", challenge.salt},
                    {"kdf", challenge.kdf},
                    {"iterations", challenge.iterations},
                    {"memory", *challenge.memory_kib}}}};
  json other = request;
  other["password"] = "another";
  const json answers = ask_python({request, other});
  const auto verify = [&](const json& answer) {
    return static_cast<bool>(server.verify({answer["proof"].get<std::string>(), {}, {}, {}}));
  };
  EXPECT_TRUE(verify(answers[0]));
  EXPECT_FALSE(verify(answers[1]));
  EXPECT_TRUE(answers[0]["takes"][server.verifier()].get<bool>());
  EXPECT_FALSE(answers[0]["takes"][wrong].get<bool>());
}

// ---- Hashes and tokens ----

TEST(ThirdParty, Argon2CffiReadsAndWritesOurHashes) {
  const std::string ours = to_text(must(make_argon2id(kPassword, {256, 2, 1}, random_bytes(16))));
  const json answers =
      ask_python({{{"op", "argon2_hash"}, {"password", kPassword}},
                  {{"op", "argon2_verify"}, {"hash", ours}, {"password", kPassword}},
                  {{"op", "argon2_verify"}, {"hash", ours}, {"password", kPassword + "x"}}});
  const Credential theirs = must(parse_credential(answers[0].get<std::string>()));
  EXPECT_TRUE(verify_password(theirs, kPassword));
  EXPECT_FALSE(verify_password(theirs, kPassword + "x"));
  EXPECT_TRUE(answers[1].get<bool>());
  EXPECT_FALSE(answers[2].get<bool>());
}

TEST(ThirdParty, PyJwtSignsTokensOfEachAlgorithm) {
  const std::string secret(40, 's');
  const json claims = {
      {"sub", "joe\u00E9"}, {"role", "user"}, {"exp", 2'000'000'000}, {"aud", {"a", "b"}}};
  const json answer =
      ask_python(json::array({{{"op", "jwt_sign"}, {"claims", claims}, {"secret", secret}}}))[0];
  JwtRules rules;
  rules.audience = "b";
  const auto accepted = [&](std::string_view algorithm, const std::vector<JwtKey>& keys) {
    const auto identity =
        verify_jwt(answer["tokens"][algorithm].get<std::string>(), keys, rules, 1'900'000'000);
    return identity && identity->authid == "joe\u00E9" && identity->authrole == "user";
  };
  const std::vector<JwtKey> secrets{must(JwtKey::from_secret(secret, ""))};
  EXPECT_TRUE(accepted("HS256", secrets));
  for (const char* algorithm : {"RS256", "ES256", "EdDSA"}) {
    const auto pem = answer["pems"][algorithm].get<std::string>();
    EXPECT_TRUE(accepted(algorithm, must(jwt_keys_from_pem(pem)))) << algorithm;
    EXPECT_FALSE(accepted(algorithm, secrets)) << algorithm;
  }
  const auto set = must(jwt_keys_from_jwks(answer["jwks"].get<std::string>()));
  EXPECT_EQ(set.size(), 2u);
  for (const char* algorithm : {"RS256", "EdDSA"}) EXPECT_TRUE(accepted(algorithm, set));
  EXPECT_FALSE(accepted("ES256", set));
}

TEST(ThirdParty, PyJwtReadsOurTokens) {
  const std::string secret(40, 's');
  const std::string token =
      must(sign_jwt(R"({"sub":"joe","exp":4000000000})", must(JwtKey::from_secret(secret, "1"))));
  const json answer = ask_python(json::array(
      {{{"op", "jwt_read"}, {"token", token}, {"key", secret}, {"algorithm", "HS256"}}}))[0];
  EXPECT_EQ(answer["sub"], "joe");
}

}  // namespace
}  // namespace ringcast::auth
