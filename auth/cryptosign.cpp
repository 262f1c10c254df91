#include "auth/cryptosign.h"

#include <algorithm>
#include <cstddef>

#include "auth/encoding.h"

namespace ringcast::auth {
namespace {

constexpr std::size_t kReplySize = 96;

Bytes32 message_to_sign(const Bytes32& challenge, const ChannelId& channel_id) {
  Bytes32 message = challenge;
  if (channel_id) {
    for (std::size_t i = 0; i < message.size(); ++i)
      message[i] = static_cast<char>(message[i] ^ (*channel_id)[i]);
  }
  return message;
}

}  // namespace

Result<Bytes32> parse_hex32(std::string_view text) {
  if (text.size() == 64) {
    if (const auto bytes = from_hex(text)) return *bytes32(*bytes);
  }
  return Failure{"not a value of 32 bytes in hex", "give 64 digits of 0-9 and a-f"};
}

std::string cryptosign_sign(const Bytes32& private_key, const Bytes32& challenge,
                            const ChannelId& channel_id) {
  const Bytes32 message = message_to_sign(challenge, channel_id);
  return to_hex(view(ed25519_sign(private_key, view(message)))) + to_hex(view(message));
}

Verdict cryptosign_verify(const Bytes32& public_key, const Bytes32& challenge,
                          const ChannelId& channel_id, std::string_view reply) {
  if (reply.size() != 2 * kReplySize)
    return Verdict::refuse("the signature has not 96 bytes in hex");
  const auto bytes = from_hex(reply);
  if (!bytes) return Verdict::refuse("the signature is not hex");
  const Bytes32 message = message_to_sign(challenge, channel_id);
  if (!equal_constant_time(std::string_view(*bytes).substr(64), view(message))) {
    return Verdict::refuse(channel_id ? "what was signed is not the challenge XOR the channel id"
                                      : "what was signed is not the challenge");
  }
  Signature64 signature;
  std::copy_n(bytes->begin(), signature.size(), signature.begin());
  return ed25519_verify(public_key, view(message), signature)
             ? Verdict::accept()
             : Verdict::refuse("the signature is not of the announced key");
}

}  // namespace ringcast::auth
