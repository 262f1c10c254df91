#include "auth/jwt.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/auth/support.h"
#include "tests/auth/test_keys.h"

namespace ringcast::auth {
namespace {

using test::must;

constexpr std::int64_t kNow_s = 1'800'000'000;
constexpr std::int64_t kLeeway_s = 60;
const std::string kSecret(32, 's');

JwtKey secret_key(std::string kid = "") {
  return must(JwtKey::from_secret(kSecret, std::move(kid)));
}
std::string claims_with(std::string_view more) {
  return R"({"sub":"joe","role":"user","exp":1800000100)" + std::string(more) + "}";
}
std::string token_of(std::string_view claims) { return must(sign_jwt(claims, secret_key())); }

Result<JwtIdentity> verify(std::string_view token, const JwtRules& rules = {},
                           std::int64_t now_s = kNow_s) {
  const std::vector<JwtKey> keys{secret_key()};
  return verify_jwt(token, keys, rules, now_s);
}
bool accepted(std::string_view token, const JwtRules& rules = {}, std::int64_t now_s = kNow_s) {
  return static_cast<bool>(verify(token, rules, now_s));
}

// A token with any header, signed by our secret whatever the header says.
std::string forge(std::string_view header, std::string_view claims) {
  std::string token =
      to_base64(header, Base64::url_unpadded) + "." + to_base64(claims, Base64::url_unpadded);
  return token + "." + to_base64(view(hmac_sha256(kSecret, token)), Base64::url_unpadded);
}

TEST(Jwt, SaysWhoItsBearerIs) {
  const auto identity = verify(token_of(claims_with("")));
  ASSERT_TRUE(identity) << identity.failure().cause;
  EXPECT_EQ(identity->authid, "joe");
  EXPECT_EQ(identity->authrole, "user");
  EXPECT_EQ(identity->ends_at_s, 1'800'000'100 + kLeeway_s);
}

TEST(Jwt, WorksWithEveryAlgorithm) {
  for (const test::KeyPair& pair : {test::rsa_pair(), test::ec_pair(), test::ed25519_pair()}) {
    const std::string token = must(sign_jwt(claims_with(""), pair.issuer));
    EXPECT_TRUE(verify_jwt(token, must(jwt_keys_from_pem(pair.public_pem)), {}, kNow_s));
    EXPECT_FALSE(accepted(token)) << "with another key";
  }
}

TEST(Jwt, ExpiresAfterTheLeeway) {
  const std::string token = token_of(claims_with(""));
  EXPECT_TRUE(accepted(token, {}, 1'800'000'100 + kLeeway_s - 1));
  EXPECT_FALSE(accepted(token, {}, 1'800'000'100 + kLeeway_s));
}

TEST(Jwt, MustExpireUnlessTheRulesSayOtherwise) {
  const std::string eternal = token_of(R"({"sub":"joe","role":"user"})");
  EXPECT_FALSE(accepted(eternal));
  JwtRules rules;
  rules.expiry_required = false;
  const auto identity = verify(eternal, rules);
  ASSERT_TRUE(identity);
  EXPECT_FALSE(identity->ends_at_s);
}

TEST(Jwt, IsNotTakenBeforeItsTime) {
  EXPECT_TRUE(accepted(token_of(claims_with(",\"nbf\":1800000060"))));
  EXPECT_FALSE(accepted(token_of(claims_with(",\"nbf\":1800000061"))));
  EXPECT_TRUE(accepted(token_of(claims_with(",\"iat\":1800000060"))));
  EXPECT_FALSE(accepted(token_of(claims_with(",\"iat\":1800000061"))));
}

TEST(Jwt, TimesMayHaveFractionsAndNothingElse) {
  EXPECT_TRUE(accepted(token_of(claims_with(",\"nbf\":1799999999.75"))));
  for (const char* time : {"\"1799999999\"", "true", "null", "[]", "{}", "-1", "1e300", "-0.5",
                           "18446744073709551615"}) {
    EXPECT_FALSE(accepted(token_of(claims_with(std::string(",\"nbf\":") + time)))) << time;
    EXPECT_FALSE(accepted(token_of(claims_with(std::string(",\"iat\":") + time)))) << time;
    EXPECT_FALSE(
        accepted(token_of(R"({"sub":"joe","role":"user","exp":)" + std::string(time) + "}")))
        << time;
  }
}

TEST(Jwt, ChecksIssuerAndAudience) {
  JwtRules rules;
  rules.issuer = "https://issuer";
  rules.audience = "ringcast";
  const auto fits = [&](std::string_view more) {
    return accepted(token_of(claims_with(more)), rules);
  };
  EXPECT_TRUE(fits(R"(,"iss":"https://issuer","aud":"ringcast")"));
  EXPECT_TRUE(fits(R"(,"iss":"https://issuer","aud":["other","ringcast"])"));
  EXPECT_FALSE(fits(R"(,"iss":"https://issuer/","aud":"ringcast")"));
  EXPECT_FALSE(fits(R"(,"iss":["https://issuer"],"aud":"ringcast")"));
  EXPECT_FALSE(fits(R"(,"iss":"https://issuer","aud":"other")"));
  EXPECT_FALSE(fits(R"(,"iss":"https://issuer","aud":[])"));
  EXPECT_FALSE(fits(R"(,"iss":"https://issuer","aud":{"ringcast":1})"));
  EXPECT_FALSE(fits(R"(,"iss":"https://issuer")"));
  EXPECT_FALSE(fits(R"(,"aud":"ringcast")"));
}

TEST(Jwt, NeedsASubjectAndARole) {
  const auto fits = [&](std::string_view claims, const JwtRules& rules = {}) {
    return accepted(token_of(claims), rules);
  };
  EXPECT_FALSE(fits(R"({"role":"user","exp":1800000100})"));
  EXPECT_FALSE(fits(R"({"sub":"","role":"user","exp":1800000100})"));
  EXPECT_FALSE(fits(R"({"sub":7,"role":"user","exp":1800000100})"));
  EXPECT_FALSE(fits(R"({"sub":"joe","exp":1800000100})"));
  EXPECT_FALSE(fits(R"({"sub":"joe","role":["admin"],"exp":1800000100})"));
  EXPECT_FALSE(
      fits(R"({"sub":")" + std::string(257, 'a') + R"(","role":"user","exp":1800000100})"));
  JwtRules rules;
  rules.role_claim = "group";
  EXPECT_TRUE(fits(R"({"sub":"joe","group":"admin","exp":1800000100})", rules));
  rules.default_role = "guest";
  const auto guest = verify(token_of(R"({"sub":"joe","exp":1800000100})"), rules);
  ASSERT_TRUE(guest);
  EXPECT_EQ(guest->authrole, "guest");
  EXPECT_FALSE(fits(R"({"sub":"joe","group":7,"exp":1800000100})", rules))
      << "a role that is none is not the default";
}

TEST(Jwt, RefusesTokensWithoutSignature) {
  const std::string claims = to_base64(claims_with(""), Base64::url_unpadded);
  for (const char* algorithm : {"none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS512"}) {
    const std::string header =
        to_base64(R"({"alg":")" + std::string(algorithm) + R"("})", Base64::url_unpadded);
    EXPECT_FALSE(accepted(header + "." + claims + ".")) << algorithm;
    EXPECT_FALSE(accepted(forge(R"({"alg":")" + std::string(algorithm) + R"("})", claims_with(""))))
        << algorithm;
  }
}

// The attack that took a public key, which everybody has, for an HMAC secret.
TEST(Jwt, AnRsaKeyIsNeverAnHmacSecret) {
  const test::KeyPair pair = test::rsa_pair();
  const auto keys = must(jwt_keys_from_pem(pair.public_pem));
  const std::string input = to_base64(R"({"alg":"HS256"})", Base64::url_unpadded) + "." +
                            to_base64(claims_with(""), Base64::url_unpadded);
  const std::string token =
      input + "." + to_base64(view(hmac_sha256(pair.public_pem, input)), Base64::url_unpadded);
  EXPECT_FALSE(verify_jwt(token, keys, {}, kNow_s));
}

TEST(Jwt, TheHeaderCannotChooseAnotherAlgorithmThanTheKeys) {
  ASSERT_TRUE(accepted(forge(R"({"alg":"HS256"})", claims_with(""))));
  for (const char* header :
       {R"({"alg":"RS256"})", R"({"alg":["HS256"]})", R"({"typ":"JWT"})", R"({"alg":null})",
        R"({"alg":"RS256","alg":"HS256"})", R"({"alg":"HS256","alg":"HS256"})",
        R"({"alg":"HS256","crit":["b64"],"b64":false})", R"({"alg":"HS256","crit":[]})",
        R"({"alg":"HS256","kid":7})", R"(["HS256"])", R"("HS256")", R"({"alg":"HS256")", ""})
    EXPECT_FALSE(accepted(forge(header, claims_with("")))) << header;
}

TEST(Jwt, IgnoresKeysThatTheTokenBrings) {
  EXPECT_FALSE(accepted(
      must(sign_jwt(claims_with(""), must(JwtKey::from_secret(std::string(32, 'e'), ""))))));
  const std::string evil(32, 'e');
  std::string token =
      to_base64(R"({"alg":"HS256","jwk":{"kty":"oct","k":")" +
                    to_base64(evil, Base64::url_unpadded) + R"("},"jku":"https://evil/"})",
                Base64::url_unpadded) +
      "." + to_base64(claims_with(""), Base64::url_unpadded);
  token += "." + to_base64(view(hmac_sha256(evil, token)), Base64::url_unpadded);
  EXPECT_FALSE(accepted(token));
}

TEST(Jwt, TheKidChoosesTheKey) {
  const std::vector<JwtKey> keys{must(JwtKey::from_secret(std::string(32, 'a'), "a")),
                                 must(JwtKey::from_secret(std::string(32, 'b'), "b"))};
  const auto token = [](char secret, std::string kid) {
    return must(sign_jwt(claims_with(""),
                         must(JwtKey::from_secret(std::string(32, secret), std::move(kid)))));
  };
  EXPECT_TRUE(verify_jwt(token('a', "a"), keys, {}, kNow_s));
  EXPECT_TRUE(verify_jwt(token('b', "b"), keys, {}, kNow_s));
  EXPECT_TRUE(verify_jwt(token('b', ""), keys, {}, kNow_s)) << "without kid any key may fit";
  EXPECT_FALSE(verify_jwt(token('b', "a"), keys, {}, kNow_s));
  EXPECT_FALSE(verify_jwt(token('b', "c"), keys, {}, kNow_s));
  EXPECT_FALSE(verify_jwt(token('b', "b"), {}, {}, kNow_s));
}

TEST(Jwt, RefusesEveryChangeOfAToken) {
  const std::string good = token_of(claims_with(""));
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(accepted(good.substr(0, i))) << i;
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(accepted(bad)) << i;
  }
  for (const std::string& bad : {good + ".", good + "=", good + " ", " " + good, "." + good,
                                 good + "." + good, std::string(".."), std::string(),
                                 std::string(kJwtSizeMax + 1, 'A'), std::string(kJwtSizeMax, '.')})
    EXPECT_FALSE(accepted(bad)) << bad.substr(0, 300);
}

TEST(Jwt, RefusesTokensThatAreTooLong) {
  const auto padded = [](std::size_t size) {
    return token_of(claims_with(",\"x\":\"" + std::string(size, 'x') + "\""));
  };
  EXPECT_LT(padded(5900).size(), kJwtSizeMax);
  EXPECT_TRUE(accepted(padded(5900)));
  EXPECT_GT(padded(6100).size(), kJwtSizeMax);
  EXPECT_FALSE(accepted(padded(6100)));
}

TEST(Jwt, RefusesClaimsThatTwoReadersMayUnderstandDifferently) {
  for (const std::string& claims :
       {claims_with(R"(,"sub":"admin")"), claims_with(R"(,"x":{"a":1,"a":2})"),
        claims_with(R"(,"s\u0075b":"admin")"),
        claims_with(R"(,"x":)" + std::string(100, '[') + std::string(100, ']')),
        claims_with(",\"x\":\"\xFF\""), claims_with(",\"x\":1e999"), claims_with(",}"),
        std::string("[]"), std::string()}) {
    EXPECT_FALSE(accepted(forge(R"({"alg":"HS256"})", claims))) << claims;
    EXPECT_FALSE(sign_jwt(claims, secret_key())) << claims;
  }
}

TEST(Jwt, SameNamesInDifferentObjectsAreFine) {
  EXPECT_TRUE(accepted(token_of(claims_with(R"(,"x":{"sub":"a"},"y":[{"sub":"b"},{"sub":"c"}])"))));
}

}  // namespace
}  // namespace ringcast::auth
