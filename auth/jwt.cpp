#include "auth/jwt.h"

#include <cmath>
#include <utility>

#include "auth/encoding.h"
#include "auth/json.h"

namespace ringcast::auth {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kTimeMax_s = std::int64_t{1} << 53;

Failure refused(std::string_view why) {
  return {std::string("token refused: ").append(why), "get a new one from its issuer"};
}

struct Parts {
  std::string_view header;
  std::string_view claims;
  std::string_view signature;
  std::string_view signing_input;  // header and claims as they came
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

std::optional<Json> decode_object(std::string_view part) {
  const auto text = from_base64(part, Base64::url_unpadded);
  return text ? parse_json_object(*text) : std::nullopt;
}

std::optional<Failure> check_signature(const Parts& parts, std::span<const JwtKey> keys) {
  const auto header = decode_object(parts.header);
  if (!header) return refused("its header is not JSON in base64url");
  // RFC 7515 section 4.1.11: we understand no extension.
  if (header->contains("crit")) return refused("it demands an extension (crit)");
  const std::string* algorithm = string_member(*header, "alg");
  if (algorithm == nullptr) return refused("it names no algorithm");
  const std::string* kid = string_member(*header, "kid");
  if (kid == nullptr && header->contains("kid")) return refused("its kid is no text");
  const auto signature = from_base64(parts.signature, Base64::url_unpadded);
  if (!signature) return refused("its signature is not base64url");
  bool tried = false;
  for (const JwtKey& key : keys) {
    if (*algorithm != jwt_algorithm_name(key.algorithm())) continue;
    if (kid != nullptr && !key.kid().empty() && *kid != key.kid()) continue;
    tried = true;
    if (key.verify(parts.signing_input, *signature)) return std::nullopt;
  }
  return refused(tried ? "no key of ours made its signature"
                       : "no key of ours has its kid and algorithm");
}

// RFC 7519 section 2, NumericDate: seconds, which may have a fraction.
std::optional<std::int64_t> numeric_date(const Json& value) {
  if (!value.is_number()) return std::nullopt;
  const auto seconds = value.get<double>();
  if (!(seconds >= 0 && seconds <= static_cast<double>(kTimeMax_s))) return std::nullopt;
  return static_cast<std::int64_t>(std::floor(seconds));
}

// A time claim: absent is fine, anything but a time is not.
struct TimeClaim {
  bool sound = true;
  std::optional<std::int64_t> at_s;
};
TimeClaim time_claim(const Json& claims, const char* name) {
  const auto member = claims.find(name);
  if (member == claims.end()) return {};
  const auto at_s = numeric_date(*member);
  return {at_s.has_value(), at_s};
}

bool audience_fits(const Json& claims, const std::string& audience) {
  const auto member = claims.find("aud");
  if (member == claims.end()) return false;
  if (member->is_string()) return *member == audience;
  if (!member->is_array()) return false;
  for (const Json& one : *member)
    if (one == audience) return true;
  return false;
}

std::optional<Failure> check_claims(const Json& claims, const JwtRules& rules, std::int64_t now_s) {
  const TimeClaim expiry = time_claim(claims, "exp");
  const TimeClaim not_before = time_claim(claims, "nbf");
  const TimeClaim issued = time_claim(claims, "iat");
  if (!expiry.sound || !not_before.sound || !issued.sound)
    return refused("exp, nbf or iat is no time");
  if (!expiry.at_s && rules.expiry_required) return refused("it never expires");
  if (expiry.at_s && now_s >= *expiry.at_s + rules.leeway_s) return refused("it has expired");
  if (not_before.at_s && now_s < *not_before.at_s - rules.leeway_s)
    return refused("it is not valid yet");
  if (issued.at_s && now_s < *issued.at_s - rules.leeway_s)
    return refused("it was issued in the future: compare the clocks");
  if (rules.issuer) {
    const std::string* issuer = string_member(claims, "iss");
    if (issuer == nullptr || *issuer != *rules.issuer) return refused("it is of another issuer");
  }
  if (rules.audience && !audience_fits(claims, *rules.audience))
    return refused("it is for another audience");
  return std::nullopt;
}

bool usable_name(const std::string* name) {
  return name != nullptr && !name->empty() && name->size() <= kJwtNameSizeMax;
}

}  // namespace

Result<JwtIdentity> verify_jwt(std::string_view token, std::span<const JwtKey> keys,
                               const JwtRules& rules, std::int64_t now_s) {
  if (token.size() > kJwtSizeMax) return refused("it is longer than 8 KiB");
  const auto parts = split(token);
  if (!parts) return refused("it has not three parts");
  if (auto failure = check_signature(*parts, keys)) return *std::move(failure);
  const auto claims = decode_object(parts->claims);
  if (!claims) return refused("its claims are not JSON in base64url");
  if (auto failure = check_claims(*claims, rules, now_s)) return *std::move(failure);

  JwtIdentity identity;
  const std::string* subject = string_member(*claims, "sub");
  if (!usable_name(subject)) return refused("sub is no text of 1 to 256 bytes");
  identity.authid = *subject;
  if (claims->contains(rules.role_claim)) {
    const std::string* role = string_member(*claims, rules.role_claim.c_str());
    if (!usable_name(role)) return refused("its role is no text of 1 to 256 bytes");
    identity.authrole = *role;
  } else if (!rules.default_role.empty()) {
    identity.authrole = rules.default_role;
  } else {
    return refused("it names no role");
  }
  if (const auto expiry = time_claim(*claims, "exp").at_s)
    identity.ends_at_s = *expiry + rules.leeway_s;
  return identity;
}

Result<std::string> sign_jwt(std::string_view claims, const JwtKey& key) {
  if (!parse_json_object(claims))
    return Failure{"claims that are not a JSON object, or name a member twice", "correct them"};
  Json header = {{"alg", jwt_algorithm_name(key.algorithm())}, {"typ", "JWT"}};
  if (!key.kid().empty()) header["kid"] = key.kid();
  std::string token =
      to_base64(header.dump(-1, ' ', true, Json::error_handler_t::replace), Base64::url_unpadded);
  token.append(".").append(to_base64(claims, Base64::url_unpadded));
  const auto signature = key.sign(token);
  if (!signature) return Failure{"the key has no private part", "sign with the issuer's key"};
  token.append(".").append(to_base64(*signature, Base64::url_unpadded));
  return token;
}

}  // namespace ringcast::auth
