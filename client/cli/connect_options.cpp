#include "client/cli/connect_options.h"

namespace ringcast::cli {

void ConnectOptions::add_to(CLI::App& command) {
  command.add_option("--url", url, "the broker's WebSocket URL")
      ->capture_default_str()
      ->envname("RINGCAST_URL");
  command.add_option("--realm", realm, "the realm to join")->capture_default_str();
  command.add_option("--serializer", serializer, "how messages are encoded")
      ->capture_default_str()
      ->check(CLI::IsMember({"msgpack", "json"}));
}

std::variant<client::Session::Options, client::Failure> ConnectOptions::session_options() const {
  auto parsed = client::parse_ws_url(url);
  if (auto* failure = std::get_if<client::Failure>(&parsed)) return std::move(*failure);
  client::Session::Options options;
  options.url = std::get<client::WsUrl>(parsed);
  options.realm = realm;
  options.serializer = serializer == "json" ? wire::Serializer::json : wire::Serializer::msgpack;
  return options;
}

}  // namespace ringcast::cli
