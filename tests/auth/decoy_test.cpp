#include "auth/decoy.h"

#include <gtest/gtest.h>

#include "tests/auth/support.h"

namespace ringcast::auth {
namespace {

using test::kCheapArgon2;
using test::kCheapIterations;
using test::must;

const Bytes32 kNodeKey = *bytes32(std::string(32, 'k'));

std::vector<Credential> models() {
  const std::string salt = random_bytes(16);
  return {must(make_plain("x")),
          must(make_argon2id("x", kCheapArgon2, salt)),
          must(make_pbkdf2("x", kCheapIterations, salt)),
          must(make_cra_key("x", kCheapIterations, to_base64(salt, Base64::standard))),
          must(make_cra_key("x", kCheapIterations, "salt123")),
          must(make_scram_argon2id("x", kCheapArgon2, salt)),
          must(make_scram_pbkdf2("x", kCheapIterations, salt))};
}

TEST(Decoy, IsAlwaysTheSameForAnAuthid) {
  for (const Credential& like : models()) {
    EXPECT_EQ(to_text(decoy_credential(kNodeKey, "realm1", "joe", like)),
              to_text(decoy_credential(kNodeKey, "realm1", "joe", like)));
  }
}

TEST(Decoy, DiffersByAuthidRealmAndNode) {
  const Bytes32 other_node = *bytes32(std::string(32, 'l'));
  for (const Credential& like : models()) {
    const std::string one = to_text(decoy_credential(kNodeKey, "realm1", "joe", like));
    EXPECT_NE(one, to_text(decoy_credential(kNodeKey, "realm1", "jo", like)));
    EXPECT_NE(one, to_text(decoy_credential(kNodeKey, "realm1j", "oe", like)));
    EXPECT_NE(one, to_text(decoy_credential(other_node, "realm1", "joe", like)));
  }
}

// What a peer sees of a credential, and what it costs us, is all in its text but for salt and hash.
TEST(Decoy, LooksLikeTheModel) {
  for (const Credential& like : models()) {
    if (std::holds_alternative<PlainSecret>(like)) continue;  // a peer sees nothing of it
    for (const char* authid : {"a", "b", "c", "d", "e"}) {
      const Credential decoy = decoy_credential(kNodeKey, "realm1", authid, like);
      const std::string model_text = to_text(like);
      const std::string decoy_text = to_text(decoy);
      EXPECT_EQ(decoy_text.size(), model_text.size());
      const std::size_t costs_end = model_text.find('$', model_text.rfind('='));
      EXPECT_EQ(decoy_text.substr(0, costs_end), model_text.substr(0, costs_end));
      EXPECT_TRUE(parse_credential(decoy_text)) << decoy_text;
    }
  }
}

TEST(Decoy, ItsCraSaltIsTextAsGenhashMakesIt) {
  const Credential like = must(make_cra_key("x", 1, to_base64(random_bytes(16), Base64::standard)));
  const auto decoy = std::get<CraKey>(decoy_credential(kNodeKey, "realm1", "joe", like));
  EXPECT_EQ(from_base64(decoy.salt, Base64::standard).value().size(), 16u) << decoy.salt;
}

TEST(Decoy, FitsNoPassword) {
  for (const Credential& like : models()) {
    const Credential decoy = decoy_credential(kNodeKey, "realm1", "joe", like);
    EXPECT_FALSE(verify_password(decoy, "x"));
    EXPECT_FALSE(verify_password(decoy, ""));
    EXPECT_FALSE(verify_password(decoy, "joe"));
  }
}

}  // namespace
}  // namespace ringcast::auth
