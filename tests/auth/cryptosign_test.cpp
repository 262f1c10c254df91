#include "auth/cryptosign.h"

#include <gtest/gtest.h>

#include <cctype>
#include <optional>
#include <string>

#include "tests/auth/support.h"

namespace ringcast::auth {
namespace {

using test::must;
using test::unhex32;

struct Vector {
  std::string_view private_key;
  std::string_view challenge;
  std::string_view channel_id;  // empty: none
  std::string_view signature;
};

// WAMP specification, "Cryptosign-based Authentication", "Test Vectors".
constexpr Vector kVectors[] = {
    {"4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "",
     "b32675b221f08593213737bef8240e7c15228b07028e19595294678c90d11c0cae80a357331bfc5cc9fb71081464e"
     "6e7"
     "5013517c2cf067ad566a6b7b728e5d03fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "fff"},
    {"d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd",
     "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d", "",
     "d4209ad10d5aff6bfbc009d7e924795de138a63515efc7afc6b01b7fe5201372190374886a70207b042294af5bd64"
     "ce7"
     "25cd8dceb344e6d11c09d1aaaf4d660fb26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb6"
     "07d"},
    {"6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b",
     "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2", "",
     "7beb282184baadd08f166f16dd683b39cab53816ed81e6955def951cb2ddad1ec184e206746fd82bda075af03711d"
     "3d5"
     "658fc84a76196b0fa8d1ebc92ef9f30bb05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d56"
     "2d2"},
    {"4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff",
     "9b6f41540c9b95b4b7b281c3042fa9c54cef43c842d62ea3fd6030fcb66e70b3e80d49d44c29d1635da9348d02ec9"
     "3f3"
     "ed1ef227dfb59a07b580095c2b82f80f9d16ca518aa0c2b707f2b2a609edeca73bca8dd59817a633f35574ac6fd80"
     "d00"},
    {"d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd",
     "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
     "62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff",
     "305aaa3ac25e98f651427688b3fc43fe7d8a68a7ec1d7d61c61517c519bd4a427c3015599d83ca28b4c6523339202"
     "238"
     "44ef0725eb5dc2febfd6af7677b73f01d0852a29b460fc92ec943242ac638a053bbacc200512b18b30d15083cbdc9"
     "282"},
    {"6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b",
     "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
     "62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff",
     "ee3c7644fd8070532bc1fde3d70d742267da545d8c8f03e63bda63f1ad4214f4d2c4bfdb4eb9526def42deeb7e316"
     "02a"
     "6ff99eba893e0a4ad4d45892ca75e608d2b75e24a189a7f78ca776ba36fc53f6c3e31c32f251f2c524f0a44202f29"
     "02d"},
};

ChannelId channel_of(const Vector& vector) {
  if (vector.channel_id.empty()) return std::nullopt;
  return unhex32(vector.channel_id);
}

TEST(Cryptosign, GivesTheVectorsOfTheSpecification) {
  for (const Vector& vector : kVectors) {
    const Bytes32 challenge = must(parse_hex32(vector.challenge));
    const Bytes32 key = must(parse_hex32(vector.private_key));
    EXPECT_EQ(cryptosign_sign(key, challenge, channel_of(vector)), vector.signature);
    EXPECT_TRUE(cryptosign_verify(ed25519_public_key(key), challenge, channel_of(vector),
                                  vector.signature));
  }
}

struct Attempt {
  Bytes32 private_key = random_bytes32();
  Bytes32 public_key = ed25519_public_key(private_key);
  Bytes32 challenge = random_bytes32();
};

TEST(Cryptosign, RefusesAnotherChallengeKeyOrChannel) {
  const Attempt attempt;
  const Bytes32 channel = random_bytes32();
  const std::string plain = cryptosign_sign(attempt.private_key, attempt.challenge, {});
  const std::string bound = cryptosign_sign(attempt.private_key, attempt.challenge, channel);
  EXPECT_TRUE(cryptosign_verify(attempt.public_key, attempt.challenge, {}, plain));
  EXPECT_TRUE(cryptosign_verify(attempt.public_key, attempt.challenge, channel, bound));
  EXPECT_FALSE(cryptosign_verify(attempt.public_key, random_bytes32(), {}, plain)) << "a replay";
  EXPECT_FALSE(cryptosign_verify(Attempt{}.public_key, attempt.challenge, {}, plain));
  EXPECT_FALSE(cryptosign_verify(attempt.public_key, attempt.challenge, channel, plain));
  EXPECT_FALSE(cryptosign_verify(attempt.public_key, attempt.challenge, {}, bound));
  EXPECT_FALSE(cryptosign_verify(attempt.public_key, attempt.challenge, random_bytes32(), bound))
      << "somebody in between has another channel to us";
}

TEST(Cryptosign, RefusesWhatIsNoReply) {
  const Attempt attempt;
  const std::string good = cryptosign_sign(attempt.private_key, attempt.challenge, {});
  const auto refused = [&](std::string_view reply) {
    return !cryptosign_verify(attempt.public_key, attempt.challenge, {}, reply);
  };
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_TRUE(refused(good.substr(0, size)));
  EXPECT_TRUE(refused(good + "00"));
  EXPECT_TRUE(refused(std::string(good.size(), 'x')));
  EXPECT_TRUE(refused(std::string(good.size(), '\0')));
  EXPECT_TRUE(refused(std::string(1 << 20, '0')));
  EXPECT_TRUE(refused(std::string(128, '0') + good.substr(128)));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == '0' ? '1' : '0';
    EXPECT_TRUE(refused(bad)) << i;
  }
}

// Clients in JavaScript echo the challenge as it came; nothing says in which case.
TEST(Cryptosign, TakesUpperCaseHex) {
  const Attempt attempt;
  std::string reply = cryptosign_sign(attempt.private_key, attempt.challenge, {});
  for (char& c : reply) c = static_cast<char>(std::toupper(c));
  EXPECT_TRUE(cryptosign_verify(attempt.public_key, attempt.challenge, {}, reply));
}

TEST(Cryptosign, ReadsKeysOf32BytesOnly) {
  EXPECT_TRUE(parse_hex32(std::string(64, 'a')));
  for (const std::string& text : {std::string(), std::string(62, 'a'), std::string(66, 'a'),
                                  std::string(64, 'g'), "0x" + std::string(62, 'a')})
    EXPECT_FALSE(parse_hex32(text)) << text;
}

}  // namespace
}  // namespace ringcast::auth
