// One WAMP session with a broker: joins a realm, logging in if it has to, subscribes, publishes,
// calls, registers, leaves. No reconnection: when it ends it says why and is over.
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
#include "client/login.h"
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
    std::shared_ptr<Login> login;                    // none: as anybody. For one session only.
    std::chrono::milliseconds open_timeout{10'000};  // from open() to on_open
    std::chrono::milliseconds close_timeout{3'000};  // from close() to on_closed
  };

  // Views are valid during the call. The payload is in the session's serializer.
  struct Event {
    std::string_view topic;  // as published
    std::uint64_t subscription = 0;
    std::uint64_t publication = 0;
    wire::Payload payload;
  };

  // An id that the broker gave, or why it gave none.
  using IdOrFailure = std::variant<std::uint64_t, Failure>;

  // What a call is answered with. Views are valid during the call of the handler; payloads are in
  // the session's serializer.
  struct Result {
    bool progress = false;  // more will come
    wire::Payload payload;
  };
  struct CallError {
    std::string_view uri;
    wire::Payload payload;
  };
  using Answer = std::variant<Result, CallError, Failure>;

  struct Invocation {
    std::uint64_t id = 0;        // for yield(), fail_invocation() and on_interrupt
    std::string_view procedure;  // as called
    wire::InvocationDetails details;
    wire::Payload payload;
  };
  struct Procedure {
    std::function<void(const Invocation&)> on_invocation;
    // Nobody waits for the answer any more, or the router will not wait much longer. One answer is
    // due all the same.
    std::function<void(std::uint64_t invocation, std::string_view reason)> on_interrupt;
    // The broker took the registration away: no more invocations of it.
    std::function<void(std::string_view reason)> on_revoked;
  };

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
  void subscribe(std::string_view topic, const wire::SubscribeOptions& options,
                 std::function<void(const Event&)> on_event,
                 std::function<void(const IdOrFailure&)> on_done);

  // With `on_done` the publication is acknowledged and on_done called exactly once, as above.
  // Without it nothing more is heard of it. `payload` is in the session's serializer.
  void publish(std::string_view topic, const wire::Payload& payload,
               std::function<void(const IdOrFailure&)> on_done);

  // `on_answer` is called for each progressive result, and then exactly once with what ends the
  // call: its result, its error, or why the session ended first. The number is for cancel().
  std::uint64_t call(std::string_view procedure, const wire::CallOptions& options,
                     const wire::Payload& payload, std::function<void(const Answer&)> on_answer);
  // Asks for an end of the call; on_answer hears of it. Nothing happens if it has ended.
  void cancel(std::uint64_t call, wire::CancelMode mode);

  // `on_done` as above, with the registration id before its first invocation. Each invocation is to
  // be answered exactly once, by yield() without progress or by fail_invocation().
  void register_procedure(std::string_view procedure, const wire::RegisterOptions& options,
                          Procedure handlers, std::function<void(const IdOrFailure&)> on_done);
  // `on_done`, called exactly once, gets the registration's id again.
  void unregister(std::uint64_t registration, std::function<void(const IdOrFailure&)> on_done);
  void yield(std::uint64_t invocation, const wire::YieldOptions& options,
             const wire::Payload& payload);
  void fail_invocation(std::uint64_t invocation, std::string_view uri,
                       const wire::Payload& payload);

  wire::Serializer serializer() const;
  std::size_t queued_bytes() const;  // what the kernel has not yet taken

  // Leaves with GOODBYE. The broker's answer comes after it has taken everything sent before.
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ringcast::client
