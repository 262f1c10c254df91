#include "auth/jwt_key.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/auth/support.h"
#include "tests/auth/test_keys.h"

namespace ringcast::auth {
namespace {

using test::must;

JwtKey only_key(std::string_view jwks) {
  auto keys = must(jwt_keys_from_jwks(jwks));
  EXPECT_EQ(keys.size(), 1u);
  return keys.front();
}

std::string set_of(std::string_view jwk) { return "{\"keys\":[" + std::string(jwk) + "]}"; }

// Whether the key made the signature of a compact token.
bool verifies(const JwtKey& key, std::string_view token) {
  const std::size_t dot = token.rfind('.');
  const auto signature = from_base64(token.substr(dot + 1), Base64::url_unpadded);
  return signature && key.verify(token.substr(0, dot), *signature);
}

constexpr std::string_view kRfc7515Claims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";

std::string rfc7515_token(std::string_view header, std::string_view signature) {
  return std::string(header).append(".").append(kRfc7515Claims).append(".").append(signature);
}

constexpr std::string_view kHs256Jwk =
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";
constexpr std::string_view kRs256Jwk =
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})";
constexpr std::string_view kEs256Jwk =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view kEddsaJwk =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

TEST(JwtKey, VerifiesTheExamplesOfRfc7515) {
  // Appendices A.1, A.2, A.3.
  EXPECT_TRUE(verifies(only_key(set_of(kHs256Jwk)),
                       rfc7515_token("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
                                     "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
  EXPECT_TRUE(verifies(
      only_key(set_of(kRs256Jwk)),
      rfc7515_token(
          "eyJhbGciOiJSUzI1NiJ9",
          "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W"
          "2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS"
          "jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv"
          "Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw")));
  EXPECT_TRUE(
      verifies(only_key(set_of(kEs256Jwk)),
               rfc7515_token("eyJhbGciOiJFUzI1NiJ9",
                             "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISl"
                             "SApmWQxfKTUJqPP3-Kg6NU1Q")));
}

TEST(JwtKey, VerifiesTheExampleOfRfc8037) {
  EXPECT_TRUE(verifies(only_key(set_of(kEddsaJwk)),
                       "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                       "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVv"
                       "pAr_MuM0KAg"));
}

TEST(JwtKey, TheKeyDecidesTheAlgorithm) {
  EXPECT_EQ(only_key(set_of(kHs256Jwk)).algorithm(), JwtAlgorithm::hs256);
  EXPECT_EQ(only_key(set_of(kRs256Jwk)).algorithm(), JwtAlgorithm::rs256);
  EXPECT_EQ(only_key(set_of(kEs256Jwk)).algorithm(), JwtAlgorithm::es256);
  EXPECT_EQ(only_key(set_of(kEddsaJwk)).algorithm(), JwtAlgorithm::eddsa);
}

TEST(JwtKey, SignsWhatThePublicPartVerifies) {
  for (const test::KeyPair& pair : {test::rsa_pair(), test::ec_pair(), test::ed25519_pair()}) {
    const JwtKey verifier = must(jwt_keys_from_pem(pair.public_pem)).front();
    EXPECT_EQ(verifier.algorithm(), pair.issuer.algorithm());
    // Several times: the halves of an EC signature differ in size.
    for (int i = 0; i < 20; ++i) {
      const std::string input = "input" + std::to_string(i);
      const std::string signature = pair.issuer.sign(input).value();
      EXPECT_TRUE(verifier.verify(input, signature));
      EXPECT_FALSE(verifier.verify(input + "x", signature));
      EXPECT_FALSE(verifier.verify(input, signature + "x"));
      EXPECT_FALSE(verifier.verify(input, std::string_view(signature).substr(1)));
      EXPECT_FALSE(verifier.verify(input, ""));
    }
    EXPECT_FALSE(verifier.sign("x")) << "it has no private part";
    EXPECT_EQ(must(jwt_private_key_from_pem(pair.private_pem, "k")).kid(), "k");
  }
}

// A worker's TLS sessions look at the same thread's queue of errors.
TEST(JwtKey, LeavesNoErrorBehind) {
  ERR_clear_error();
  const test::KeyPair pair = test::ec_pair();
  const JwtKey key = must(jwt_keys_from_pem(pair.public_pem)).front();
  EXPECT_FALSE(key.verify("x", std::string(64, '\xFF')));
  EXPECT_FALSE(key.verify("x", std::string(64, '\0')));
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_FALSE(key.sign("x"));
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_FALSE(jwt_keys_from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_FALSE(jwt_private_key_from_pem("x", ""));
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_FALSE(jwt_keys_from_jwks(set_of(
      R"({"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"})")))
      << "a point that is not on the curve";
  EXPECT_FALSE(ed25519_verify(random_bytes32(), "x", Signature64{}));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(JwtKey, ReadsSeveralKeysFromOnePem) {
  const std::string both = test::ec_pair().public_pem + "\n" + test::ed25519_pair().public_pem;
  const auto keys = must(jwt_keys_from_pem(both));
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].algorithm(), JwtAlgorithm::es256);
  EXPECT_EQ(keys[1].algorithm(), JwtAlgorithm::eddsa);
}

TEST(JwtKey, RefusesPemThatIsNoUsablePublicKey) {
  const test::KeyPair pair = test::ed25519_pair();
  std::string broken = pair.public_pem;
  broken.replace(broken.find('\n') + 1, 4, "!!!!");
  for (const std::string& pem :
       {std::string(), std::string("x"), pair.private_pem, pair.public_pem + pair.private_pem,
        broken, pair.public_pem + broken, pair.public_pem.substr(0, pair.public_pem.size() / 2),
        test::x25519_public_pem(), test::ec_public_pem("P-384"), test::rsa_public_pem(1024),
        pair.public_pem + std::string(kKeyDocumentSizeMax, '\n')}) {
    EXPECT_FALSE(jwt_keys_from_pem(pem)) << pem.substr(0, 200);
  }
}

TEST(JwtKey, PassesOverWhatItHasNoUseFor) {
  const std::string jwks =
      R"({"keys":[{"kty":"EC","crv":"P-521","x":"AA","y":"AA"},{"kty":"new"},{"kty":"OKP","crv":"X25519","x":"AA"},)"
      R"({"kty":"RSA","use":"enc","n":"AA","e":"AQAB"},{"kty":"RSA","alg":"PS256","n":"AA","e":"AQAB"},)"
      R"({"kty":"RSA","key_ops":["encrypt"],"n":"AA","e":"AQAB"},{"kty":"oct","alg":"A128KW","k":"AA"},)" +
      std::string(kEddsaJwk) + "],\"more\":1}";
  EXPECT_EQ(only_key(jwks).algorithm(), JwtAlgorithm::eddsa);
}

TEST(JwtKey, KeepsTheKid) {
  EXPECT_EQ(
      only_key(
          R"({"keys":[{"kid":"2024","use":"sig","alg":"EdDSA","key_ops":["verify"],"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})")
          .kid(),
      "2024");
}

// An "oct" key says that it is a secret, an "RSA" key that it is none: what "alg" says can't change
// it.
TEST(JwtKey, AnRsaKeyThatClaimsToBeAnHmacSecretIsNotUsed) {
  std::string confused(kRs256Jwk);
  confused.insert(1, R"("alg":"HS256",)");
  EXPECT_FALSE(jwt_keys_from_jwks(set_of(confused)));
  std::string secret(kHs256Jwk);
  secret.insert(1, R"("alg":"RS256",)");
  EXPECT_FALSE(jwt_keys_from_jwks(set_of(secret)));
}

TEST(JwtKey, RefusesBrokenJwks) {
  const std::string good = set_of(kEddsaJwk);
  ASSERT_TRUE(jwt_keys_from_jwks(good));
  for (
      const std::string& jwks :
      {std::string(), std::string("[]"), std::string("{}"), std::string("{\"keys\":{}}"),
       std::string("{\"keys\":[]}"), std::string("{\"keys\":[1]}"), good + "x",
       good.substr(0, good.size() - 1), set_of("{}"),
       // broken keys
       set_of(R"({"kty":"oct","k":"c2hvcnQ"})"), set_of(R"({"kty":"oct"})"),
       set_of(R"({"kty":"OKP","crv":"Ed25519","x":"AA"})"),
       set_of(
           R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="})"),
       set_of(R"({"kty":"OKP","crv":"Ed25519","x":7})"),
       set_of(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"),
       set_of(
           R"({"kid":7,"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"),
       set_of(
           R"({"d":"AA","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"),
       // the same member twice
       set_of(
           R"({"kty":"RSA","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"),
       std::string("{\"keys\":[],") + good.substr(1),
       // too deep, too large
       "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "," + good.substr(1),
       good + std::string(kKeyDocumentSizeMax, ' ')}) {
    EXPECT_FALSE(jwt_keys_from_jwks(jwks)) << jwks.substr(0, 200);
  }
}

TEST(JwtKey, RefusesRsaExponentsThatAreNone) {
  for (const char* exponent : {"AQ", "AA", "AAI", "_________________w"}) {
    std::string jwk(kRs256Jwk);
    jwk.replace(jwk.find("AQAB"), 4, exponent);
    EXPECT_FALSE(jwt_keys_from_jwks(set_of(jwk))) << exponent;
  }
}

TEST(JwtKey, RefusesShortSecrets) {
  EXPECT_TRUE(JwtKey::from_secret(std::string(32, 'x'), ""));
  EXPECT_FALSE(JwtKey::from_secret(std::string(31, 'x'), ""));
  EXPECT_FALSE(JwtKey::from_secret(std::string(1025, 'x'), ""));
}

}  // namespace
}  // namespace ringcast::auth
