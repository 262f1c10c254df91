// The options that every command of ringcast-cli has: which broker, which realm, which serializer.
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

  void add_to(CLI::App& command);
  std::variant<client::Session::Options, client::Failure> session_options() const;
};

}  // namespace ringcast::cli
