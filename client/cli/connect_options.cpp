#include "client/cli/connect_options.h"

#include <utility>

#include "client/cli/secret.h"
#include "client/cli/words.h"

namespace ringcast::cli {

using client::Failure;

void ConnectOptions::add_to(CLI::App& command) {
  typed(command.add_option("--url", url, "the broker's WebSocket URL"))
      ->capture_default_str()
      ->envname("RINGCAST_URL");
  typed(command.add_option("--realm", realm, "the realm to join"))->capture_default_str();
  command.add_option("--serializer", serializer, "how messages are encoded")
      ->capture_default_str()
      ->check(CLI::IsMember({"msgpack", "json"}));
  const std::string group = "Login (no secret is ever taken from the command line)";
  typed(command.add_option("--authid", authid, "log in as this principal"))->group(group);
  CLI::Option* ticket =
      typed(command.add_option("--ticket-file", ticket_file,
                               "with the ticket or JSON Web Token in FILE (- is standard input)"));
  CLI::Option* secret = typed(command.add_option(
      "--secret-file", secret_file,
      "with the password in FILE, which stays here: wamp-scram, scram or wampcra"));
  CLI::Option* key = typed(command.add_option("--key-file", key_file,
                                              "with the Ed25519 private key in FILE: cryptosign"));
  for (CLI::Option* option : {ticket, secret, key}) option->group(group)->type_name("FILE");
  ticket->excludes(secret)->excludes(key);
  secret->excludes(key);
  command.add_option("--authmethod", authmethod, "by this method only")
      ->group(group)
      ->check(CLI::IsMember({"ticket", "wampcra", "cryptosign", "wamp-scram", "scram"}));
}

std::variant<std::shared_ptr<client::Login>, Failure> ConnectOptions::login() const {
  const bool has_proof = !(ticket_file.empty() && secret_file.empty() && key_file.empty());
  if (authid.empty() && !has_proof && authmethod.empty()) return std::shared_ptr<client::Login>();
  // A token or a public key may say by itself who its bearer is; a password does not.
  if (!has_proof || (authid.empty() && !secret_file.empty())) {
    return Failure{Failure::Kind::input, "to log in takes an authid and a proof",
                   "give --authid and one of --ticket-file, --secret-file and --key-file"};
  }
  client::Principal principal;
  principal.authid = authid;
  if (!authmethod.empty()) principal.only = auth::method_by_name(authmethod);
  if (!key_file.empty()) {
    auto seed = read_cryptosign_key(key_file);
    if (auto* failure = std::get_if<Failure>(&seed)) return std::move(*failure);
    principal.proof = client::PrivateKey{std::get<auth::Bytes32>(seed)};
  } else {
    auto secret = read_secret_line(ticket_file.empty() ? secret_file : ticket_file);
    if (auto* failure = std::get_if<Failure>(&secret)) return std::move(*failure);
    std::string& text = std::get<std::string>(secret);
    if (ticket_file.empty()) {
      principal.proof = client::Password{std::move(text)};
    } else {
      principal.proof = client::Ticket{std::move(text)};
    }
  }
  auto login = client::Login::begin(std::move(principal));
  if (auto* failure = std::get_if<Failure>(&login)) return std::move(*failure);
  return std::shared_ptr<client::Login>(std::get<std::unique_ptr<client::Login>>(std::move(login)));
}

std::variant<client::Session::Options, Failure> ConnectOptions::session_options() const {
  auto parsed = client::parse_ws_url(url);
  if (auto* failure = std::get_if<Failure>(&parsed)) return std::move(*failure);
  client::Session::Options options;
  options.url = std::get<client::WsUrl>(parsed);
  options.realm = realm;
  options.serializer = serializer == "json" ? wire::Serializer::json : wire::Serializer::msgpack;
  auto proof = login();
  if (auto* failure = std::get_if<Failure>(&proof)) return std::move(*failure);
  options.login = std::get<std::shared_ptr<client::Login>>(std::move(proof));
  return options;
}

}  // namespace ringcast::cli
