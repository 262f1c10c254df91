// Base64 with the standard alphabet and padding (RFC 4648 section 4): the keys of the opening
// handshake and binary values in JSON. Stateless; any thread.
#pragma once

#include <string>

#include "wire/bytes.h"

namespace ringcast::wire {

void append_base64(std::string& out, Bytes data);

// Strict: whole groups of four, padding where it belongs and nowhere else, no other character, and
// the bits that padding leaves unused are zero, so that each value has exactly one text. False if
// `text` is not that; `out` is unchanged then.
bool append_from_base64(std::string& out, Bytes text);

}  // namespace ringcast::wire
