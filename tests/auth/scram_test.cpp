#include "auth/scram.h"

#include <gtest/gtest.h>

#include "tests/auth/support.h"

namespace ringcast::auth {
namespace {

using test::kCheapArgon2;
using test::kCheapIterations;
using test::kSalt;
using test::must;

constexpr std::string_view kClientNonce = "client-nonce-16b";
constexpr std::string_view kServerNonce = "server-nonce-16b";

ScramKeys keys_of(const Credential& credential) { return std::get<ScramKeys>(credential); }
ScramKeys pbkdf2_keys(std::string_view password) {
  return keys_of(must(make_scram_pbkdf2(password, kCheapIterations, kSalt)));
}
ScramKeys argon2_keys(std::string_view password) {
  return keys_of(must(make_scram_argon2id(password, kCheapArgon2, kSalt)));
}

// RFC 7677 section 3, which the specification's pseudocode reproduces ("it possible to use existing
// test vectors"). The nonces are not base64, so only the algorithms can be fed with them.
TEST(Scram, GivesTheVectorOfRfc7677) {
  const std::string nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const std::string salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
  const std::string message = scram_auth_message(
      ScramDialect::standard, {"user", "rOprNGfwEbeRWgbNEkqO", nonce, salt, 4096, nullptr});
  EXPECT_EQ(message, "n=user,r=rOprNGfwEbeRWgbNEkqO,r=" + nonce + ",s=" + salt +
                         ",i=4096,c=biws,r=" + nonce);
  const std::string salted =
      pbkdf2_sha256("pencil", from_base64(salt, Base64::standard).value(), 4096, 32);
  const ScramKeyPair keys = scram_key_pair(salted);
  const std::string proof = scram_client_proof(salted, message);
  EXPECT_EQ(proof, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_TRUE(scram_verify_proof(keys.stored_key, message, proof));
  EXPECT_EQ(scram_server_signature(keys.server_key, message),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(Scram, EscapesTheAuthidAndNamesTheBinding) {
  const ChannelBinding binding{"tls-exporter", "\x01\x02"};
  EXPECT_EQ(
      scram_auth_message(ScramDialect::standard, {"a,b=c", "cn", "cnsn", "salt", 1, &binding}),
      "n=a=2Cb=3Dc,r=cn,r=cnsn,s=salt,i=1,c=" +
          to_base64("p=tls-exporter,,\x01\x02", Base64::standard) + ",r=cnsn");
}

struct Exchange {
  ScramServer server;
  ScramClient client;
  ScramProof proof;
};

Exchange exchange(ScramDialect dialect, const ScramKeys& keys, std::string_view password,
                  const std::optional<ChannelBinding>& binding = std::nullopt) {
  auto client = must(ScramClient::begin(dialect, "joe", password, kClientNonce, binding));
  auto server = must(ScramServer::begin(dialect, client.hello(), keys, kServerNonce, binding));
  auto proof = must(client.answer(server.challenge()));
  return {std::move(server), std::move(client), std::move(proof)};
}

TEST(Scram, BothSidesProveThatTheyKnowThePassword) {
  for (const ScramDialect dialect : {ScramDialect::standard, ScramDialect::crossbar}) {
    for (const ScramKeys& keys : {pbkdf2_keys("pencil"), argon2_keys("pencil")}) {
      Exchange good = exchange(dialect, keys, "pencil");
      EXPECT_TRUE(good.server.verify(good.proof));
      EXPECT_TRUE(good.client.check(good.server.verifier()));
      EXPECT_TRUE(good.client.check("v=" + good.server.verifier()));
    }
  }
}

TEST(Scram, AWrongPasswordGetsNoVerifier) {
  for (const ScramDialect dialect : {ScramDialect::standard, ScramDialect::crossbar}) {
    for (const ScramKeys& keys : {pbkdf2_keys("pencil"), argon2_keys("pencil")}) {
      Exchange wrong = exchange(dialect, keys, "pencis");
      EXPECT_FALSE(wrong.server.verify(wrong.proof));
      EXPECT_EQ(wrong.server.verifier(), "");
      EXPECT_FALSE(wrong.client.check(wrong.server.verifier()));
    }
  }
}

TEST(Scram, AClientKnowsARouterThatDoesNotKnowThePassword) {
  Exchange good = exchange(ScramDialect::standard, pbkdf2_keys("pencil"), "pencil");
  for (const char* verifier : {"", "v=", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="})
    EXPECT_FALSE(good.client.check(verifier)) << verifier;
  const auto fresh =
      must(ScramClient::begin(ScramDialect::standard, "joe", "pencil", kClientNonce, {}));
  EXPECT_FALSE(fresh.check("")) << "before there was an answer";
}

TEST(Scram, TheChallengeHasWhatTheDialectNames) {
  const auto challenge = [](ScramDialect dialect, const ScramKeys& keys) {
    return exchange(dialect, keys, "pencil").server.challenge();
  };
  const ScramChallenge argon2 = challenge(ScramDialect::standard, argon2_keys("pencil"));
  EXPECT_EQ(argon2.kdf, "argon2id13");
  EXPECT_EQ(argon2.iterations, 1u);
  EXPECT_EQ(argon2.memory_kib, 8192u);
  EXPECT_EQ(argon2.salt, to_base64(kSalt, Base64::standard));
  EXPECT_EQ(argon2.nonce,
            to_base64(kClientNonce, Base64::standard) + to_base64(kServerNonce, Base64::standard));
  EXPECT_EQ(challenge(ScramDialect::crossbar, argon2_keys("pencil")).kdf, "argon2id-13");
  const ScramChallenge pbkdf2 = challenge(ScramDialect::standard, pbkdf2_keys("pencil"));
  EXPECT_EQ(pbkdf2.kdf, "pbkdf2");
  EXPECT_EQ(pbkdf2.iterations, kCheapIterations);
  EXPECT_FALSE(pbkdf2.memory_kib);
  EXPECT_EQ(scram_verifier_name(ScramDialect::standard), "verifier");
  EXPECT_EQ(scram_verifier_name(ScramDialect::crossbar), "scram_server_signature");
}

TEST(Scram, NormalizesPasswordsOnBothSides) {
  Exchange good = exchange(ScramDialect::standard, pbkdf2_keys("caf\u00E9"), "cafe\u0301");
  EXPECT_TRUE(good.server.verify(good.proof));
}

// autobahn-python does not normalize.
TEST(Scram, TheOlderDialectTakesThePasswordAsItIs) {
  Exchange same = exchange(ScramDialect::crossbar, argon2_keys("cafe\u0301"), "cafe\u0301");
  EXPECT_TRUE(same.server.verify(same.proof));
}

TEST(Scram, ChannelBindingTiesTheProofToTheConnection) {
  const ChannelBinding ours{"tls-exporter", std::string(32, 'a')};
  Exchange good = exchange(ScramDialect::standard, pbkdf2_keys("pencil"), "pencil", ours);
  EXPECT_EQ(good.proof.channel_binding, "tls-exporter");
  EXPECT_TRUE(good.server.verify(good.proof));

  auto client = must(ScramClient::begin(ScramDialect::standard, "joe", "pencil", kClientNonce,
                                        ChannelBinding{"tls-exporter", std::string(32, 'b')}));
  auto server = must(ScramServer::begin(ScramDialect::standard, client.hello(),
                                        pbkdf2_keys("pencil"), kServerNonce, ours));
  ScramProof between = must(client.answer(server.challenge()));
  EXPECT_FALSE(server.verify(between));
  between.cbind_data = to_base64(ours.data, Base64::standard);
  EXPECT_FALSE(server.verify(between)) << "the data is part of what is signed";
}

TEST(Scram, RefusesABindingThatIsNotThereOrNotTheOneAskedFor) {
  const ChannelBinding exporter{"tls-exporter", "x"};
  const ScramKeys keys = pbkdf2_keys("pencil");
  const std::string nonce = to_base64(kClientNonce, Base64::standard);
  const auto begin = [&](std::optional<std::string> asked, std::optional<ChannelBinding> have,
                         ScramDialect dialect = ScramDialect::standard) {
    return static_cast<bool>(ScramServer::begin(dialect, {"joe", nonce, std::move(asked)}, keys,
                                                kServerNonce, std::move(have)));
  };
  EXPECT_TRUE(begin({}, {}));
  EXPECT_TRUE(begin({}, exporter));
  EXPECT_TRUE(begin("tls-exporter", exporter));
  EXPECT_FALSE(begin("tls-exporter", {}));
  EXPECT_FALSE(begin("tls-unique", exporter));
  EXPECT_FALSE(begin("tls-exporter", exporter, ScramDialect::crossbar));
}

TEST(Scram, ChecksWhatAuthenticateRepeats) {
  const ScramKeys keys = pbkdf2_keys("pencil");
  const auto refused = [&](auto change) {
    Exchange one = exchange(ScramDialect::standard, keys, "pencil");
    change(one.proof);
    return !one.server.verify(one.proof) && one.server.verifier().empty();
  };
  EXPECT_FALSE(refused([](ScramProof&) {}));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.nonce.reset(); }));
  EXPECT_TRUE(refused([](ScramProof& proof) { *proof.nonce += "A"; }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.nonce->pop_back(); }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.channel_binding = "tls-unique"; }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.cbind_data = "AAAA"; }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.signature = ""; }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.signature += "="; }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.signature[0] ^= 1; }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.signature = std::string(44, 'A'); }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.signature = std::string(1 << 20, 'A'); }));
}

TEST(Scram, ABoundProofNeedsItsBindingRepeated) {
  const ChannelBinding binding{"tls-exporter", "x"};
  const ScramKeys keys = pbkdf2_keys("pencil");
  const auto refused = [&](auto change) {
    Exchange one = exchange(ScramDialect::standard, keys, "pencil", binding);
    change(one.proof);
    return !one.server.verify(one.proof);
  };
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.channel_binding.reset(); }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.cbind_data.reset(); }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.cbind_data = "!"; }));
  EXPECT_TRUE(refused([](ScramProof& proof) { proof.cbind_data = std::string(1 << 20, 'A'); }));
}

TEST(Scram, AServerTakesOnlyNoncesThatKeepTheRules) {
  const ScramKeys keys = pbkdf2_keys("pencil");
  const auto begins = [&](const std::string& nonce) {
    return static_cast<bool>(
        ScramServer::begin(ScramDialect::standard, {"joe", nonce, {}}, keys, kServerNonce, {}));
  };
  EXPECT_TRUE(begins("egVDf3DMJh0="));  // the specification's example
  EXPECT_TRUE(begins(to_base64(std::string(64, 'x'), Base64::standard)));
  EXPECT_FALSE(begins(""));
  EXPECT_FALSE(begins("AAAA"));                                             // too short
  EXPECT_FALSE(begins(to_base64(std::string(65, 'x'), Base64::standard)));  // too long
  EXPECT_FALSE(begins("egVDf3DMJh0"));                                      // no padding
  EXPECT_FALSE(begins("egVDf3DMJh0= "));
  EXPECT_FALSE(begins("egVDf3DM,r=x"));  // no base64
  EXPECT_FALSE(begins(std::string(1 << 20, 'A')));
}

TEST(Scram, OldKeysWithoutThoseOfScramAreRefusedForIt) {
  ScramKeys keys = argon2_keys("pencil");
  keys.crossbar.reset();
  const ScramHello hello{"joe", to_base64(kClientNonce, Base64::standard), {}};
  EXPECT_TRUE(ScramServer::begin(ScramDialect::standard, hello, keys, kServerNonce, {}));
  EXPECT_FALSE(ScramServer::begin(ScramDialect::crossbar, hello, keys, kServerNonce, {}));
}

// What a router that lies can send.
TEST(Scram, AClientRefusesChallengesThatBreakTheRules) {
  const ScramKeys keys = pbkdf2_keys("pencil");
  const auto refused = [&](auto change) {
    auto client =
        must(ScramClient::begin(ScramDialect::standard, "joe", "pencil", kClientNonce, {}));
    ScramChallenge challenge =
        must(ScramServer::begin(ScramDialect::standard, client.hello(), keys, kServerNonce, {}))
            .challenge();
    change(challenge);
    return !client.answer(challenge);
  };
  EXPECT_FALSE(refused([](ScramChallenge&) {}));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.nonce = ""; }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.nonce[0] ^= 1; }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.nonce.resize(24); })) << "only our own nonce";
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.nonce += ",i=1"; }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.salt = ""; }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.salt = "AAAA"; }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.salt = "not base64!!"; }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.salt = std::string(1 << 20, 'A'); }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.kdf = "md5"; }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.kdf = "argon2id-13"; }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.iterations = 0; }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.iterations = kScramIterationsMin - 1; }))
      << "a hash that is easily cracked";
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.iterations = kPbkdf2IterationsMax + 1; }));
  EXPECT_TRUE(refused([](ScramChallenge& c) { c.kdf = "argon2id13"; })) << "memory is missing";
  EXPECT_TRUE(refused([](ScramChallenge& c) {
    c.kdf = "argon2id13";
    c.iterations = 1;
    c.memory_kib = 4096;
  })) << "too cheap";
  EXPECT_TRUE(refused([](ScramChallenge& c) {
    c.kdf = "argon2id13";
    c.iterations = 1;
    c.memory_kib = UINT32_MAX;
  }));
}

TEST(Scram, AClientTakesAnySaltSizeForArgon2) {
  auto client = must(ScramClient::begin(ScramDialect::standard, "joe", "pencil", kClientNonce, {}));
  const ScramKeys keys = keys_of(must(make_scram_argon2id("pencil", kCheapArgon2, "saltsalt")));
  auto server =
      must(ScramServer::begin(ScramDialect::standard, client.hello(), keys, kServerNonce, {}));
  EXPECT_TRUE(server.verify(must(client.answer(server.challenge()))));
}

// Crossbar encodes the joined octets, so that ours are no longer the text's beginning.
TEST(Scram, AClientOfTheOlderDialectTakesJoinedNonces) {
  const auto answers = [](ScramDialect dialect, const std::string& octets) {
    auto client = must(ScramClient::begin(dialect, "joe", "pencil", kClientNonce, {}));
    const ScramChallenge challenge{to_base64(octets, Base64::standard),
                                   to_base64(kSalt, Base64::standard),
                                   "pbkdf2",
                                   4096,
                                   {}};
    return static_cast<bool>(client.answer(challenge));
  };
  const std::string joined = std::string(kClientNonce) + std::string(kServerNonce);
  EXPECT_TRUE(answers(ScramDialect::crossbar, joined));
  EXPECT_FALSE(answers(ScramDialect::standard, joined));
  EXPECT_FALSE(answers(ScramDialect::crossbar, std::string(kClientNonce)));
  EXPECT_FALSE(answers(ScramDialect::crossbar, std::string(kServerNonce) + joined));
}

}  // namespace
}  // namespace ringcast::auth
