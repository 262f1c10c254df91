// The options that every command that talks to a broker has: which broker, which realm, which
// serializer, and who we are.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <variant>

#include "client/failure.h"
#include "client/session.h"

namespace ringcast::cli {

struct ConnectOptions {
  std::string url = "ws://127.0.0.1:8080/ws";
  std::string realm = "realm1";
  std::string serializer = "msgpack";
  std::string authid;  // empty: as anybody
  std::string ticket_file;
  std::string secret_file;
  std::string key_file;
  std::string authmethod;  // empty: all that the proof serves

  void add_to(CLI::App& command);
  // Reads the file of the proof. For one session.
  std::variant<client::Session::Options, client::Failure> session_options() const;

 private:
  std::variant<std::shared_ptr<client::Login>, client::Failure> login() const;
};

}  // namespace ringcast::cli
