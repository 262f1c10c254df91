#include "client/login.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "auth/crypto.h"
#include "auth/encoding.h"
#include "auth/wampcra.h"
#include "wire/encode.h"
#include "wire/members.h"

namespace ringcast::client {
namespace {

using auth::Method;
using wire::Bytes;
using wire::Serializer;

constexpr std::size_t kNonceSize = 16;  // bytes: what the specification recommends for SCRAM
// What clients take where a salted challenge names none.
constexpr std::uint32_t kCraIterations = 1000;
constexpr std::uint32_t kCraKeySize = 32;
constexpr const char* kSuspicious =
    "the broker, or somebody between, does not keep the method's rules: do not give it the secret";

Failure refused_challenge(Method method, std::string_view why) {
  return {
      Failure::Kind::protocol,
      fmt::format("the broker's {} challenge is not answered: {}", auth::method_name(method), why),
      kSuspicious};
}

// What a proof serves, best first. The password itself is sent by none of them.
std::vector<Method> methods_of(const std::variant<Ticket, Password, PrivateKey>& proof) {
  if (std::holds_alternative<Ticket>(proof)) return {Method::ticket};
  if (std::holds_alternative<PrivateKey>(proof)) return {Method::cryptosign};
  return {Method::wamp_scram, Method::scram, Method::wampcra};
}

std::string_view kind_of(const std::variant<Ticket, Password, PrivateKey>& proof) {
  if (std::holds_alternative<Ticket>(proof)) return "a ticket";
  return std::holds_alternative<PrivateKey>(proof) ? "a private key" : "a password";
}

// The value as 32 bits, if it is there and fits.
std::optional<std::uint32_t> number(Serializer serializer, Bytes dict, Bytes name) {
  const auto value = wire::integer_member(serializer, dict, name);
  if (!value || *value > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

}  // namespace

std::variant<std::unique_ptr<Login>, Failure> Login::begin(Principal principal) {
  auto login = std::unique_ptr<Login>(new Login(std::move(principal)));
  if (auto failure = login->choose_methods()) return *std::move(failure);
  return login;
}

std::optional<Failure> Login::choose_methods() {
  std::vector<Method> possible = methods_of(principal_.proof);
  if (principal_.only) {
    if (std::find(possible.begin(), possible.end(), *principal_.only) == possible.end()) {
      return Failure{Failure::Kind::input,
                     fmt::format("{} does not serve the method {}", kind_of(principal_.proof),
                                 auth::method_name(*principal_.only)),
                     "tickets serve ticket; passwords wamp-scram, scram and wampcra; keys "
                     "cryptosign"};
    }
    possible = {*principal_.only};
  }
  nonce_ = auth::random_bytes(kNonceSize);
  std::optional<Failure> failure;
  for (const Method method : possible) {
    std::optional<Failure> unfit;
    if (method == Method::wamp_scram || method == Method::scram) unfit = begin_scram(method);
    if (!unfit) methods_.push_back(method);
    if (unfit) failure = std::move(unfit);
  }
  return methods_.empty() ? failure : std::nullopt;
}

std::optional<Failure> Login::begin_scram(Method method) {
  const bool older = method == Method::scram;
  auto client = auth::ScramClient::begin(
      older ? auth::ScramDialect::crossbar : auth::ScramDialect::standard, principal_.authid,
      std::get<Password>(principal_.proof).text, nonce_, std::nullopt);
  if (!client)
    return Failure{Failure::Kind::input, client.failure().cause, client.failure().remedy};
  (older ? crossbar_ : standard_) = *std::move(client);
  return std::nullopt;
}

wire::HelloDetails Login::hello(Serializer serializer) {
  std::vector<Bytes> names;
  for (const Method method : methods_) names.push_back(auth::method_name(method));
  authmethods_.clear();
  wire::append_text_list(authmethods_, serializer, names);

  std::vector<wire::Member> extra;
  std::string pubkey;
  if (const auto* key = std::get_if<PrivateKey>(&principal_.proof)) {
    pubkey = auth::to_hex(auth::view(auth::ed25519_public_key(key->seed)));
    extra = {{"pubkey", Bytes(pubkey)}, {"channel_binding", std::monostate()}};
  } else if (standard_ || crossbar_) {
    const auth::ScramClient& scram = standard_ ? *standard_ : *crossbar_;
    extra = {{"nonce", Bytes(scram.hello().nonce)}, {"channel_binding", std::monostate()}};
  }
  authextra_.clear();
  if (!extra.empty()) wire::append_dict(authextra_, serializer, extra);

  wire::HelloDetails details;
  // wamp-scram signs the authid as SASLprep leaves it, so that is what the broker has to see.
  details.authid = standard_ ? standard_->hello().authid : principal_.authid;
  details.authmethods = authmethods_;
  details.authextra = authextra_;
  return details;
}

std::optional<Failure> Login::answer(std::string& out, Serializer serializer,
                                     const wire::Challenge& challenge) {
  const auto method = auth::method_by_name(challenge.method);
  if (!method || std::find(methods_.begin(), methods_.end(), *method) == methods_.end()) {
    return Failure{Failure::Kind::protocol,
                   fmt::format("the broker challenges by the method '{}', which was not offered",
                               challenge.method),
                   kSuspicious};
  }
  if (challenged_) return refused_challenge(*method, "it is the second one");
  challenged_ = method;
  switch (*method) {
    case Method::ticket:
      wire::append_authenticate(out, serializer, std::get<Ticket>(principal_.proof).text, {});
      return std::nullopt;
    case Method::wampcra:
      return answer_cra(out, serializer, challenge.raw_extra);
    case Method::cryptosign:
      return answer_cryptosign(out, serializer, challenge.raw_extra);
    default:
      return answer_scram(out, serializer, challenge.raw_extra, *method);
  }
}

std::optional<Failure> Login::answer_cra(std::string& out, Serializer serializer,
                                         Bytes extra) const {
  const auto challenge = wire::text_member(serializer, extra, "challenge");
  if (!challenge) return refused_challenge(Method::wampcra, "it has no text to sign");
  std::optional<auth::CraSalting> salting;
  if (auto salt = wire::text_member(serializer, extra, "salt")) {
    salting = auth::CraSalting{*std::move(salt),
                               number(serializer, extra, "iterations").value_or(kCraIterations),
                               number(serializer, extra, "keylen").value_or(kCraKeySize)};
  }
  const auto key = auth::cra_key(std::get<Password>(principal_.proof).text, salting);
  if (!key) return refused_challenge(Method::wampcra, key.failure().cause);
  wire::append_authenticate(out, serializer, auth::cra_sign(*key, *challenge), {});
  return std::nullopt;
}

std::optional<Failure> Login::answer_cryptosign(std::string& out, Serializer serializer,
                                                Bytes extra) const {
  const auto challenge =
      auth::parse_hex32(wire::text_member(serializer, extra, "challenge").value_or(std::string()));
  if (!challenge) return refused_challenge(Method::cryptosign, challenge.failure().cause);
  wire::append_authenticate(
      out, serializer,
      auth::cryptosign_sign(std::get<PrivateKey>(principal_.proof).seed, *challenge, std::nullopt),
      {});
  return std::nullopt;
}

std::optional<Failure> Login::answer_scram(std::string& out, Serializer serializer, Bytes extra,
                                           Method method) {
  auth::ScramChallenge challenge;
  challenge.nonce = wire::text_member(serializer, extra, "nonce").value_or(std::string());
  challenge.salt = wire::text_member(serializer, extra, "salt").value_or(std::string());
  challenge.kdf = wire::text_member(serializer, extra, "kdf").value_or(std::string());
  challenge.iterations = number(serializer, extra, "iterations").value_or(0);
  challenge.memory_kib = number(serializer, extra, "memory");
  const auto proof = (method == Method::scram ? crossbar_ : standard_)->answer(challenge);
  if (!proof) return refused_challenge(method, proof.failure().cause);
  std::vector<wire::Member> answer_extra;
  if (proof->nonce) {
    answer_extra = {{"nonce", Bytes(*proof->nonce)},
                    {"channel_binding", std::monostate()},
                    {"cbind_data", std::monostate()}};
  }
  wire::append_authenticate(out, serializer, proof->signature, answer_extra);
  return std::nullopt;
}

std::optional<Failure> Login::check(Serializer serializer, const wire::Welcome& welcome) const {
  if (!challenged_) {
    return Failure{Failure::Kind::protocol,
                   fmt::format("the broker did not ask '{}' for a proof", principal_.authid),
                   "leave out --authid if the realm is open to anybody"};
  }
  const bool older = challenged_ == Method::scram;
  if (!older && challenged_ != Method::wamp_scram) return std::nullopt;
  const auto dialect = older ? auth::ScramDialect::crossbar : auth::ScramDialect::standard;
  const Bytes extra = wire::raw_member(serializer, welcome.raw_details, "authextra");
  const auto verifier = wire::text_member(serializer, extra, auth::scram_verifier_name(dialect));
  const auth::Verdict verdict =
      (older ? crossbar_ : standard_)->check(verifier.value_or(std::string()));
  if (verdict) return std::nullopt;
  return Failure{Failure::Kind::protocol, std::string(verdict.why_not()), kSuspicious};
}

}  // namespace ringcast::client
