#include "auth/jwt_key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <utility>

#include "auth/crypto.h"
#include "auth/openssl_types.h"

namespace ringcast::auth {
namespace {

constexpr std::size_t kEs256Half = 32;  // bytes of r and of s

// What OpenSSL notes of a refused signature or key must not be taken for an error of the thread's
// next TLS operation.
struct ClearErrors {
  ~ClearErrors() { ERR_clear_error(); }
};

// RFC 7518 section 3.4: r and s, 32 bytes each. OpenSSL wants and gives DER.
std::string der_of_raw(std::string_view raw) {
  const EcdsaSigPtr signature(ECDSA_SIG_new());
  BignumPtr r(BN_bin2bn(octets(raw), kEs256Half, nullptr));
  BignumPtr s(BN_bin2bn(octets(raw.substr(kEs256Half)), kEs256Half, nullptr));
  require(signature && r && s && ECDSA_SIG_set0(signature.get(), r.release(), s.release()) == 1,
          "ECDSA_SIG_set0");
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  require(size > 0, "i2d_ECDSA_SIG");
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

std::string raw_of_der(std::string_view der) {
  const unsigned char* at = octets(der);
  const EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string raw(2 * kEs256Half, '\0');
  require(signature &&
              BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), octets(raw.data()), kEs256Half) > 0 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), octets(raw.data() + kEs256Half),
                           kEs256Half) > 0,
          "d2i_ECDSA_SIG");
  return raw;
}

const EVP_MD* digest_of(JwtAlgorithm algorithm) {
  return algorithm == JwtAlgorithm::eddsa ? nullptr : EVP_sha256();
}

bool on_p256(EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == "prime256v1";
}

// Nobody is there to type a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + what.size()))
    ++count;
  return count;
}

}  // namespace

std::string_view jwt_algorithm_name(JwtAlgorithm algorithm) {
  switch (algorithm) {
    case JwtAlgorithm::hs256:
      return "HS256";
    case JwtAlgorithm::rs256:
      return "RS256";
    case JwtAlgorithm::es256:
      return "ES256";
    case JwtAlgorithm::eddsa:
      return "EdDSA";
  }
  return "";
}

Result<JwtKey> JwtKey::from_evp(EVP_PKEY* key, std::string kid) {
  const ClearErrors clear;
  JwtKey out;
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits < kRsaBitsMin || bits > kRsaBitsMax)
        return Failure{"an RSA key of " + std::to_string(bits) + " bits",
                       "use one of 2048 to 8192 bits"};
      out.algorithm_ = JwtAlgorithm::rs256;
      break;
    }
    case EVP_PKEY_EC:
      if (!on_p256(key))
        return Failure{"an EC key that is not on the curve P-256", "ES256 needs P-256"};
      out.algorithm_ = JwtAlgorithm::es256;
      break;
    case EVP_PKEY_ED25519:
      out.algorithm_ = JwtAlgorithm::eddsa;
      break;
    default:
      return Failure{"a key of a kind that no supported algorithm uses",
                     "use RSA, EC on P-256, or Ed25519"};
  }
  EVP_PKEY_up_ref(key);
  out.evp_ = std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free);
  out.kid_ = std::move(kid);
  return out;
}

Result<JwtKey> JwtKey::from_secret(std::string secret, std::string kid) {
  if (secret.size() < kHs256SecretSizeMin || secret.size() > kHs256SecretSizeMax)
    return Failure{"an HS256 secret of " + std::to_string(secret.size()) + " bytes",
                   "use 32 random bytes; up to 1024 are possible"};
  JwtKey out;
  out.algorithm_ = JwtAlgorithm::hs256;
  out.secret_ = std::move(secret);
  out.kid_ = std::move(kid);
  return out;
}

bool JwtKey::verify(std::string_view signing_input, std::string_view signature) const {
  if (algorithm_ == JwtAlgorithm::hs256)
    return equal_constant_time(view(hmac_sha256(secret_, signing_input)), signature);
  const ClearErrors clear;
  std::string der;
  if (algorithm_ == JwtAlgorithm::es256) {
    if (signature.size() != 2 * kEs256Half) return false;
    der = der_of_raw(signature);
    signature = der;
  }
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  require(context && EVP_DigestVerifyInit(context.get(), nullptr, digest_of(algorithm_), nullptr,
                                          evp_.get()) == 1,
          "EVP_DigestVerifyInit");
  return EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(signing_input),
                          signing_input.size()) == 1;
}

std::optional<std::string> JwtKey::sign(std::string_view signing_input) const {
  if (algorithm_ == JwtAlgorithm::hs256)
    return std::string(view(hmac_sha256(secret_, signing_input)));
  const ClearErrors clear;
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  require(context != nullptr, "EVP_MD_CTX_new");
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, digest_of(algorithm_), nullptr, evp_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, octets(signing_input), signing_input.size()) !=
          1)
    return std::nullopt;
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), octets(signature.data()), &size, octets(signing_input),
                     signing_input.size()) != 1)
    return std::nullopt;
  signature.resize(size);
  return algorithm_ == JwtAlgorithm::es256 ? raw_of_der(signature) : signature;
}

Result<std::vector<JwtKey>> jwt_keys_from_pem(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----";
  const ClearErrors clear;
  if (pem.size() > kKeyDocumentSizeMax)
    return Failure{"a key file larger than 64 KiB", "give one with public keys only"};
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos)
    return Failure{"a private key where a public one belongs",
                   "give the public part: openssl pkey -in FILE -pubout"};
  const std::size_t blocks = count_of(pem, kBegin);
  if (blocks == 0 || blocks > kJwtKeysMax)
    return Failure{"not 1 to " + std::to_string(kJwtKeysMax) + " blocks that begin with " +
                       std::string(kBegin),
                   "give public keys in PEM: openssl pkey -in FILE -pubout"};
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  require(bio != nullptr, "BIO_new_mem_buf");
  std::vector<JwtKey> keys;
  for (std::size_t i = 0; i < blocks; ++i) {
    const EvpPkeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
    if (!key)
      return Failure{"public key " + std::to_string(i + 1) + " can't be read",
                     "see what `openssl pkey -pubin -in FILE -text` says of it"};
    auto usable = JwtKey::from_evp(key.get(), "");
    if (!usable) return usable.failure();
    keys.push_back(*std::move(usable));
  }
  return keys;
}

Result<JwtKey> jwt_private_key_from_pem(std::string_view pem, std::string kid) {
  const ClearErrors clear;
  if (pem.size() > kKeyDocumentSizeMax)
    return Failure{"a key file larger than 64 KiB", "give one with a single private key"};
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  require(bio != nullptr, "BIO_new_mem_buf");
  const EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key)
    return Failure{"no private key in PEM, or one that is encrypted",
                   "openssl genpkey -algorithm ed25519 makes one"};
  return JwtKey::from_evp(key.get(), std::move(kid));
}

}  // namespace ringcast::auth
