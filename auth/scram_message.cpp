// What the two sides of SCRAM sign, and the signatures: the algorithms of RFC 5802 section 3.

#include <cstddef>

#include "auth/encoding.h"
#include "auth/saslprep.h"
#include "auth/scram.h"

namespace ringcast::auth {
namespace {

// RFC 5802 section 5.1, "n".
std::string escape(std::string_view authid) {
  std::string out;
  for (const char c : authid) {
    if (c == ',') {
      out += "=2C";
    } else if (c == '=') {
      out += "=3D";
    } else {
      out += c;
    }
  }
  return out;
}

std::string binding_input(const ChannelBinding* binding) {
  return binding == nullptr ? "n,," : "p=" + binding->type + ",," + binding->data;
}

Bytes32 exclusive_or(const Bytes32& a, std::string_view b) {
  Bytes32 out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(a[i] ^ b[i]);
  return out;
}

}  // namespace

std::string_view scram_verifier_name(ScramDialect dialect) {
  return dialect == ScramDialect::standard ? "verifier" : "scram_server_signature";
}

std::string scram_auth_message(ScramDialect dialect, const ScramTranscript& transcript) {
  std::string authid;
  std::string binding;
  if (dialect == ScramDialect::standard) {
    authid = escape(transcript.authid);
    binding = to_base64(binding_input(transcript.binding), Base64::standard);
  } else {
    auto prepared = saslprep(transcript.authid);
    authid = prepared ? *std::move(prepared) : std::string(transcript.authid);
  }
  std::string out = "n=";
  out.append(authid).append(",r=").append(transcript.client_nonce);
  out.append(",r=").append(transcript.nonce).append(",s=").append(transcript.salt);
  out.append(",i=").append(std::to_string(transcript.iterations));
  out.append(",c=").append(binding).append(",r=").append(transcript.nonce);
  return out;
}

std::string scram_client_proof(std::string_view salted_password, std::string_view auth_message) {
  const Bytes32 client_key = hmac_sha256(salted_password, "Client Key");
  const Bytes32 signature = hmac_sha256(view(sha256(view(client_key))), auth_message);
  return to_base64(view(exclusive_or(signature, view(client_key))), Base64::standard);
}

Verdict scram_verify_proof(const Bytes32& stored_key, std::string_view auth_message,
                           std::string_view proof) {
  constexpr std::size_t kProofTextSize = 44;
  if (proof.size() != kProofTextSize)
    return Verdict::refuse("the proof has not 32 bytes in base64");
  const auto bytes = from_base64(proof, Base64::standard);
  if (!bytes || bytes->size() != stored_key.size())
    return Verdict::refuse("the proof is not base64");
  const Bytes32 client_key = exclusive_or(hmac_sha256(view(stored_key), auth_message), *bytes);
  return equal_constant_time(view(sha256(view(client_key))), view(stored_key))
             ? Verdict::accept()
             : Verdict::refuse("the proof does not fit the password");
}

std::string scram_server_signature(const Bytes32& server_key, std::string_view auth_message) {
  return to_base64(view(hmac_sha256(view(server_key), auth_message)), Base64::standard);
}

}  // namespace ringcast::auth
