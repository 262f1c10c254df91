// The client's side of the opening handshake.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "wire/http_upgrade.h"

namespace ringcast::wire {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using Parser = http::response_parser<http::empty_body>;
using Refused = std::optional<UpgradeRefusal>;

constexpr Bytes kHeadEnd = "\r\n\r\n";
constexpr Bytes kProtocolName = "HTTP/";
constexpr std::size_t kRefusalBodyMax = 4096;  // what is shown of a server's body

Bytes view(beast::string_view text) { return Bytes(text.data(), text.size()); }

// A check of ours failed: the server's status says nothing about it.
UpgradeRefusal failed(std::string why) { return {0, std::move(why), {}}; }

// Refuses what cannot become an HTTP response however much follows.
Refused check_beginning(Bytes received) {
  if (received.front() == 0x15 || received.front() == 0x16)
    return failed("The server answered with TLS. Use wss:// instead of ws://.");
  const std::size_t common = std::min(received.size(), kProtocolName.size());
  if (received.substr(0, common) != kProtocolName.substr(0, common))
    return failed("The server did not answer with HTTP. Check host and port.");
  return {};
}

bool list_has(const Parser::value_type& response, http::field field, beast::string_view token) {
  const auto range = response.equal_range(field);
  for (auto it = range.first; it != range.second; ++it) {
    if (http::token_list(it->value()).exists(token)) return true;
  }
  return false;
}

// The server's refusal, once its body is there as far as it is shown.
UpgradeResponseResult refusal_of_server(const Parser& parser, Bytes body) {
  const auto length = parser.content_length();
  if (length) {
    const std::size_t shown = std::min<std::uint64_t>(*length, kRefusalBodyMax);
    if (body.size() < shown) return UpgradeIncomplete{};
    body = body.substr(0, shown);
  }
  return UpgradeRefusal{
      parser.get().result_int(), std::string(body.substr(0, kRefusalBodyMax)), {}};
}

Refused check_response(const Parser::value_type& response, Bytes key,
                       const std::vector<std::string>& offered, UpgradeAccepted& out) {
  if (!list_has(response, http::field::upgrade, "websocket"))
    return failed("The server's 101 response lacks Upgrade: websocket.");
  if (!list_has(response, http::field::connection, "upgrade"))
    return failed("The server's 101 response lacks Connection: Upgrade.");
  const auto accept = response.equal_range(http::field::sec_websocket_accept);
  if (accept.first == accept.second || std::next(accept.first) != accept.second ||
      view(accept.first->value()) != accept_for_key(key))
    return failed(
        "Sec-WebSocket-Accept does not fit the key: a cache or a server that does not "
        "speak WebSocket answered.");
  if (!view(response[http::field::sec_websocket_extensions]).empty())
    return failed("The server chose an extension that was not offered.");
  const auto chosen = response.equal_range(http::field::sec_websocket_protocol);
  if (chosen.first == chosen.second) return {};
  if (std::next(chosen.first) != chosen.second)
    return failed("The server chose more than one subprotocol.");
  out.subprotocol = view(chosen.first->value());
  if (std::find(offered.begin(), offered.end(), out.subprotocol) == offered.end())
    return failed("The server chose the subprotocol '" + out.subprotocol +
                  "', which was not offered.");
  return {};
}

}  // namespace

std::string encode_upgrade_request(Bytes host, Bytes target,
                                   const std::vector<std::string>& subprotocols, Bytes key) {
  std::string out = "GET ";
  out.append(target).append(" HTTP/1.1\r\nHost: ").append(host);
  out.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
  out.append("Sec-WebSocket-Key: ").append(key).append("\r\n");
  for (std::size_t i = 0; i < subprotocols.size(); ++i)
    out.append(i == 0 ? "Sec-WebSocket-Protocol: " : ", ").append(subprotocols[i]);
  if (!subprotocols.empty()) out.append("\r\n");
  return out.append("\r\n");
}

UpgradeResponseResult parse_upgrade_response(Bytes received, Bytes key,
                                             const std::vector<std::string>& offered) {
  if (received.empty()) return UpgradeIncomplete{};
  if (Refused refused = check_beginning(received)) return *refused;
  const std::size_t end = received.find(kHeadEnd);
  const bool whole = end != Bytes::npos;
  const std::size_t head_size = whole ? end + kHeadEnd.size() : received.size();
  if (head_size > kUpgradeHeaderBytesMax)
    return failed("The header of the server's response is larger than " +
                  std::to_string(kUpgradeHeaderBytesMax) + " bytes.");
  if (!whole) return UpgradeIncomplete{};

  Parser parser;
  parser.header_limit(kUpgradeHeaderBytesMax);
  parser.body_limit(
      std::numeric_limits<std::uint64_t>::max());  // of a body only the beginning is looked at
  beast::error_code error;
  parser.put(boost::asio::buffer(received.data(), head_size), error);
  if (error && error != http::error::unexpected_body)
    return failed("The server's response is not valid HTTP: " + error.message() + ".");
  if (parser.get().result_int() != 101)
    return refusal_of_server(parser, received.substr(head_size));
  UpgradeAccepted out;
  if (Refused refused = check_response(parser.get(), key, offered, out)) return *refused;
  out.consumed = head_size;
  return out;
}

}  // namespace ringcast::wire
