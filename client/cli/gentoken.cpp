#include "client/cli/gentoken.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "auth/jwt.h"
#include "client/cli/exit_code.h"
#include "client/cli/file.h"
#include "client/cli/results.h"
#include "client/cli/secret.h"
#include "client/cli/values.h"
#include "client/cli/words.h"

namespace ringcast::cli {
namespace {

using client::Failure;

struct TokenOptions {
  std::string key_file;
  std::string kid;
  std::string subject;
  std::string role;
  std::string issuer;
  std::string audience;
  std::int64_t ttl_s = 3600;
  std::int64_t expires_at_s = 0;    // Unix time; 0: by ttl_s
  std::vector<std::string> claims;  // NAME=VALUE
};

Failure unusable_key(const std::string& path, const auth::Failure& failure) {
  return {Failure::Kind::input, fmt::format("the key in {}: {}", path, failure.cause),
          failure.remedy};
}

// A secret of HS256 travels as JWK, alone or in a set.
std::variant<auth::JwtKey, Failure> key_of_jwks(const TokenOptions& options, Json document) {
  if (!document.contains("keys")) document = Json{{"keys", Json::array({std::move(document)})}};
  auto keys = auth::jwt_keys_from_jwks(document.dump());
  if (!keys) return unusable_key(options.key_file, keys.failure());
  std::vector<auth::JwtKey> fitting;
  for (auth::JwtKey& key : *keys) {
    if (options.kid.empty() || key.kid() == options.kid) fitting.push_back(std::move(key));
  }
  if (fitting.size() == 1) return std::move(fitting.front());
  return Failure{Failure::Kind::input,
                 fmt::format("{} has {} keys that fit", options.key_file, fitting.size()),
                 "say with --kid which one signs"};
}

std::variant<auth::JwtKey, Failure> read_key(const TokenOptions& options) {
  const auto content = read_secret_file(options.key_file);
  if (const auto* failure = std::get_if<Failure>(&content)) return *failure;
  const std::string& text = std::get<std::string>(content);
  Json document = Json::parse(text, nullptr, false);
  if (document.is_object()) return key_of_jwks(options, std::move(document));
  auto key = auth::jwt_private_key_from_pem(text, options.kid);
  if (!key) return unusable_key(options.key_file, key.failure());
  return *std::move(key);
}

std::variant<Json, Failure> claims_of(const TokenOptions& options) {
  const std::int64_t now_s = std::chrono::duration_cast<std::chrono::seconds>(
                                 std::chrono::system_clock::now().time_since_epoch())
                                 .count();
  Json claims;
  claims["sub"] = options.subject;
  if (!options.role.empty()) claims["role"] = options.role;
  if (!options.issuer.empty()) claims["iss"] = options.issuer;
  if (!options.audience.empty()) claims["aud"] = options.audience;
  claims["iat"] = now_s;
  claims["exp"] = options.expires_at_s != 0 ? options.expires_at_s : now_s + options.ttl_s;
  for (const std::string& pair : options.claims) {
    const std::size_t equals = pair.find('=');
    const std::string name = pair.substr(0, equals);
    if (equals == 0 || equals == std::string::npos || claims.contains(name)) {
      return Failure{Failure::Kind::input,
                     fmt::format("--claim {} is not NAME=VALUE with a name of its own", pair),
                     "write it as --claim name=value, the value being JSON or text"};
    }
    claims[name] = value_of_argument(pair.substr(equals + 1));
  }
  return claims;
}

int run_gentoken(const TokenOptions& options) {
  const auto claims = claims_of(options);
  if (const auto* failure = std::get_if<Failure>(&claims)) return report(*failure);
  const auto key = read_key(options);
  if (const auto* failure = std::get_if<Failure>(&key)) return report(*failure);
  const std::string text =
      std::get<Json>(claims).dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto token = auth::sign_jwt(text, std::get<auth::JwtKey>(key));
  if (!token) return report(unusable_key(options.key_file, token.failure()));
  return write_output(*token + "\n") ? kExitOk : kExitFailure;
}

const std::string kFooter =
    "Examples:\n"
    "  ringcast-cli genkey es256 --out issuer.pem > issuer.pub.pem\n"
    "  ringcast-cli gentoken --key issuer.pem --sub sensor-7 --role device --ttl 86400 > token\n"
    "  ringcast-cli publish readings 21.5 --ticket-file token\n\n"
    "The key decides the algorithm: RSA signs RS256, EC on P-256 ES256, Ed25519 EdDSA (PEM, "
    "unencrypted), a\n"
    "JWK of kty oct HS256.\n";

}  // namespace

Command add_gentoken(CLI::App& app) {
  const auto options = std::make_shared<TokenOptions>();
  CLI::App* command = app.add_subcommand("gentoken", "sign a JSON Web Token to log in with");
  command->footer(kFooter);
  typed(command->add_option("--key", options->key_file, "the private key: PEM or JWK"))
      ->required()
      ->type_name("FILE");
  typed(command->add_option("--kid", options->kid, "the key's id, named in the token"));
  typed(command->add_option("--sub", options->subject, "who its bearer is: the authid"))
      ->required();
  typed(command->add_option("--role", options->role, "the bearer's authrole"));
  typed(command->add_option("--iss", options->issuer, "who issued it"));
  typed(command->add_option("--aud", options->audience, "for whom"));
  CLI::Option* ttl = command->add_option("--ttl", options->ttl_s, "seconds for which it is good")
                         ->capture_default_str()
                         ->check(CLI::Range(std::int64_t{1}, std::int64_t{10} * 365 * 86400));
  command->add_option("--exp", options->expires_at_s, "until when it is good, as Unix time")
      ->check(CLI::PositiveNumber)
      ->excludes(ttl);
  typed(
      command->add_option("--claim", options->claims, "another claim; may be given several times"))
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  return {command, [options] { return run_gentoken(*options); }};
}

}  // namespace ringcast::cli
