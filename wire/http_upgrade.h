// The opening handshake (RFC 6455 section 4), both sides, over Boost.Beast's HTTP parser.
// Stateless; any thread. Which paths, subprotocols and origins are served is the caller's decision.
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "wire/bytes.h"

namespace ringcast::wire {

inline constexpr std::size_t kUpgradeHeaderBytesMax = 8192;

struct UpgradeRequest {
  std::string path;                       // target without its query
  std::string query;                      // without '?'
  std::string key;                        // Sec-WebSocket-Key, checked: 16 bytes in base64
  std::vector<std::string> subprotocols;  // in the client's order
  std::string extensions;                 // Sec-WebSocket-Extensions, as sent, lines joined by ", "
  std::string host;
  std::string origin;        // empty if absent
  std::string user_agent;    // empty if absent
  std::size_t consumed = 0;  // bytes of the request; what follows it are frames
};

// Why a request is answered without an upgrade. `body` is plain text for a person: cause and
// remedy.
struct UpgradeRefusal {
  unsigned status = 400;
  std::string body;
  std::string extra_header;  // whole "Name: value" lines without CRLF at the end, may be empty
};

struct UpgradeIncomplete {};

using UpgradeRequestResult = std::variant<UpgradeIncomplete, UpgradeRequest, UpgradeRefusal>;

// Looks at everything received so far; the request is parsed once its end is there. Refuses: not
// HTTP/1.1 (505), not GET (405), no upgrade (426 with Upgrade: websocket), wrong version (426 with
// Sec-WebSocket-Version: 13), a header above kUpgradeHeaderBytesMax (431), and with 400 a bad or
// repeated key, a missing or repeated Host, a body, a target that is no path, a subprotocol that is
// no token, and what is malformed. Incomplete only as long as a valid request may still come of it:
// a TLS handshake, bare line feeds and other protocols are refused at once (400).
UpgradeRequestResult parse_upgrade_request(Bytes received);

// 101 Switching Protocols; no Sec-WebSocket-Protocol line if `subprotocol` is empty.
std::string encode_upgrade_response(Bytes key, Bytes subprotocol);

// A whole HTTP/1.1 response with Content-Length and Connection: close.
std::string encode_refusal(const UpgradeRefusal& refusal);

// Sec-WebSocket-Accept for a key (section 4.2.2, 5.4).
std::string accept_for_key(Bytes key);

// Client side.
std::string encode_upgrade_request(Bytes host, Bytes target,
                                   const std::vector<std::string>& subprotocols, Bytes key);
struct UpgradeAccepted {
  std::string subprotocol;  // empty if the server chose none
  std::size_t consumed = 0;
};
using UpgradeResponseResult = std::variant<UpgradeIncomplete, UpgradeAccepted, UpgradeRefusal>;
// Checks status, Upgrade, Connection, Sec-WebSocket-Accept against `key`, that no extension was
// chosen, and that the subprotocol is one of those offered. A refusal carries the server's status
// and the first 4096 bytes of its body, or says which check failed (status 0). A body of known
// length is waited for up to that; of one without, what is there is taken.
UpgradeResponseResult parse_upgrade_response(Bytes received, Bytes key,
                                             const std::vector<std::string>& offered);

}  // namespace ringcast::wire
