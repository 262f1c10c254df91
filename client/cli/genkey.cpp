#include "client/cli/genkey.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdio>
#include <memory>
#include <string>

#include "auth/crypto.h"
#include "auth/encoding.h"
#include "client/cli/exit_code.h"
#include "client/cli/file.h"
#include "client/cli/results.h"
#include "client/cli/values.h"
#include "client/cli/words.h"

namespace ringcast::cli {
namespace {

using client::Failure;

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

constexpr std::size_t kRsaBits = 3072;
constexpr std::size_t kSecretSize = 32;  // bytes of an HS256 secret

struct KeyOptions {
  std::string type;
  std::string out;
  std::string kid;
};

// What goes into the private file, and what may be shown to anybody.
struct KeyTexts {
  std::string secret;
  std::string open;
};

KeyPtr generate(const std::string& type) {
  EVP_PKEY* key = nullptr;
  if (type == "rs256") {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", kRsaBits);
  } else if (type == "es256") {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  } else {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return {key, EVP_PKEY_free};
}

std::string content_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// Empty texts if OpenSSL fails, as it does without a source of randomness.
KeyTexts texts_of(EVP_PKEY* key, bool cryptosign) {
  KeyTexts texts;
  const BioPtr secret(BIO_new(BIO_s_mem()), BIO_free);
  const BioPtr open(BIO_new(BIO_s_mem()), BIO_free);
  if (key == nullptr || !secret || !open ||
      PEM_write_bio_PKCS8PrivateKey(secret.get(), key, nullptr, nullptr, 0, nullptr, nullptr) !=
          1 ||
      PEM_write_bio_PUBKEY(open.get(), key) != 1)
    return texts;
  texts.secret = content_of(secret.get());
  texts.open = content_of(open.get());
  if (cryptosign) {
    auth::Bytes32 raw;
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size) != 1)
      return {};
    texts.open = auth::to_hex(auth::view(raw)) + "\n";
  }
  return texts;
}

KeyTexts shared_secret(const std::string& kid) {
  Json key{{"kty", "oct"}, {"alg", "HS256"}, {"use", "sig"}};
  if (!kid.empty()) key["kid"] = kid;
  key["k"] = auth::to_base64(auth::random_bytes(kSecretSize), auth::Base64::url_unpadded);
  const Json set{{"keys", Json::array({key})}};
  return {set.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", ""};
}

int run_genkey(const KeyOptions& options) {
  const KeyTexts texts = options.type == "hs256"
                             ? shared_secret(options.kid)
                             : texts_of(generate(options.type).get(), options.type == "cryptosign");
  if (texts.secret.empty())
    return report({Failure::Kind::input, "OpenSSL made no key", "check its installation"});
  const auto written = write_private_file(options.out, texts.secret);
  if (const auto* failure = std::get_if<Failure>(&written)) return report(*failure);
  if (options.type == "hs256") {
    fmt::print(stderr, "ringcast-cli: broker and issuer share {}: who has it can make tokens\n",
               options.out);
  }
  return write_output(texts.open) ? kExitOk : kExitFailure;
}

const std::string kFooter =
    "Examples:\n"
    "  ringcast-cli genkey cryptosign --out device.key > device.pub\n"
    "  ringcast-cli call com.example.ping --authid device --key-file device.key\n"
    "  ringcast-cli genkey es256 --out issuer.pem > issuer.pub.pem\n\n"
    "Writes the private key to FILE, which must not exist, readable by its owner only; the public "
    "key goes to\n"
    "standard output: 64 hex digits for cryptosign, PEM for es256, eddsa and rs256. hs256 has no "
    "public key: FILE\n"
    "is a JWK Set that broker and issuer share.\n";

}  // namespace

Command add_genkey(CLI::App& app) {
  const auto options = std::make_shared<KeyOptions>();
  CLI::App* command = app.add_subcommand("genkey", "make a key for cryptosign or for tokens");
  command->footer(kFooter);
  command->add_option("TYPE", options->type, "cryptosign, es256, eddsa, rs256 or hs256")
      ->required()
      ->check(CLI::IsMember({"cryptosign", "es256", "eddsa", "rs256", "hs256"}));
  typed(command->add_option("--out", options->out, "where the private key goes"))
      ->required()
      ->type_name("FILE");
  typed(command->add_option("--kid", options->kid, "the key's id, kept in an hs256 file"));
  return {command, [options] { return run_genkey(*options); }};
}

}  // namespace ringcast::cli
