// Where a broker is: ws://host[:port][/path][?query]. Stateless; any thread.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "client/failure.h"

namespace ringcast::client {

struct WsUrl {
  std::string host;  // a name or an address, without the brackets of IPv6
  std::string port;  // decimal
  std::string target = "/";

  // host:port as a Host header and a message to a person have it, with the brackets of IPv6.
  std::string authority() const;
};

std::variant<WsUrl, Failure> parse_ws_url(std::string_view text);

}  // namespace ringcast::client
