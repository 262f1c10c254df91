#include "tests/auth/test_keys.h"

#include <openssl/pem.h>

#include "auth/openssl_types.h"
#include "tests/auth/support.h"

namespace ringcast::auth::test {
namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string public_pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PUBKEY(bio.get(), key) == 1, "PEM_write_bio_PUBKEY");
  return text_of(bio.get());
}

std::string private_pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "PEM_write_bio_PKCS8PrivateKey");
  return text_of(bio.get());
}

EvpPkeyPtr rsa(unsigned bits) {
  return EvpPkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits}));
}
EvpPkeyPtr ec(const char* curve) {
  return EvpPkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
}

KeyPair pair_of(const EvpPkeyPtr& key) {
  return {must(JwtKey::from_evp(key.get(), "")), public_pem(key.get()), private_pem(key.get())};
}

}  // namespace

KeyPair rsa_pair(unsigned bits) { return pair_of(rsa(bits)); }
KeyPair ec_pair(const char* curve) { return pair_of(ec(curve)); }
KeyPair ed25519_pair() {
  return pair_of(EvpPkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")));
}

std::string x25519_public_pem() {
  return public_pem(EvpPkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")).get());
}
std::string rsa_public_pem(unsigned bits) { return public_pem(rsa(bits).get()); }
std::string ec_public_pem(const char* curve) { return public_pem(ec(curve).get()); }

}  // namespace ringcast::auth::test
