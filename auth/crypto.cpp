#include "auth/crypto.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "auth/openssl_types.h"

namespace ringcast::auth {

void require(bool ok, const char* call) {
  if (ok) return;
  std::fprintf(stderr, "ringcast: %s failed: OpenSSL is broken or out of memory\n", call);
  std::abort();
}

std::optional<Bytes32> bytes32(std::string_view bytes) {
  Bytes32 out;
  if (bytes.size() != out.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_bytes(std::size_t size) {
  std::string out(size, '\0');
  require(RAND_bytes(octets(out.data()), static_cast<int>(size)) == 1, "RAND_bytes");
  return out;
}

Bytes32 random_bytes32() {
  Bytes32 out;
  require(RAND_bytes(octets(out.data()), static_cast<int>(out.size())) == 1, "RAND_bytes");
  return out;
}

Bytes32 sha256(std::string_view data) {
  Bytes32 out;
  SHA256(octets(data), data.size(), octets(out.data()));
  return out;
}

Bytes32 hmac_sha256(std::string_view key, std::string_view data) {
  Bytes32 out;
  unsigned size = 0;
  // A null key would mean "the one before".
  const char* key_data = key.empty() ? "" : key.data();
  require(HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()), octets(data), data.size(),
               octets(out.data()), &size) != nullptr,
          "HMAC");
  return out;
}

std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations, std::size_t size) {
  std::string out(size, '\0');
  const char* password_data = password.empty() ? "" : password.data();
  require(PKCS5_PBKDF2_HMAC(password_data, static_cast<int>(password.size()), octets(salt),
                            static_cast<int>(salt.size()), static_cast<int>(iterations),
                            EVP_sha256(), static_cast<int>(size), octets(out.data())) == 1,
          "PKCS5_PBKDF2_HMAC");
  return out;
}

std::optional<std::string> argon2id(std::string_view password, std::string_view salt,
                                    const Argon2Cost& cost, std::size_t size) {
  std::string out(size, '\0');
  // Argon2 reads what it is declared to be able to write.
  std::string password_copy(password);
  std::string salt_copy(salt);
  argon2_context context{};
  context.out = octets(out.data());
  context.outlen = static_cast<std::uint32_t>(out.size());
  context.pwd = octets(password_copy.data());
  context.pwdlen = static_cast<std::uint32_t>(password_copy.size());
  context.salt = octets(salt_copy.data());
  context.saltlen = static_cast<std::uint32_t>(salt_copy.size());
  context.t_cost = cost.iterations;
  context.m_cost = cost.memory_kib;
  context.lanes = cost.lanes;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  context.flags = ARGON2_DEFAULT_FLAGS;
  const int status = argon2id_ctx(&context);
  OPENSSL_cleanse(password_copy.data(), password_copy.size());
  if (status == ARGON2_MEMORY_ALLOCATION_ERROR) return std::nullopt;
  require(status == ARGON2_OK, "argon2id_ctx");
  return out;
}

Bytes32 ed25519_public_key(const Bytes32& private_key) {
  const EvpPkeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                                    octets(view(private_key)), private_key.size()));
  Bytes32 out;
  std::size_t size = out.size();
  require(key && EVP_PKEY_get_raw_public_key(key.get(), octets(out.data()), &size) == 1,
          "EVP_PKEY_get_raw_public_key");
  return out;
}

Signature64 ed25519_sign(const Bytes32& private_key, std::string_view message) {
  const EvpPkeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                                    octets(view(private_key)), private_key.size()));
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  Signature64 out;
  std::size_t size = out.size();
  require(key && context &&
              EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
              EVP_DigestSign(context.get(), octets(out.data()), &size, octets(message),
                             message.size()) == 1,
          "EVP_DigestSign");
  return out;
}

bool ed25519_verify(const Bytes32& public_key, std::string_view message,
                    const Signature64& signature) {
  const EvpPkeyPtr key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                                   octets(view(public_key)), public_key.size()));
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  require(key && context &&
              EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1,
          "EVP_DigestVerifyInit");
  return EVP_DigestVerify(context.get(), octets(view(signature)), signature.size(), octets(message),
                          message.size()) == 1;
}

}  // namespace ringcast::auth
