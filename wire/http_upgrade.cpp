#include "wire/http_upgrade.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "wire/base64.h"
#include "wire/sha1.h"

namespace ringcast::wire {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using Parser = http::request_parser<http::empty_body>;
using Refused = std::optional<UpgradeRefusal>;

constexpr Bytes kHeadEnd = "\r\n\r\n";
constexpr Bytes kAcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kKeySize = 16;

Bytes view(beast::string_view text) { return Bytes(text.data(), text.size()); }

UpgradeRefusal refuse(unsigned status, std::string body, std::string extra_header = {}) {
  return {status, std::move(body), std::move(extra_header)};
}

UpgradeRefusal too_large() {
  return refuse(431, "The request header is larger than " + std::to_string(kUpgradeHeaderBytesMax) +
                         " bytes. Send fewer or shorter header fields, such as cookies.\n");
}

bool is_token_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         Bytes("!#$%&'*+-.^_`|~").find(c) != Bytes::npos;
}

bool is_control_char(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// Refuses what cannot become an HTTP request however much follows: waiting for the end of a header
// that will never come would hold the connection until the handshake timeout, and tell nobody why.
Refused check_beginning(Bytes head) {
  if (head.front() == 0x16)
    return refuse(400,
                  "This looks like the beginning of a TLS handshake, but TLS is not spoken on this "
                  "port. Use ws:// instead of wss://, or the port that speaks TLS.\n");
  if (!is_token_char(head.front()))
    return refuse(400,
                  "This is not an HTTP request. Open the connection with a WebSocket client.\n");
  for (std::size_t at = head.find('\n'); at != Bytes::npos; at = head.find('\n', at + 1)) {
    if (at == 0 || head[at - 1] != '\r')
      return refuse(400, "A line of the request ends in LF alone. End each line with CR LF.\n");
  }
  const std::size_t line_end = head.find("\r\n");
  const Bytes line = head.substr(0, line_end);
  for (std::size_t i = 0; i < line.size(); ++i) {
    // A CR may be the first half of the line's end.
    if (is_control_char(line[i]) && !(line[i] == '\r' && i + 1 == line.size()))
      return refuse(400, "The request line contains a control character. This is not HTTP.\n");
  }
  if (line_end != Bytes::npos && line.find(" HTTP/") == Bytes::npos)
    return refuse(400, "The first line is not an HTTP request line, such as GET /ws HTTP/1.1.\n");
  return {};
}

UpgradeRefusal refuse_malformed(const beast::error_code& error) {
  if (error == http::error::bad_version)
    return refuse(505, "Only HTTP/1.1 can be upgraded to WebSocket here. Use HTTP/1.1.\n");
  return refuse(400, "The HTTP request is malformed: " + error.message() +
                         ". Check what the client or a proxy in between sends.\n");
}

// The field's only value. Absent: nullopt. Repeated: nullopt, with `repeated` set.
std::optional<Bytes> only_value(const Parser::value_type& request, http::field field,
                                bool& repeated) {
  const auto range = request.equal_range(field);
  if (range.first == range.second) return {};
  repeated = std::next(range.first) != range.second;
  if (repeated) return {};
  return view(range.first->value());
}

bool list_has(const Parser::value_type& request, http::field field, beast::string_view token) {
  const auto range = request.equal_range(field);
  for (auto it = range.first; it != range.second; ++it) {
    if (http::token_list(it->value()).exists(token)) return true;
  }
  return false;
}

std::string joined_values(const Parser::value_type& request, http::field field) {
  std::string all;
  const auto range = request.equal_range(field);
  for (auto it = range.first; it != range.second; ++it) {
    if (!all.empty()) all.append(", ");
    all.append(view(it->value()));
  }
  return all;
}

// What any HTTP/1.1 request must be, before it is looked at as an upgrade.
Refused check_request(const Parser& parser, UpgradeRequest& out) {
  const auto& request = parser.get();
  if (request.version() != 11)
    return refuse(505, "Only HTTP/1.1 can be upgraded to WebSocket. Use HTTP/1.1.\n");
  if (request.method() != http::verb::get)
    return refuse(405, "This is a WebSocket endpoint: the method must be GET.\n", "Allow: GET");
  if (parser.chunked() || parser.content_length().value_or(0) != 0)
    return refuse(400,
                  "An upgrade request must not have a body. Remove Content-Length and "
                  "Transfer-Encoding.\n");
  bool repeated = false;
  const auto host = only_value(request, http::field::host, repeated);
  if (repeated) return refuse(400, "The Host field is repeated. Send it once.\n");
  if (!host) return refuse(400, "The Host field is missing. HTTP/1.1 requires it.\n");
  out.host = *host;
  return {};
}

Refused check_upgrade(const Parser::value_type& request, UpgradeRequest& out) {
  if (!list_has(request, http::field::upgrade, "websocket") ||
      !list_has(request, http::field::connection, "upgrade"))
    return refuse(426,
                  "This is a WebSocket endpoint: the request must have the fields "
                  "Upgrade: websocket and Connection: Upgrade. Connect with a WebSocket client; if "
                  "you do, a proxy in between removes these fields.\n",
                  "Upgrade: websocket");
  bool repeated = false;
  const auto version = only_value(request, http::field::sec_websocket_version, repeated);
  if (repeated) return refuse(400, "Sec-WebSocket-Version is repeated. Send it once.\n");
  if (version != "13")
    return refuse(426,
                  "Only WebSocket version 13 (RFC 6455) is spoken here. Send "
                  "Sec-WebSocket-Version: 13.\n",
                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13");
  const auto key = only_value(request, http::field::sec_websocket_key, repeated);
  if (repeated) return refuse(400, "Sec-WebSocket-Key is repeated. Send it once.\n");
  if (!key) return refuse(400, "Sec-WebSocket-Key is missing. Send 16 random bytes in base64.\n");
  std::string nonce;
  if (!append_from_base64(nonce, *key) || nonce.size() != kKeySize)
    return refuse(400,
                  "Sec-WebSocket-Key is not 16 bytes in base64. Send 24 characters, the last "
                  "two of them '='.\n");
  out.key = *key;
  return {};
}

Refused take_subprotocols(const Parser::value_type& request, UpgradeRequest& out) {
  const auto range = request.equal_range(http::field::sec_websocket_protocol);
  for (auto it = range.first; it != range.second; ++it) {
    Bytes rest = view(it->value());
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      Bytes name = rest.substr(0, comma);
      rest = comma == Bytes::npos ? Bytes() : rest.substr(comma + 1);
      while (!name.empty() && (name.front() == ' ' || name.front() == '\t')) name.remove_prefix(1);
      while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
      if (name.empty()) continue;
      for (const char c : name) {
        if (!is_token_char(c))
          return refuse(400,
                        "Sec-WebSocket-Protocol must be a list of names separated by commas, "
                        "such as wamp.2.msgpack, wamp.2.json.\n");
      }
      out.subprotocols.emplace_back(name);
    }
  }
  return {};
}

// "/path?query", or the same behind "scheme://authority" as a request to a proxy has it.
Refused take_target(Bytes target, UpgradeRequest& out) {
  const std::size_t scheme_end = target.find("://");
  if (scheme_end != Bytes::npos && target.front() != '/') {
    const std::size_t path = target.find_first_of("/?", scheme_end + 3);
    target = path == Bytes::npos ? Bytes("/") : target.substr(path);
  } else if (target.empty() || target.front() != '/') {
    return refuse(400, "The request target must be a path that begins with '/'.\n");
  }
  if (target.find('#') != Bytes::npos)
    return refuse(400,
                  "The request target must not contain a fragment ('#'). Write %23 instead.\n");
  const std::size_t question = target.find('?');
  out.path = target.substr(0, question);
  if (out.path.empty()) out.path = "/";
  if (question != Bytes::npos) out.query = target.substr(question + 1);
  return {};
}

}  // namespace

UpgradeRequestResult parse_upgrade_request(Bytes received) {
  if (received.empty()) return UpgradeIncomplete{};
  const std::size_t end = received.find(kHeadEnd);
  const bool whole = end != Bytes::npos;
  const Bytes head = whole ? received.substr(0, end + kHeadEnd.size()) : received;
  if (Refused refused = check_beginning(head.substr(0, kUpgradeHeaderBytesMax))) return *refused;
  if (head.size() > kUpgradeHeaderBytesMax || (!whole && head.size() == kUpgradeHeaderBytesMax))
    return too_large();
  if (!whole) return UpgradeIncomplete{};

  Parser parser;
  parser.header_limit(kUpgradeHeaderBytesMax);
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());  // the body is judged below
  beast::error_code error;
  const std::size_t parsed = parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error && error != http::error::unexpected_body) return refuse_malformed(error);

  UpgradeRequest out;
  const auto& request = parser.get();
  if (Refused refused = check_request(parser, out)) return *refused;
  if (Refused refused = take_target(view(request.target()), out)) return *refused;
  if (Refused refused = check_upgrade(request, out)) return *refused;
  if (Refused refused = take_subprotocols(request, out)) return *refused;
  out.extensions = joined_values(request, http::field::sec_websocket_extensions);
  out.origin = view(request[http::field::origin]);
  out.user_agent = view(request[http::field::user_agent]);
  out.consumed = parsed;
  return out;
}

std::string accept_for_key(Bytes key) {
  std::string text(key);
  text.append(kAcceptGuid);
  const Sha1Digest digest = sha1(text);
  std::string accept;
  append_base64(accept, Bytes(reinterpret_cast<const char*>(digest.data()), digest.size()));
  return accept;
}

std::string encode_upgrade_response(Bytes key, Bytes subprotocol) {
  std::string out =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  out.append(accept_for_key(key)).append("\r\n");
  if (!subprotocol.empty())
    out.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
  return out.append("\r\n");
}

std::string encode_refusal(const UpgradeRefusal& refusal) {
  const auto reason = http::obsolete_reason(http::int_to_status(refusal.status));
  std::string out = "HTTP/1.1 " + std::to_string(refusal.status) + " ";
  out.append(view(reason));
  out.append("\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ");
  out.append(std::to_string(refusal.body.size())).append("\r\nConnection: close\r\n");
  if (!refusal.extra_header.empty()) out.append(refusal.extra_header).append("\r\n");
  return out.append("\r\n").append(refusal.body);
}

}  // namespace ringcast::wire
