// One WAMP session with a broker: joins a realm, subscribes, publishes, leaves. No reconnection:
// when it ends it says why and is over.
//
// Belongs to one io_context that one thread runs; every call and every handler is on that thread. A
// handler may call anything here, and may destroy the session.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "client/failure.h"
#include "client/ws_url.h"
#include "wire/message.h"
#include "wire/serializer.h"

namespace ringcast::client {

class Session {
 public:
  struct Options {
    WsUrl url;
    std::string realm = "realm1";
    wire::Serializer serializer = wire::Serializer::msgpack;
    std::chrono::milliseconds open_timeout{10'000};  // from open() to on_open
    std::chrono::milliseconds close_timeout{3'000};  // from close() to on_closed
  };

  // Views are valid during the call. The payload is in the session's serializer.
  struct Event {
    std::string_view topic;
    std::uint64_t subscription = 0;
    std::uint64_t publication = 0;
    wire::Payload payload;
  };

  // An id that the broker gave, or why it gave none.
  using IdOrFailure = std::variant<std::uint64_t, Failure>;

  struct Handlers {
    std::function<void(std::uint64_t session)> on_open;
    // Everything that was queued has been handed to the kernel.
    std::function<void()> on_drained;
    // Exactly once and last, unless the session is destroyed first. Empty after close() that went
    // well.
    std::function<void(const std::optional<Failure>&)> on_closed;
  };

  Session(boost::asio::io_context& context, Options options, Handlers handlers);
  ~Session();  // drops the connection; no handler is called any more
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void open();

  // The rest is for the time between on_open and on_closed; outside it a request fails at once.
  // `on_done` is called exactly once: with the subscription id before its first event, with the
  // broker's refusal, or, if the session ends before the answer, with the reason of that.
  void subscribe(std::string_view topic, std::function<void(const Event&)> on_event,
                 std::function<void(const IdOrFailure&)> on_done);

  // With `on_done` the publication is acknowledged and on_done called exactly once, as above.
  // Without it nothing more is heard of it. `payload` is in the session's serializer.
  void publish(std::string_view topic, const wire::Payload& payload,
               std::function<void(const IdOrFailure&)> on_done);

  wire::Serializer serializer() const;
  std::size_t queued_bytes() const;  // what the kernel has not yet taken

  // Leaves with GOODBYE. The broker's answer comes after it has taken everything sent before.
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ringcast::client
