#include "auth/crypto.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/auth/support.h"

namespace ringcast::auth {
namespace {

using test::unhex32;

TEST(Crypto, HmacGivesTheVectorsOfRfc4231) {
  EXPECT_EQ(to_hex(view(hmac_sha256("Jefe", "what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(view(hmac_sha256("", ""))),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Crypto, Pbkdf2GivesTheVectorsOfRfc7914) {
  EXPECT_EQ(to_hex(pbkdf2_sha256("passwd", "salt", 1, 64)),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
  EXPECT_EQ(to_hex(pbkdf2_sha256("Password", "NaCl", 80'000, 64)),
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
            "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d");
}

// The vectors of the reference implementation's own tests.
TEST(Crypto, Argon2idGivesTheReferenceVectors) {
  EXPECT_EQ(to_hex(argon2id("password", "somesalt", {65536, 2, 1}, 32).value()),
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7");
  EXPECT_EQ(to_hex(argon2id("password", "somesalt", {256, 2, 1}, 32).value()),
            "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe");
  EXPECT_EQ(to_hex(argon2id("password", "somesalt", {256, 2, 2}, 32).value()),
            "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037");
}

TEST(Crypto, Ed25519GivesTheFirstVectorOfRfc8032) {
  const Bytes32 seed = unhex32("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  const Bytes32 key = ed25519_public_key(seed);
  EXPECT_EQ(to_hex(view(key)), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const Signature64 signature = ed25519_sign(seed, "");
  EXPECT_EQ(to_hex(view(signature)),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
            "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
  EXPECT_TRUE(ed25519_verify(key, "", signature));
  EXPECT_FALSE(ed25519_verify(key, "x", signature));
}

TEST(Crypto, Ed25519RefusesAChangedBitAnywhere) {
  const Bytes32 seed = unhex32("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  const Bytes32 key = ed25519_public_key(seed);
  const Signature64 good = ed25519_sign(seed, "message");
  for (std::size_t i = 0; i < good.size(); ++i) {
    Signature64 bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(ed25519_verify(key, "message", bad)) << i;
  }
}

TEST(Crypto, ComparesWholeContents) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_constant_time("abc", "abcd"));
}

TEST(Crypto, RandomBytesDiffer) {
  EXPECT_EQ(random_bytes(16).size(), 16u);
  EXPECT_NE(random_bytes(16), random_bytes(16));
  EXPECT_NE(random_bytes32(), random_bytes32());
}

TEST(Crypto, Bytes32TakesExactly32) {
  EXPECT_TRUE(bytes32(std::string(32, 'x')));
  EXPECT_FALSE(bytes32(std::string(31, 'x')));
  EXPECT_FALSE(bytes32(std::string(33, 'x')));
}

}  // namespace
}  // namespace ringcast::auth
