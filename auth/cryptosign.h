// WAMP-Cryptosign, both sides (WAMP specification, "Cryptosign-based Authentication": client
// authentication, TLS channel binding, router authentication). Stateless; any thread.
//
// Router: draws a challenge (random_bytes32), sends it as hex, verifies what AUTHENTICATE brings
// against the public key that HELLO.Details.authextra.pubkey announced and that belongs to the
// principal. Where no principal has that key, verify all the same and refuse: it takes as long.
// Router authentication is the same with the roles exchanged: sign
// HELLO.Details.authextra.challenge with the router's key, send CHALLENGE.Extra.signature and
// pubkey.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/crypto.h"
#include "auth/result.h"

namespace ringcast::auth {

// A key, a challenge or a channel id as HELLO, CHALLENGE and configurations have them: 64 hex
// digits.
Result<Bytes32> parse_hex32(std::string_view text);

// What a connection is known by: with TLS 1.3 32 bytes of the exporter with the label
// "EXPORTER-Channel-Binding" and no context (RFC 9266), both sides alike.
using ChannelId = std::optional<Bytes32>;

// hex(signature64 || message32), where the message is the challenge, with channel binding the
// challenge XOR channel id.
std::string cryptosign_sign(const Bytes32& private_key, const Bytes32& challenge,
                            const ChannelId& channel_id);

// `reply` is what cryptosign_sign gives, from the peer. The message in it has to be the one that
// was to be signed.
Verdict cryptosign_verify(const Bytes32& public_key, const Bytes32& challenge,
                          const ChannelId& channel_id, std::string_view reply);

}  // namespace ringcast::auth
