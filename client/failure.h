// Why something did not work, as a value: the cause, and what the person who reads it can do.
#pragma once

#include <cstdint>
#include <string>

namespace ringcast::client {

struct Failure {
  enum class Kind : std::uint8_t {
    input,     // what the caller gave is not usable: a URL, a topic, a line of input
    network,   // no connection, or it was lost
    timeout,   // the other side did not answer in time
    protocol,  // the other side broke WebSocket or WAMP
    refused,   // the broker said no: HTTP status, ABORT or ERROR
    closed,    // the broker ended the session: GOODBYE or a close frame
  };
  Kind kind = Kind::network;
  std::string cause;
  std::string remedy;  // may be empty
};

}  // namespace ringcast::client
