// The escapes of JSON strings (RFC 8259 section 7). Stateless; any thread. Internal to wire/.
#pragma once

#include <string>

#include "wire/bytes.h"

namespace ringcast::wire {

// Appends the text that the inside of a JSON string stands for, as UTF-8; never longer than
// `escaped`. Half a surrogate pair stands for U+FFFD. REQUIRES: `escaped` was checked by a
// JsonScanner.
void append_unescaped(std::string& out, Bytes escaped);

}  // namespace ringcast::wire
