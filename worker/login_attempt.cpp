#include "worker/login_attempt.h"

#include <cassert>

#include "auth/decoy.h"
#include "auth/encoding.h"
#include "auth/saslprep.h"
#include "wire/members.h"

namespace ringcast::worker {
namespace {

auth::Failure lacking(std::string_view what) { return {std::string(what), {}}; }

// A principal who has nothing for the method is none.
const Principal* principal_for(const Principals& principals, std::string_view authid,
                               auth::Method method) {
  const Principal* principal = principals.find(authid);
  const bool can = principal != nullptr && principal->secret_for(method) != nullptr;
  return can ? principal : nullptr;
}

}  // namespace

auth::Result<LoginAttempt> LoginAttempt::begin(const Request& request) {
  if (request.authid.size() > auth::kPasswordSizeMax) return lacking("Details.authid is too long");
  LoginAttempt attempt(request);
  auth::Result<bool> begun = true;
  switch (request.method) {
    case auth::Method::ticket:
      attempt.begin_ticket(request);
      break;
    case auth::Method::wampcra:
      begun = attempt.begin_cra(request);
      break;
    case auth::Method::cryptosign:
      begun = attempt.begin_cryptosign(request);
      break;
    case auth::Method::wamp_scram:
    case auth::Method::scram:
      begun = attempt.begin_scram(request);
      break;
    case auth::Method::anonymous:
    case auth::Method::tls:
      assert(false && "a method without a challenge");
  }
  if (!begun) return begun.failure();
  return attempt;
}

void LoginAttempt::set_principal(const Principal* principal) {
  known_ = principal != nullptr;
  identity_.authid = known_ ? principal->authid : authid_;
  identity_.role = known_ ? principal->role : realm_->principals.usual_role();
  identity_.authrole = realm_->roles[identity_.role].name;
  identity_.authmethod = auth::method_name(method_);
  identity_.authprovider = "static";
}

auth::Credential LoginAttempt::secret_of(const Principal* principal,
                                         const auth::Bytes32& decoy_key) const {
  if (principal != nullptr) return *principal->secret_for(method_);
  return auth::decoy_credential(decoy_key, realm_->name, authid_,
                                *realm_->principals.usual_secret(method_));
}

void LoginAttempt::begin_ticket(const Request& request) {
  if (!realm_->principals.offer(method_)) return;  // tokens only
  const Principal* principal = principal_for(realm_->principals, request.authid, method_);
  set_principal(principal);
  proof_ = secret_of(principal, request.decoy_key);
}

auth::Result<bool> LoginAttempt::begin_cra(const Request& request) {
  if (request.authid.empty()) return lacking("wampcra needs Details.authid");
  const Principal* principal = principal_for(realm_->principals, request.authid, method_);
  set_principal(principal);
  const auth::CraIdentity identity{.authid = identity_.authid,
                                   .authrole = identity_.authrole,
                                   .authprovider = identity_.authprovider,
                                   .session = request.session};
  const std::string nonce = auth::to_base64(auth::random_bytes(24), auth::Base64::standard);
  auto server = auth::CraServer::begin(secret_of(principal, request.decoy_key),
                                       auth::cra_challenge(identity, nonce, request.unix_ms));
  if (!server) return server.failure();
  challenge_.push_back({"challenge", server->challenge()});
  if (const auto& salting = server->salting()) {
    challenge_.push_back({"salt", salting->salt});
    challenge_.push_back({"iterations", std::uint64_t{salting->iterations}});
    challenge_.push_back({"keylen", std::uint64_t{salting->keylen}});
  }
  proof_ = *std::move(server);
  return true;
}

auth::Result<bool> LoginAttempt::begin_cryptosign(const Request& request) {
  const auto pubkey = wire::text_member(request.serializer, request.authextra, "pubkey");
  if (!pubkey) return lacking("cryptosign needs Details.authextra.pubkey");
  const auto key = auth::parse_hex32(*pubkey);
  if (!key) return lacking("Details.authextra.pubkey is not 64 hex digits");
  // Bound to the TLS channel it is only where there is one, and no transport has one yet.
  if (wire::text_member(request.serializer, request.authextra, "channel_binding")) {
    return lacking("channel binding needs TLS, which this connection has not");
  }
  const Principal* principal = realm_->principals.find_key(*key);
  if (principal != nullptr && !authid_.empty() && principal->authid != authid_) principal = nullptr;
  set_principal(principal);
  const auth::Bytes32 challenge = auth::random_bytes32();
  challenge_.push_back({"challenge", auth::to_hex(auth::view(challenge))});
  proof_ = Key{*key, challenge};
  return true;
}

auth::Result<bool> LoginAttempt::begin_scram(const Request& request) {
  if (request.authid.empty()) return lacking("scram needs Details.authid");
  auth::ScramHello hello{.authid = authid_, .nonce = {}, .channel_binding = {}};
  if (auto nonce = wire::text_member(request.serializer, request.authextra, "nonce")) {
    hello.nonce = *std::move(nonce);
  }
  hello.channel_binding =
      wire::text_member(request.serializer, request.authextra, "channel_binding");
  const Principal* principal = principal_for(realm_->principals, request.authid, method_);
  set_principal(principal);
  const auth::Credential secret = secret_of(principal, request.decoy_key);
  const auto dialect =
      method_ == auth::Method::scram ? auth::ScramDialect::crossbar : auth::ScramDialect::standard;
  auto server = auth::ScramServer::begin(dialect, hello, std::get<auth::ScramKeys>(secret),
                                         auth::random_bytes(16), std::nullopt);
  if (!server) return server.failure();
  const auth::ScramChallenge& challenge = server->challenge();
  challenge_.push_back({"nonce", challenge.nonce});
  challenge_.push_back({"salt", challenge.salt});
  challenge_.push_back({"kdf", challenge.kdf});
  challenge_.push_back({"iterations", std::uint64_t{challenge.iterations}});
  if (challenge.memory_kib) {
    challenge_.push_back({"memory", std::uint64_t{*challenge.memory_kib}});
  }
  proof_ = *std::move(server);
  return true;
}

auth::Verdict LoginAttempt::verify(wire::Serializer serializer, const wire::Authenticate& answer) {
  if (const auto* cra = std::get_if<auth::CraServer>(&proof_)) return cra->verify(answer.signature);
  if (const auto* key = std::get_if<Key>(&proof_)) {
    return auth::cryptosign_verify(key->public_key, key->challenge, auth::ChannelId{},
                                   answer.signature);
  }
  auto& scram = std::get<auth::ScramServer>(proof_);
  return scram.verify(
      {.signature = std::string(answer.signature),
       .nonce = wire::text_member(serializer, answer.raw_extra, "nonce"),
       .channel_binding = wire::text_member(serializer, answer.raw_extra, "channel_binding"),
       .cbind_data = wire::text_member(serializer, answer.raw_extra, "cbind_data")});
}

Extra LoginAttempt::welcome_extra() const {
  const auto* scram = std::get_if<auth::ScramServer>(&proof_);
  if (scram == nullptr) return {};
  const auto dialect =
      method_ == auth::Method::scram ? auth::ScramDialect::crossbar : auth::ScramDialect::standard;
  return {{std::string(auth::scram_verifier_name(dialect)), scram->verifier()}};
}

}  // namespace ringcast::worker
