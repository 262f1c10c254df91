// What a Session is made of: its state, what it waits for, and a handler per message. Private to
// client/session*.cpp; on the session's thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <string>
#include <unordered_map>

#include "client/session.h"
#include "client/ws_transport.h"
#include "wire/decode.h"

namespace ringcast::client {

// "wamp.error.x: text", the text being what the broker said for people, if it said anything.
std::string uri_and_text(std::string_view uri, std::string_view text);
std::string_view remedy_for_uri(std::string_view uri);

class Session::Impl : public std::enable_shared_from_this<Session::Impl> {
 public:
  using Done = std::function<void(const IdOrFailure&)>;
  using OnEvent = std::function<void(const Event&)>;
  using OnAnswer = std::function<void(const Answer&)>;

  Impl(boost::asio::io_context& context, Options options, Handlers handlers);

  // session.cpp
  void open();
  void close();
  void abandon();
  wire::Serializer serializer() const { return options_.serializer; }
  std::size_t queued_bytes() const { return transport_ ? transport_->queued_bytes() : 0; }

  // session_pubsub.cpp
  void subscribe(std::string_view topic, const wire::SubscribeOptions& options, OnEvent on_event,
                 Done on_done);
  void publish(std::string_view topic, const wire::Payload& payload, Done on_done);

  // session_rpc.cpp
  std::uint64_t call(std::string_view procedure, const wire::CallOptions& options,
                     const wire::Payload& payload, OnAnswer on_answer);
  void cancel(std::uint64_t call, wire::CancelMode mode);
  void register_procedure(std::string_view procedure, const wire::RegisterOptions& options,
                          Procedure handlers, Done on_done);
  void unregister(std::uint64_t registration, Done on_done);
  void yield(std::uint64_t invocation, const wire::YieldOptions& options,
             const wire::Payload& payload);
  void fail_invocation(std::uint64_t invocation, std::string_view uri,
                       const wire::Payload& payload);

 private:
  enum class State : std::uint8_t {
    opening,  // up to WELCOME
    joined,
    leaving,  // GOODBYE or ABORT was sent or received; only the end is awaited
    ended,
  };
  struct PendingSubscribe {
    std::string topic;
    OnEvent on_event;
    Done on_done;
  };
  struct Subscription {
    std::string topic;
    OnEvent on_event;
  };
  struct PendingRegister {
    std::string procedure;
    Procedure handlers;
    Done on_done;
  };
  struct Registration {
    std::string procedure;
    Procedure handlers;
  };
  struct PendingUnregister {
    std::uint64_t registration;
    Done on_done;
  };

  // session.cpp
  void say_hello(const std::string& subprotocol);
  void take(wire::Opcode opcode, wire::Bytes bytes);
  void on(const wire::Welcome& welcome);
  void on(const wire::Abort& abort);
  void on(const wire::Challenge& challenge);
  void on(const wire::Goodbye& goodbye);
  void on(const wire::Error& error);
  template <typename Other>
  void on(const Other& other) {
    if (state_ == State::leaving) return;
    unexpected(wire::message_name(wire::type_of(wire::Message(other))));
  }
  void unexpected(std::string_view name);
  void answer_to_nothing(std::string_view name);
  void violation(std::string_view what, std::uint16_t code = 1002);
  void fail(Failure failure, std::uint16_t code);
  void give_up_login(Failure failure);
  void send();
  void arm_timer(std::chrono::milliseconds after);
  Failure not_joined() const;
  void finish(const std::optional<Failure>& failure);
  void settle_pending(const Failure& reason);
  // The text that brokers put into ERROR for people: its first argument, if that is a string.
  std::string first_argument(const wire::Payload& payload) const;

  // session_pubsub.cpp
  void on(const wire::Subscribed& subscribed);
  void on(const wire::Published& published);
  void on(const wire::Event& event);

  // session_rpc.cpp
  void on(const wire::Result& result);
  void on(const wire::Registered& registered);
  void on(const wire::Unregistered& unregistered);
  void on(const wire::Invocation& invocation);
  void on(const wire::Interrupt& interrupt);
  bool end_call(std::uint64_t request, const Answer& answer);  // false: there is none
  bool answer_invocation(std::uint64_t invocation);            // false: none is waiting

  const Options options_;
  const Handlers handlers_;
  boost::asio::io_context& context_;
  boost::asio::steady_timer timer_;
  wire::Decoder decoder_;
  std::unique_ptr<WsTransport> transport_;
  std::string outgoing_;  // one message being encoded
  std::uint64_t last_request_ = 0;
  // What waits for the broker's answer, by request.
  std::unordered_map<std::uint64_t, PendingSubscribe> subscribing_;
  std::unordered_map<std::uint64_t, Done> publishing_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const OnAnswer>> calls_;
  std::unordered_map<std::uint64_t, PendingRegister> registering_;
  std::unordered_map<std::uint64_t, PendingUnregister> unregistering_;
  // What the broker gave, by id. Shared, as what they hold outlives its own callback.
  std::unordered_map<std::uint64_t, std::shared_ptr<Subscription>> subscriptions_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Registration>> registrations_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Registration>> invocations_;  // not answered
  std::optional<Failure> failure_;  // why the session ends, once that is known
  State state_ = State::opening;
  bool goodbye_answered_ = false;  // true once the broker answered our GOODBYE
  bool abandoned_ = false;
};

}  // namespace ringcast::client
