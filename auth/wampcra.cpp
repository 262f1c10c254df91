#include "auth/wampcra.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "auth/encoding.h"

namespace ringcast::auth {
namespace {

constexpr std::uint32_t kKeySizeMax = 64;

// ISO 8601 with milliseconds: 2014-06-22T16:51:41.643Z.
std::string iso_time(std::int64_t unix_ms) {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds{unix_ms}};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
      static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string cra_challenge(const CraIdentity& identity, std::string_view nonce,
                          std::int64_t now_ms) {
  const nlohmann::ordered_json challenge = {
      {"authid", identity.authid},
      {"authrole", identity.authrole},
      {"authmethod", "wampcra"},
      {"authprovider", identity.authprovider},
      {"nonce", nonce},
      {"timestamp", iso_time(now_ms)},
      {"session", identity.session},
  };
  return challenge.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<std::string> cra_key(std::string_view secret, const std::optional<CraSalting>& salting) {
  if (!salting) return std::string(secret);
  if (salting->iterations < 1 || salting->iterations > kPbkdf2IterationsMax)
    return Failure{
        "the router asks for " + std::to_string(salting->iterations) + " iterations of PBKDF2",
        "do not trust it, or have the secret salted with fewer"};
  if (salting->keylen < 1 || salting->keylen > kKeySizeMax)
    return Failure{"the router asks for a key of " + std::to_string(salting->keylen) + " bytes",
                   "do not trust it, or have the secret salted with 32"};
  return to_base64(pbkdf2_sha256(secret, salting->salt, salting->iterations, salting->keylen),
                   Base64::standard);
}

std::string cra_sign(std::string_view key, std::string_view challenge) {
  return to_base64(view(hmac_sha256(key, challenge)), Base64::standard);
}

Result<CraServer> CraServer::begin(const Credential& credential, std::string challenge) {
  CraServer server;
  server.challenge_ = std::move(challenge);
  if (const auto* plain = std::get_if<PlainSecret>(&credential)) {
    server.key_ = plain->secret;
  } else if (const auto* cra = std::get_if<CraKey>(&credential)) {
    server.key_ = to_base64(cra->key, Base64::standard);
    server.salting_ =
        CraSalting{cra->salt, cra->iterations, static_cast<std::uint32_t>(cra->key.size())};
  } else {
    return Failure{"a secret hashed for another method than wampcra",
                   "hash it with ringcast-cli genhash --method wampcra"};
  }
  return server;
}

Verdict CraServer::verify(std::string_view signature) const {
  // Compared as text: a signature has only one, so there is nothing to decode.
  return equal_constant_time(signature, cra_sign(key_, challenge_))
             ? Verdict::accept()
             : Verdict::refuse("wrong signature of the challenge");
}

}  // namespace ringcast::auth
