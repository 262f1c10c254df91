// Binary values as text: hex (cryptosign) and base64 (SCRAM, WAMP-CRA, JWT, hashed secrets).
// Stateless; any thread.
//
// Decoders are strict: each value has exactly one text (but for the case of hex digits), so that
// what was compared, signed or cached as text can't be varied by a peer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringcast::auth {

enum class Base64 : std::uint8_t {
  standard,           // RFC 4648 section 4, padded
  standard_unpadded,  // the same without '=': PHC strings
  url_unpadded,       // RFC 4648 section 5 without '=': RFC 7515 section 2
};

std::string to_base64(std::string_view bytes, Base64 variant);
// Nothing if `text` has a foreign character, padding other than the variant's, or bits set in the
// last character that belong to no byte.
std::optional<std::string> from_base64(std::string_view text, Base64 variant);

std::string to_hex(std::string_view bytes);  // lower case
std::optional<std::string> from_hex(std::string_view text);

}  // namespace ringcast::auth
