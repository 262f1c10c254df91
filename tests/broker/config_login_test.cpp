#include "broker/config_login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/cryptosign.h"
#include "tests/broker/support.h"

namespace ringcast::broker {
namespace {

using test::errors_of;
using test::parsed;
using testing::HasSubstr;
using testing::Not;
using worker::Realm;

constexpr const char* kRealm = R"([[realm]]
name = "one"
[[realm.role]]
name = "user"
[[realm.role]]
name = "admin"
)";
constexpr const char* kKey = "4ffddd896a530ce5ee8c86b83b0d31835490a97a9cd718cb2f09c9fd31c4a7d7";

std::string with(const std::string& text) { return kRealm + text; }

TEST(ConfigLoginTest, PrincipalsHaveSecretsAndKeys) {
  const auto options = parsed(with(R"(
[[realm.principal]]
authid = "joe"
role = "admin"
secrets = ["$plain$c2VjcmV0", "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
[[realm.principal]]
authid = "key"
role = "user"
public_keys = [")") + kKey + "\"]\n");
  const Realm& realm = *options.realms[0];
  const worker::Principal* joe = realm.principals.find("joe");
  ASSERT_NE(joe, nullptr);
  EXPECT_EQ(joe->role, 1);
  EXPECT_EQ(joe->secrets.size(), 2u);
  EXPECT_TRUE(realm.offers(auth::Method::ticket));
  EXPECT_TRUE(realm.offers(auth::Method::wampcra));
  EXPECT_FALSE(realm.offers(auth::Method::scram));
  EXPECT_TRUE(realm.offers(auth::Method::cryptosign));
  EXPECT_FALSE(realm.offers(auth::Method::anonymous));
  EXPECT_EQ(realm.principals.find("nobody"), nullptr);
  EXPECT_EQ(realm.principals.find_key(*auth::parse_hex32(kKey)), realm.principals.find("key"));
}

TEST(ConfigLoginTest, MistakesOfPrincipalsNameTheirLinesAndNeverTheSecret) {
  const std::string errors = errors_of(with(R"(
[[realm.principal]]
authid = "joe"
role = "amdin"
secrets = ["$plaain$c2VjcmV0"]
[[realm.principal]]
authid = "joe"
role = "user"
public_keys = ["12"]
[[realm.principal]]
authid = "idle"
role = "user"
)"));
  EXPECT_THAT(errors, HasSubstr("file:10: realm[0].principal[0].role: \"amdin\" is no role of this "
                                "realm; its roles: user, admin\n"));
  EXPECT_THAT(errors, HasSubstr("file:11: realm[0].principal[0].secrets[0]: not a hashed secret"));
  EXPECT_THAT(errors, Not(HasSubstr("c2VjcmV0")));
  EXPECT_THAT(errors, HasSubstr("file:13: realm[0].principal[1].authid: \"joe\" is another"));
  EXPECT_THAT(errors, HasSubstr("file:15: realm[0].principal[1].public_keys[0]: "));
  EXPECT_THAT(errors, HasSubstr("file:16: realm[0].principal[2]: neither secrets nor public_keys"));
}

TEST(ConfigLoginTest, OneKeyIsOnePrincipals) {
  const std::string key = "public_keys = [\"" + std::string(kKey) + "\"]\nrole = \"user\"\n";
  EXPECT_THAT(errors_of(with("[[realm.principal]]\nauthid = \"a\"\n" + key +
                             "[[realm.principal]]\nauthid = \"b\"\n" + key)),
              HasSubstr("realm[0].principal[1].public_keys[0]: is the key of another"));
}

TEST(ConfigLoginTest, TokensAreVerifiedByFilesBesideTheConfiguration) {
  const auto options = parsed(with(R"(
[realm.jwt]
key_files = ["keys/a.pem", "/abs/b.pem"]
jwks_file = "jwks.json"
issuer = "https://issuer"
audience = "shop"
role_claim = "group"
default_role = "user"
leeway_s = 5
expiry_required = false
)"));
  const Realm& realm = *options.realms[0];
  ASSERT_TRUE(realm.jwt);
  EXPECT_EQ(realm.jwt->key_files,
            (std::vector<std::string>{"/etc/ringcast/keys/a.pem", "/abs/b.pem"}));
  EXPECT_EQ(realm.jwt->jwks_file, "/etc/ringcast/jwks.json");
  const auth::JwtRules& rules = realm.jwt->rules;
  EXPECT_EQ(rules.issuer, "https://issuer");
  EXPECT_EQ(rules.audience, "shop");
  EXPECT_EQ(rules.role_claim, "group");
  EXPECT_EQ(rules.default_role, "user");
  EXPECT_EQ(rules.leeway_s, 5);
  EXPECT_FALSE(rules.expiry_required);
  EXPECT_TRUE(realm.offers(auth::Method::ticket));
  EXPECT_THAT(errors_of(with("[realm.jwt]\nissuer = \"i\"\n")), HasSubstr("neither key_files nor"));
  EXPECT_THAT(errors_of(with("[realm.jwt]\njwks_file = \"f\"\ndefault_role = \"x\"\n")),
              HasSubstr("realm[0].jwt.default_role: \"x\" is no role"));
}

TEST(ConfigLoginTest, HowOftenAndHowSlowly) {
  const auto options = parsed(with(std::string(R"(
[authentication]
attempts_burst = 3
attempt_interval_ms = 2000
refusal_delay_ms = 50
decoy_key = ")") + kKey + "\"\n"));
  EXPECT_EQ(options.attempts_burst, 3u);
  EXPECT_EQ(options.attempt_interval_ms, 2000u);
  EXPECT_EQ(options.refusal_delay_ms, 50u);
  EXPECT_EQ(options.decoy_key, *auth::parse_hex32(kKey));
  EXPECT_THAT(errors_of(with("[authentication]\ndecoy_key = \"12\"\n")),
              HasSubstr("64 hex digits"));
  EXPECT_THAT(errors_of(with("[authentication]\nattempt_interval_ms = 0\n")),
              HasSubstr("0 is not from 1 to"));
}

}  // namespace
}  // namespace ringcast::broker
