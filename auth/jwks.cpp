// Keys from a JWK Set: RFC 7517, with the members of RFC 7518 section 6 and RFC 8037 section 2.

#include <openssl/core_names.h>
#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "auth/encoding.h"
#include "auth/json.h"
#include "auth/jwt_key.h"
#include "auth/openssl_types.h"

namespace ringcast::auth {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kKidSizeMax = 256;

Failure bad_key(const Json& jwk, std::string_view what) {
  const std::string* kid = string_member(jwk, "kid");
  return {"key " + (kid != nullptr ? "\"" + *kid + "\"" : std::string("without kid")) +
              " of the JWK Set " + std::string(what),
          "correct it, or take it out"};
}

// A member in base64url; nothing if it is absent, empty or malformed.
std::optional<std::string> octets_member(const Json& jwk, const char* name) {
  const std::string* text = string_member(jwk, name);
  if (text == nullptr || text->empty()) return std::nullopt;
  return from_base64(*text, Base64::url_unpadded);
}

EvpPkeyPtr key_of_parameters(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsPtr parameters(OSSL_PARAM_BLD_to_param(builder));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  require(parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1,
          "EVP_PKEY_fromdata_init");
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return EvpPkeyPtr(key);
}

EvpPkeyPtr rsa_key(const Json& jwk) {
  const auto modulus = octets_member(jwk, "n");
  const auto exponent = octets_member(jwk, "e");
  // An exponent beyond 64 bits is nobody's, and only makes verifying slow.
  if (!modulus || !exponent || modulus->size() > kRsaBitsMax / 8 || exponent->size() > 8)
    return nullptr;
  const BignumPtr n(BN_bin2bn(octets(*modulus), static_cast<int>(modulus->size()), nullptr));
  const BignumPtr e(BN_bin2bn(octets(*exponent), static_cast<int>(exponent->size()), nullptr));
  const ParamBldPtr builder(OSSL_PARAM_BLD_new());
  require(n && e && builder, "BN_bin2bn");
  // 1 would let anybody sign.
  if (BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) != 0 || BN_is_odd(n.get()) == 0) return nullptr;
  require(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
              OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1,
          "OSSL_PARAM_BLD_push_BN");
  return key_of_parameters("RSA", builder.get());
}

EvpPkeyPtr p256_key(const Json& jwk) {
  const auto x = octets_member(jwk, "x");
  const auto y = octets_member(jwk, "y");
  if (!x || !y || x->size() != 32 || y->size() != 32) return nullptr;
  const std::string point = "\x04" + *x + *y;  // uncompressed: SEC 1 section 2.3.3
  const ParamBldPtr builder(OSSL_PARAM_BLD_new());
  require(builder &&
              OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                              "prime256v1", 0) == 1 &&
              OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                               point.size()) == 1,
          "OSSL_PARAM_BLD_push");
  // OpenSSL refuses a point that is not on the curve.
  return key_of_parameters("EC", builder.get());
}

EvpPkeyPtr ed25519_key(const Json& jwk) {
  const auto x = octets_member(jwk, "x");
  if (!x || x->size() != 32) return nullptr;
  return EvpPkeyPtr(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(*x), x->size()));
}

bool member_is(const Json& jwk, const char* name, std::string_view value) {
  const std::string* member = string_member(jwk, name);
  return member != nullptr && *member == value;
}

// A kind of key that we use, by "kty" and "crv".
std::optional<JwtAlgorithm> kind_of(const Json& jwk) {
  if (member_is(jwk, "kty", "RSA")) return JwtAlgorithm::rs256;
  if (member_is(jwk, "kty", "oct")) return JwtAlgorithm::hs256;
  if (member_is(jwk, "kty", "EC") && member_is(jwk, "crv", "P-256")) return JwtAlgorithm::es256;
  if (member_is(jwk, "kty", "OKP") && member_is(jwk, "crv", "Ed25519")) return JwtAlgorithm::eddsa;
  return std::nullopt;
}

// RFC 7517 sections 4.2 to 4.4: what the key's owner wants it used for.
bool meant_for(const Json& jwk, JwtAlgorithm algorithm) {
  if (jwk.contains("use") && !member_is(jwk, "use", "sig")) return false;
  if (jwk.contains("alg") && !member_is(jwk, "alg", jwt_algorithm_name(algorithm))) return false;
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return true;
  return operations->is_array() &&
         std::find(operations->begin(), operations->end(), "verify") != operations->end();
}

Result<JwtKey> key_of(const Json& jwk, JwtAlgorithm kind) {
  std::string kid;
  if (jwk.contains("kid")) {
    const std::string* text = string_member(jwk, "kid");
    if (text == nullptr || text->empty() || text->size() > kKidSizeMax)
      return bad_key(Json::object(), "has a kid that is no text of 1 to 256 bytes");
    kid = *text;
  }
  // A private part has no business on a router; whoever put it there should know.
  if (jwk.contains("d")) return bad_key(jwk, "is a private key");
  if (kind == JwtAlgorithm::hs256) {
    auto secret = octets_member(jwk, "k");
    if (!secret) return bad_key(jwk, "has no secret k in base64url");
    return JwtKey::from_secret(*std::move(secret), std::move(kid));
  }
  EvpPkeyPtr key;
  if (kind == JwtAlgorithm::rs256) key = rsa_key(jwk);
  if (kind == JwtAlgorithm::es256) key = p256_key(jwk);
  if (kind == JwtAlgorithm::eddsa) key = ed25519_key(jwk);
  ERR_clear_error();
  if (!key) return bad_key(jwk, "has parameters that make no key");
  return JwtKey::from_evp(key.get(), std::move(kid));
}

}  // namespace

Result<std::vector<JwtKey>> jwt_keys_from_jwks(std::string_view json) {
  if (json.size() > kKeyDocumentSizeMax)
    return Failure{"a JWK Set larger than 64 KiB", "take out keys that sign no tokens"};
  const auto document = parse_json_object(json);
  const auto list = document ? document->find("keys") : Json::const_iterator{};
  if (!document || list == document->end() || !list->is_array())
    return Failure{"not a JWK Set", "give a JSON object with a list \"keys\" (RFC 7517)"};
  std::vector<JwtKey> keys;
  for (const Json& jwk : *list) {
    if (!jwk.is_object()) return Failure{"a JWK Set with a key that is no object", "correct it"};
    const auto kind = kind_of(jwk);
    if (!kind || !meant_for(jwk, *kind)) continue;
    auto key = key_of(jwk, *kind);
    if (!key) return key.failure();
    if (keys.size() == kJwtKeysMax)
      return Failure{"a JWK Set with more than " + std::to_string(kJwtKeysMax) + " usable keys",
                     "take out those that sign no tokens"};
    keys.push_back(*std::move(key));
  }
  if (keys.empty())
    return Failure{"a JWK Set without a key for HS256, RS256, ES256 or EdDSA",
                   "give one whose kty, crv, use and alg say so"};
  return keys;
}

}  // namespace ringcast::auth
