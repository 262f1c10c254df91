// SHA-1, for the one thing that WebSocket needs it for: Sec-WebSocket-Accept (RFC 6455 section
// 4.2.2), which proves that a server read the request and keeps no secret. Not for anything that
// has to withstand an attack.
//
// Here rather than from OpenSSL, whose first digest loads two megabytes of library and settings
// into every worker, and whose every digest looks the algorithm up anew.
#pragma once

#include <array>
#include <cstdint>

#include "wire/bytes.h"

namespace ringcast::wire {

using Sha1Digest = std::array<unsigned char, 20>;

Sha1Digest sha1(Bytes message);

}  // namespace ringcast::wire
