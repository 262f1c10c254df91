// One WebSocket connection to a broker, over Boost.Asio: name lookup, TCP, the upgrade, whole
// messages in both directions, pings answered, the closing handshake. Knows nothing of WAMP.
//
// Belongs to one io_context that one thread runs; every call and every handler is on that thread. A
// handler may call anything here, and may destroy the transport.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/failure.h"
#include "client/ws_url.h"
#include "wire/bytes.h"
#include "wire/frame_writer.h"

namespace ringcast::client {

class WsTransport {
 public:
  struct Options {
    WsUrl url;
    std::vector<std::string> subprotocols;
    std::chrono::milliseconds open_timeout{10'000};  // from open() to on_open
    std::chrono::milliseconds close_timeout{3'000};  // from close() to on_closed
  };

  struct Handlers {
    std::function<void(const std::string& subprotocol)> on_open;
    // The payload is valid during the call.
    std::function<void(wire::Opcode opcode, wire::Bytes payload)> on_message;
    // Everything that was queued has been handed to the kernel.
    std::function<void()> on_drained;
    // Exactly once and last, unless the transport is destroyed first. Empty after close() that went
    // well.
    std::function<void(const std::optional<Failure>&)> on_closed;
  };

  WsTransport(boost::asio::io_context& context, Options options, Handlers handlers);
  ~WsTransport();  // drops the connection; no handler is called any more
  WsTransport(const WsTransport&) = delete;
  WsTransport& operator=(const WsTransport&) = delete;

  void open();

  // Queues one message; dropped unless the connection is open. Queue no more than you want to wait
  // for: queued_bytes() says what the kernel has not yet taken.
  void send(wire::Opcode opcode, wire::Bytes payload);
  std::size_t queued_bytes() const;

  // Sends what is queued, then a close frame, and waits for the other side's.
  void close(std::uint16_t code, wire::Bytes reason);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ringcast::client
