#include "client/ws_url.h"

#include <fmt/format.h>

#include <charconv>

namespace ringcast::client {
namespace {

Failure bad_url(std::string_view text, std::string_view why) {
  return {Failure::Kind::input, fmt::format("'{}' is not a usable URL: {}", text, why),
          "write it as ws://HOST:PORT/PATH, for example ws://127.0.0.1:8080/ws"};
}

bool port_valid(std::string_view port) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  return error == std::errc{} && end == port.data() + port.size() && value >= 1 && value <= 65535;
}

}  // namespace

std::string WsUrl::authority() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::variant<WsUrl, Failure> parse_ws_url(std::string_view text) {
  constexpr std::string_view kScheme = "ws://";
  if (text.substr(0, 6) == "wss://") {
    return bad_url(text, "TLS (wss://) is not supported by this version");
  }
  if (text.substr(0, kScheme.size()) != kScheme)
    return bad_url(text, "it does not begin with ws://");
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F)
      return bad_url(text, "it has white space");
  }
  std::string_view rest = text.substr(kScheme.size());
  rest = rest.substr(0, rest.find('#'));
  const std::size_t authority_end = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, authority_end);
  WsUrl url;
  if (authority_end != std::string_view::npos) {
    url.target = rest.substr(authority_end);
    if (url.target.front() == '?') url.target.insert(0, "/");
  }
  if (authority.find('@') != std::string_view::npos) return bad_url(text, "it names a user");

  std::string_view port = "80";
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return bad_url(text, "a bracket is not closed");
    url.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
    if (!authority.empty() && authority.front() != ':')
      return bad_url(text, "no ':' before the port");
    if (!authority.empty()) port = authority.substr(1);
  } else {
    const std::size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  if (url.host.empty()) return bad_url(text, "it names no host");
  if (!port_valid(port)) return bad_url(text, "the port is not a number from 1 to 65535");
  url.port = port;
  return url;
}

}  // namespace ringcast::client
