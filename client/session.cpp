#include "client/session.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "client/ws_transport.h"
#include "wire/decode.h"
#include "wire/encode.h"
#include "wire/transcode.h"
#include "wire/uri.h"

namespace ringcast::client {
namespace {

namespace asio = boost::asio;

constexpr const char* kAgent = "ringcast-client-" RINGCAST_VERSION;

std::string_view remedy_for_uri(std::string_view uri) {
  if (uri == wire::uri::kNoSuchRealm)
    return "check --realm against the realms that the broker serves";
  if (uri == wire::uri::kInvalidUri) {
    return "a topic is components without white space or '#', joined by single dots, and not below "
           "wamp.";
  }
  if (uri == wire::uri::kNotAuthorized) return "ask the broker's operator for the permission";
  if (uri == wire::uri::kNoAuthMethod)
    return "the broker wants an authentication that was not offered";
  if (uri == wire::uri::kSystemShutdown) return "the broker is stopping; connect again later";
  return "the broker's log has the details";
}

// "wamp.error.x: text", the text being what the broker said for people, if it said anything.
std::string uri_and_text(std::string_view uri, std::string_view text) {
  return text.empty() ? std::string(uri) : fmt::format("{}: {}", uri, text);
}

}  // namespace

class Session::Impl : public std::enable_shared_from_this<Session::Impl> {
 public:
  Impl(asio::io_context& context, Options options, Handlers handlers)
      : options_(std::move(options)),
        handlers_(std::move(handlers)),
        context_(context),
        timer_(context),
        decoder_(options_.serializer) {}

  void open() {
    WsTransport::Options transport_options;
    transport_options.url = options_.url;
    transport_options.subprotocols = {std::string(wire::subprotocol_name(options_.serializer))};
    transport_options.open_timeout = options_.open_timeout;
    transport_options.close_timeout = options_.close_timeout;
    // Locked for the length of each call: a handler may destroy the session that called it.
    const std::weak_ptr<Impl> weak = weak_from_this();
    WsTransport::Handlers transport_handlers;
    transport_handlers.on_open = [weak](const std::string& subprotocol) {
      if (const auto self = weak.lock()) self->say_hello(subprotocol);
    };
    transport_handlers.on_message = [weak](wire::Opcode opcode, wire::Bytes bytes) {
      if (const auto self = weak.lock()) self->take(opcode, bytes);
    };
    transport_handlers.on_drained = [weak] {
      const auto self = weak.lock();
      if (self && self->state_ == State::joined && self->handlers_.on_drained) {
        self->handlers_.on_drained();
      }
    };
    transport_handlers.on_closed = [weak](const std::optional<Failure>& failure) {
      const auto self = weak.lock();
      if (!self) return;
      if (self->goodbye_answered_) return self->finish(std::nullopt);
      self->finish(self->failure_ ? self->failure_ : failure);
    };
    transport_ = std::make_unique<WsTransport>(context_, std::move(transport_options),
                                               std::move(transport_handlers));
    transport_->open();
  }

  void subscribe(std::string_view topic, std::function<void(const Event&)> on_event,
                 std::function<void(const IdOrFailure&)> on_done) {
    if (state_ != State::joined) return on_done(not_joined());
    const std::uint64_t request = ++last_request_;
    wire::append_subscribe(outgoing_, options_.serializer, request, topic);
    subscribing_.emplace(
        request, PendingSubscribe{std::string(topic), std::move(on_event), std::move(on_done)});
    send();
  }

  void publish(std::string_view topic, const wire::Payload& payload,
               std::function<void(const IdOrFailure&)> on_done) {
    if (state_ != State::joined) {
      if (on_done) on_done(not_joined());
      return;
    }
    const std::uint64_t request = ++last_request_;
    wire::PublishOptions publish_options;
    publish_options.acknowledge = static_cast<bool>(on_done);
    wire::append_publish(outgoing_, options_.serializer, request, publish_options, topic, payload);
    if (on_done) publishing_.emplace(request, std::move(on_done));
    send();
  }

  wire::Serializer serializer() const { return options_.serializer; }
  std::size_t queued_bytes() const { return transport_ ? transport_->queued_bytes() : 0; }

  void close() {
    if (state_ == State::ended || state_ == State::leaving) return;
    if (state_ != State::joined) {
      state_ = State::leaving;
      if (transport_) return transport_->close(1000, {});
      return finish(std::nullopt);
    }
    state_ = State::leaving;
    wire::append_goodbye(outgoing_, options_.serializer, wire::uri::kCloseRealm, {});
    send();
    arm_timer(options_.close_timeout);
  }

  void abandon() {
    abandoned_ = true;
    state_ = State::ended;
    timer_.cancel();
    transport_.reset();
  }

 private:
  enum class State : std::uint8_t {
    opening,  // up to WELCOME
    joined,
    leaving,  // GOODBYE or ABORT was sent or received; only the end is awaited
    ended,
  };
  struct PendingSubscribe {
    std::string topic;
    std::function<void(const Event&)> on_event;
    std::function<void(const IdOrFailure&)> on_done;
  };
  struct Subscription {
    std::string topic;
    std::function<void(const Event&)> on_event;
  };

  void say_hello(const std::string& subprotocol) {
    if (wire::serializer_for_subprotocol(subprotocol) != options_.serializer) {
      return fail({Failure::Kind::protocol,
                   fmt::format("{}{} chose no WAMP subprotocol", options_.url.authority(),
                               options_.url.target),
                   "check that the URL's path is the broker's WAMP endpoint"},
                  1002);
    }
    wire::append_hello(outgoing_, options_.serializer, options_.realm, kAgent);
    send();
    arm_timer(options_.open_timeout);
  }

  void take(wire::Opcode opcode, wire::Bytes bytes) {
    if (opcode != wire::frame_opcode(options_.serializer)) {
      return violation("a frame of the wrong kind for the subprotocol", 1003);
    }
    const wire::DecodeResult result = decoder_.decode(bytes);
    if (const auto* broken = std::get_if<wire::Violation>(&result))
      return violation(broken->message);
    const wire::Message& message = std::get<wire::Message>(result);
    std::visit([this](const auto& value) { on(value); }, message);
  }

  void on(const wire::Welcome& welcome) {
    if (state_ != State::opening) return violation("WELCOME in a session");
    timer_.cancel();
    state_ = State::joined;
    handlers_.on_open(welcome.session);
  }

  void on(const wire::Abort& abort) {
    if (state_ == State::leaving) return;
    Failure failure{Failure::Kind::refused,
                    fmt::format("the broker refused the session: {}",
                                uri_and_text(abort.reason, abort.message)),
                    std::string(remedy_for_uri(abort.reason))};
    fail(std::move(failure), 1000);
  }

  void on(const wire::Goodbye& goodbye) {
    if (state_ == State::leaving) {
      goodbye_answered_ = !failure_;
      return transport_->close(1000, {});
    }
    if (state_ != State::joined) return violation("GOODBYE before WELCOME");
    wire::append_goodbye(outgoing_, options_.serializer, wire::uri::kGoodbyeAndOut, {});
    send();
    fail({Failure::Kind::closed, fmt::format("the broker ended the session: {}", goodbye.reason),
          std::string(remedy_for_uri(goodbye.reason))},
         1000);
  }

  void on(const wire::Subscribed& subscribed) {
    auto found = subscribing_.extract(subscribed.request);
    if (found.empty()) return answer_to_nothing("SUBSCRIBED");
    PendingSubscribe& pending = found.mapped();
    subscriptions_.insert_or_assign(subscribed.subscription,
                                    std::make_shared<Subscription>(Subscription{
                                        std::move(pending.topic), std::move(pending.on_event)}));
    pending.on_done(subscribed.subscription);
  }

  void on(const wire::Published& published) {
    auto found = publishing_.extract(published.request);
    if (found.empty()) return answer_to_nothing("PUBLISHED");
    found.mapped()(published.publication);
  }

  void on(const wire::Event& event) {
    if (state_ == State::leaving) return;
    const auto found = subscriptions_.find(event.subscription);
    if (found == subscriptions_.end()) return answer_to_nothing("EVENT");
    const std::shared_ptr<Subscription> subscription = found->second;  // outlives its own callback
    subscription->on_event(
        Event{subscription->topic, event.subscription, event.publication, event.payload});
  }

  void on(const wire::Error& error) {
    const std::string text = first_argument(error.payload);
    const Failure failure{Failure::Kind::refused, uri_and_text(error.error, text),
                          std::string(remedy_for_uri(error.error))};
    if (error.request_type == static_cast<std::uint64_t>(wire::MessageType::subscribe)) {
      auto found = subscribing_.extract(error.request);
      if (!found.empty()) return found.mapped().on_done(failure);
    } else if (error.request_type == static_cast<std::uint64_t>(wire::MessageType::publish)) {
      auto found = publishing_.extract(error.request);
      if (!found.empty()) return found.mapped()(failure);
    }
    answer_to_nothing("ERROR");
  }

  template <typename Other>
  void on(const Other& other) {
    if (state_ == State::leaving) return;
    violation(
        fmt::format("an unexpected {}", wire::message_name(wire::type_of(wire::Message(other)))));
  }

  // The text that brokers put into ERROR for people: its first argument, if that is a string.
  std::string first_argument(const wire::Payload& payload) const {
    std::string text(payload.args);
    if (options_.serializer != wire::Serializer::json) {
      text.clear();
      if (!wire::transcode(options_.serializer, wire::Serializer::json, payload.args, text))
        return {};
    }
    const auto args = nlohmann::json::parse(text, nullptr, false);
    if (!args.is_array() || args.empty() || !args[0].is_string()) return {};
    return args[0].get<std::string>();
  }

  void answer_to_nothing(std::string_view name) {
    if (state_ == State::leaving) return;
    violation(fmt::format("{} for something that was not asked for", name));
  }

  void violation(std::string_view what, std::uint16_t code = 1002) {
    if (state_ == State::leaving || state_ == State::ended) return;
    wire::append_abort(outgoing_, options_.serializer, wire::uri::kProtocolViolation, what);
    send();
    fail({Failure::Kind::protocol,
          fmt::format("{} broke the WAMP protocol: {}", options_.url.authority(), what),
          "compare the versions of client and broker"},
         code);
  }

  // Ends the session for `failure`; on_closed follows when the connection has ended.
  void fail(Failure failure, std::uint16_t code) {
    failure_ = std::move(failure);
    state_ = State::leaving;
    transport_->close(code, {});
  }

  void send() {
    transport_->send(wire::frame_opcode(options_.serializer), outgoing_);
    outgoing_.clear();
  }

  void arm_timer(std::chrono::milliseconds after) {
    timer_.expires_after(after);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (error || self->state_ == State::joined || self->state_ == State::ended) return;
      self->fail({Failure::Kind::timeout,
                  fmt::format("{} did not answer {}", self->options_.url.authority(),
                              self->state_ == State::opening ? "HELLO" : "GOODBYE"),
                  "the broker may be overloaded or stopped; its log has the details"},
                 1000);
    });
  }

  Failure not_joined() const {
    return failure_.value_or(
        Failure{Failure::Kind::closed, "the session is not open", "wait until it is open"});
  }

  // Settles what is pending, then reports the end: each exactly once.
  void finish(const std::optional<Failure>& failure) {
    if (state_ == State::ended) return;
    state_ = State::ended;
    timer_.cancel();
    if (failure) failure_ = failure;
    const auto self = shared_from_this();  // a handler may destroy the session
    const Failure reason = not_joined();
    for (auto& [request, pending] : std::exchange(subscribing_, {})) {
      if (!abandoned_) pending.on_done(reason);
    }
    for (auto& [request, on_done] : std::exchange(publishing_, {})) {
      if (!abandoned_) on_done(reason);
    }
    if (!abandoned_) handlers_.on_closed(failure);
  }

  const Options options_;
  const Handlers handlers_;
  asio::io_context& context_;
  asio::steady_timer timer_;
  wire::Decoder decoder_;
  std::unique_ptr<WsTransport> transport_;
  std::string outgoing_;  // one message being encoded
  std::uint64_t last_request_ = 0;
  std::unordered_map<std::uint64_t, PendingSubscribe> subscribing_;  // by request
  std::unordered_map<std::uint64_t, std::function<void(const IdOrFailure&)>>
      publishing_;                                                                  // by request
  std::unordered_map<std::uint64_t, std::shared_ptr<Subscription>> subscriptions_;  // by id
  std::optional<Failure> failure_;  // why the session ends, once that is known
  State state_ = State::opening;
  bool goodbye_answered_ = false;  // true once the broker answered our GOODBYE
  bool abandoned_ = false;
};

Session::Session(asio::io_context& context, Options options, Handlers handlers)
    : impl_(std::make_shared<Impl>(context, std::move(options), std::move(handlers))) {}

Session::~Session() { impl_->abandon(); }

void Session::open() { impl_->open(); }

void Session::subscribe(std::string_view topic, std::function<void(const Event&)> on_event,
                        std::function<void(const IdOrFailure&)> on_done) {
  impl_->subscribe(topic, std::move(on_event), std::move(on_done));
}

void Session::publish(std::string_view topic, const wire::Payload& payload,
                      std::function<void(const IdOrFailure&)> on_done) {
  impl_->publish(topic, payload, std::move(on_done));
}

wire::Serializer Session::serializer() const { return impl_->serializer(); }

std::size_t Session::queued_bytes() const { return impl_->queued_bytes(); }

void Session::close() { impl_->close(); }

}  // namespace ringcast::client
