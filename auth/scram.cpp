#include "auth/scram.h"

#include <utility>

#include "auth/encoding.h"
#include "auth/saslprep.h"

namespace ringcast::auth {
namespace {

constexpr std::string_view kPbkdf2 = "pbkdf2";
constexpr std::string_view kArgon2id = "argon2id13";
constexpr std::string_view kArgon2idCrossbar = "argon2id-13";
constexpr std::size_t kHashSize = 32;
constexpr std::size_t kAuthidSizeMax = 1024;
constexpr std::size_t kSaltTextMax = 128;  // 64 bytes are 88 characters
constexpr std::size_t kBindingDataMax = 256;

Failure broken(std::string_view what) {
  return {std::string(what), "this is a fault of the peer, or somebody between"};
}

// The octets of a nonce, if it keeps the rules.
std::optional<std::string> nonce_octets(std::string_view nonce) {
  if (nonce.size() > kScramNonceMax * 4) return std::nullopt;
  auto octets = from_base64(nonce, Base64::standard);
  if (!octets || octets->size() < kScramNonceMin || octets->size() > kScramNonceMax)
    return std::nullopt;
  return octets;
}

// "The client MUST respond with an ABORT message if CHALLENGE.Details.nonce does not begin with the
// client nonce", and a router that adds nothing to it has no nonce of its own. Crossbar joins the
// octets and encodes them then.
bool nonce_continues(ScramDialect dialect, std::string_view nonce, std::string_view client_nonce) {
  if (nonce.starts_with(client_nonce))
    return nonce_octets(nonce.substr(client_nonce.size())).has_value();
  if (dialect != ScramDialect::crossbar || nonce.size() > kScramNonceMax * 4) return false;
  const auto joined = from_base64(nonce, Base64::standard);
  const auto own = from_base64(client_nonce, Base64::standard);
  return joined && own && joined->starts_with(*own) &&
         joined->size() >= own->size() + kScramNonceMin;
}

// The cost of what a router asks for, or why it is not paid.
Result<Argon2Cost> argon2_cost(const ScramChallenge& challenge) {
  const Argon2Cost cost{challenge.memory_kib.value_or(0), challenge.iterations, 1};
  if (!argon2_cost_allowed(cost))
    return broken("the router asks for a cost of argon2id beyond what is allowed");
  if (std::uint64_t{cost.memory_kib} * cost.iterations < kScramArgon2WorkMinKib)
    return broken(
        "the router asks for a cost of argon2id so low that the password could be guessed");
  return cost;
}

Result<std::string> salted_password(ScramDialect dialect, const ScramChallenge& challenge,
                                    std::string_view password) {
  if (challenge.salt.size() > kSaltTextMax) return broken("the router's salt is too long");
  const auto salt = from_base64(challenge.salt, Base64::standard);
  if (!salt || salt->size() < 8)
    return broken("the router's salt is not base64 of 8 bytes or more");
  if (challenge.kdf == kPbkdf2) {
    if (challenge.iterations < kScramIterationsMin || challenge.iterations > kPbkdf2IterationsMax)
      return broken("the router asks for too few or too many iterations of PBKDF2");
    return pbkdf2_sha256(password, *salt, challenge.iterations, kHashSize);
  }
  const bool older = dialect == ScramDialect::crossbar;
  if (challenge.kdf != kArgon2id && !(older && challenge.kdf == kArgon2idCrossbar))
    return broken("the router asks for an unknown key derivation function");
  const auto cost = argon2_cost(challenge);
  if (!cost) return cost.failure();
  auto hash = argon2id(password, *salt, *cost, kHashSize);
  if (!hash) return Failure{"not enough memory for argon2id", "give the process more memory"};
  return older ? crossbar_salted_password(*hash) : *std::move(hash);
}

const ChannelBinding* pointer(const std::optional<ChannelBinding>& binding) {
  return binding ? &*binding : nullptr;
}

}  // namespace

// ---- Server ----

Result<ScramServer> ScramServer::begin(ScramDialect dialect, const ScramHello& hello,
                                       const ScramKeys& keys, std::string_view server_nonce,
                                       std::optional<ChannelBinding> binding) {
  const bool older = dialect == ScramDialect::crossbar;
  if (!nonce_octets(hello.nonce))
    return broken("the client's nonce is not base64 of 8 to 64 bytes");
  if (hello.authid.size() > kAuthidSizeMax) return broken("the authid is too long");
  if (hello.channel_binding) {
    if (older) return broken("\"scram\" knows no channel binding; \"wamp-scram\" does");
    if (!binding || binding->type != *hello.channel_binding)
      return broken("the connection has no channel binding of the type that the client asks for");
  } else {
    binding.reset();
  }
  if (older && keys.argon2 && !keys.crossbar)
    return Failure{"the hashed secret has no keys for the method scram",
                   "hash it again with ringcast-cli genhash"};

  ScramServer server;
  server.dialect_ = dialect;
  server.binding_ = std::move(binding);
  server.keys_ = older && keys.crossbar ? *keys.crossbar : keys.keys;
  ScramChallenge& challenge = server.challenge_;
  challenge.nonce = hello.nonce + to_base64(server_nonce, Base64::standard);
  challenge.salt = to_base64(keys.salt, Base64::standard);
  if (keys.argon2) {
    challenge.kdf = older ? kArgon2idCrossbar : kArgon2id;
    challenge.iterations = keys.argon2->iterations;
    challenge.memory_kib = keys.argon2->memory_kib;
  } else {
    challenge.kdf = kPbkdf2;
    challenge.iterations = keys.pbkdf2_iterations;
  }
  server.auth_message_ =
      scram_auth_message(dialect, {hello.authid, hello.nonce, challenge.nonce, challenge.salt,
                                   challenge.iterations, pointer(server.binding_)});
  return server;
}

Verdict ScramServer::verify(const ScramProof& proof) {
  if (dialect_ == ScramDialect::standard) {
    if (!proof.nonce || !equal_constant_time(*proof.nonce, challenge_.nonce))
      return Verdict::refuse("the nonce is not the challenge's");
    if (proof.channel_binding.has_value() != binding_.has_value() ||
        (binding_ && *proof.channel_binding != binding_->type)) {
      return Verdict::refuse("the channel binding is not the one of HELLO");
    }
    if (proof.cbind_data.has_value() != binding_.has_value())
      return Verdict::refuse("channel binding data without binding, or none with it");
    if (binding_) {
      if (proof.cbind_data->size() > kBindingDataMax)
        return Verdict::refuse("the channel binding data is too long");
      const auto data = from_base64(*proof.cbind_data, Base64::standard);
      if (!data || !equal_constant_time(*data, binding_->data))
        return Verdict::refuse("the client is at the end of another channel than we are");
    }
  }
  const Verdict verdict = scram_verify_proof(keys_.stored_key, auth_message_, proof.signature);
  if (verdict) verifier_ = scram_server_signature(keys_.server_key, auth_message_);
  return verdict;
}

// ---- Client ----

Result<ScramClient> ScramClient::begin(ScramDialect dialect, std::string_view authid,
                                       std::string_view password, std::string_view nonce,
                                       std::optional<ChannelBinding> binding) {
  const auto prepared_authid = saslprep(authid);
  if (!prepared_authid)
    return Failure{"authid: " + prepared_authid.failure().cause, prepared_authid.failure().remedy};
  const auto prepared = saslprep(password);
  if (!prepared) return Failure{"password: " + prepared.failure().cause, prepared.failure().remedy};
  const bool older = dialect == ScramDialect::crossbar;
  if (older && binding)
    return Failure{"\"scram\" knows no channel binding", "use the method wamp-scram"};

  ScramClient client;
  client.dialect_ = dialect;
  client.password_ = older ? std::string(password) : *prepared;
  client.hello_.authid = older ? std::string(authid) : *prepared_authid;
  client.hello_.nonce = to_base64(nonce, Base64::standard);
  if (binding) client.hello_.channel_binding = binding->type;
  client.binding_ = std::move(binding);
  return client;
}

Result<ScramProof> ScramClient::answer(const ScramChallenge& challenge) {
  if (!nonce_continues(dialect_, challenge.nonce, hello_.nonce))
    return broken("the router's nonce does not continue ours");
  const auto salted = salted_password(dialect_, challenge, password_);
  if (!salted) return salted.failure();
  const std::string auth_message =
      scram_auth_message(dialect_, {hello_.authid, hello_.nonce, challenge.nonce, challenge.salt,
                                    challenge.iterations, pointer(binding_)});
  server_signature_ = scram_server_signature(scram_key_pair(*salted).server_key, auth_message);
  ScramProof proof;
  proof.signature = scram_client_proof(*salted, auth_message);
  if (dialect_ == ScramDialect::standard) {
    proof.nonce = challenge.nonce;
    if (binding_) {
      proof.channel_binding = binding_->type;
      proof.cbind_data = to_base64(binding_->data, Base64::standard);
    }
  }
  return proof;
}

Verdict ScramClient::check(std::string_view verifier) const {
  if (verifier.starts_with("v=")) verifier.remove_prefix(2);
  return !server_signature_.empty() && equal_constant_time(verifier, server_signature_)
             ? Verdict::accept()
             : Verdict::refuse("the router can't prove that it knows the password's keys");
}

}  // namespace ringcast::auth
