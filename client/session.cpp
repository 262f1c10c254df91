#include "client/session.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "client/session_impl.h"
#include "wire/encode.h"
#include "wire/transcode.h"
#include "wire/uri.h"

namespace ringcast::client {
namespace {

namespace asio = boost::asio;

constexpr const char* kAgent = "ringcast-client-" RINGCAST_VERSION;

// What Session can do, and no more: a router relies on it.
void announce_roles(wire::HelloDetails& details) {
  using wire::Feature;
  for (wire::ClientRole* role :
       {&details.publisher, &details.subscriber, &details.caller, &details.callee}) {
    role->announced = true;
  }
  details.subscriber.features.set(Feature::pattern_based_subscription);
  for (const Feature feature : {Feature::call_canceling, Feature::call_timeout,
                                Feature::caller_identification, Feature::progressive_call_results})
    details.caller.features.set(feature);
  for (const Feature feature :
       {Feature::call_canceling, Feature::call_timeout, Feature::caller_identification,
        Feature::pattern_based_registration, Feature::progressive_call_results,
        Feature::registration_revocation, Feature::shared_registration})
    details.callee.features.set(feature);
}

}  // namespace

std::string_view remedy_for_uri(std::string_view uri) {
  if (uri == wire::uri::kNoSuchRealm)
    return "check --realm against the realms that the broker serves";
  if (uri == wire::uri::kInvalidUri) {
    return "a topic is components without white space or '#', joined by single dots, and not below "
           "wamp.";
  }
  if (uri == wire::uri::kNotAuthorized) return "ask the broker's operator for the permission";
  if (uri == wire::uri::kNoAuthMethod || uri == wire::uri::kAuthenticationRequired)
    return "log in by a method that the realm takes: --authid with --ticket-file, --secret-file or "
           "--key-file";
  if (uri == wire::uri::kAuthenticationFailed || uri == wire::uri::kAuthenticationDenied ||
      uri == wire::uri::kNoSuchPrincipal)
    return "check the authid and its secret, and whether the realm has such a principal";
  if (uri == wire::uri::kProcedureAlreadyExists)
    return "another callee has it; share it with the same --invoke on both, or use another name";
  if (uri == wire::uri::kSystemShutdown) return "the broker is stopping; connect again later";
  return "the broker's log has the details";
}

std::string uri_and_text(std::string_view uri, std::string_view text) {
  return text.empty() ? std::string(uri) : fmt::format("{}: {}", uri, text);
}

Session::Impl::Impl(asio::io_context& context, Options options, Handlers handlers)
    : options_(std::move(options)),
      handlers_(std::move(handlers)),
      context_(context),
      timer_(context),
      decoder_(options_.serializer) {}

void Session::Impl::open() {
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

void Session::Impl::close() {
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

void Session::Impl::abandon() {
  abandoned_ = true;
  state_ = State::ended;
  timer_.cancel();
  transport_.reset();
}

void Session::Impl::say_hello(const std::string& subprotocol) {
  if (wire::serializer_for_subprotocol(subprotocol) != options_.serializer) {
    return fail({Failure::Kind::protocol,
                 fmt::format("{}{} chose no WAMP subprotocol", options_.url.authority(),
                             options_.url.target),
                 "check that the URL's path is the broker's WAMP endpoint"},
                1002);
  }
  wire::HelloDetails details;
  if (options_.login) details = options_.login->hello(options_.serializer);
  announce_roles(details);
  wire::append_hello(outgoing_, options_.serializer, options_.realm, kAgent, details);
  send();
  arm_timer(options_.open_timeout);
}

void Session::Impl::take(wire::Opcode opcode, wire::Bytes bytes) {
  if (opcode != wire::frame_opcode(options_.serializer)) {
    return violation("a frame of the wrong kind for the subprotocol", 1003);
  }
  const wire::DecodeResult& result = decoder_.decode(bytes);
  if (const auto* broken = std::get_if<wire::Violation>(&result)) return violation(broken->message);
  std::visit([this](const auto& value) { on(value); }, std::get<wire::Message>(result));
}

void Session::Impl::on(const wire::Welcome& welcome) {
  if (state_ == State::leaving) return;
  if (state_ != State::opening) return violation("WELCOME in a session");
  if (options_.login) {
    if (auto failure = options_.login->check(options_.serializer, welcome))
      return give_up_login(*std::move(failure));
  }
  timer_.cancel();
  state_ = State::joined;
  handlers_.on_open(welcome.session);
}

void Session::Impl::on(const wire::Challenge& challenge) {
  if (state_ == State::leaving) return;
  if (state_ != State::opening || !options_.login)
    return violation("CHALLENGE where nobody logs in");
  if (auto failure = options_.login->answer(outgoing_, options_.serializer, challenge))
    return give_up_login(*std::move(failure));
  send();
  arm_timer(options_.open_timeout);
}

void Session::Impl::on(const wire::Abort& abort) {
  if (state_ == State::leaving) return;
  Failure failure{
      Failure::Kind::refused,
      fmt::format("the broker refused the session: {}", uri_and_text(abort.reason, abort.message)),
      std::string(remedy_for_uri(abort.reason))};
  fail(std::move(failure), 1000);
}

void Session::Impl::on(const wire::Goodbye& goodbye) {
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

void Session::Impl::on(const wire::Error& error) {
  using wire::MessageType;
  const auto is = [&error](MessageType type) {
    return error.request_type == static_cast<std::uint64_t>(type);
  };
  if (is(MessageType::call) && end_call(error.request, CallError{error.error, error.payload}))
    return;
  const Failure failure{Failure::Kind::refused,
                        uri_and_text(error.error, first_argument(error.payload)),
                        std::string(remedy_for_uri(error.error))};
  if (is(MessageType::subscribe)) {
    auto found = subscribing_.extract(error.request);
    if (!found.empty()) return found.mapped().on_done(failure);
  } else if (is(MessageType::publish)) {
    auto found = publishing_.extract(error.request);
    if (!found.empty()) return found.mapped()(failure);
  } else if (is(MessageType::register_)) {
    auto found = registering_.extract(error.request);
    if (!found.empty()) return found.mapped().on_done(failure);
  } else if (is(MessageType::unregister)) {
    auto found = unregistering_.extract(error.request);
    if (!found.empty()) return found.mapped().on_done(failure);
  }
  answer_to_nothing("ERROR");
}

std::string Session::Impl::first_argument(const wire::Payload& payload) const {
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

void Session::Impl::unexpected(std::string_view name) {
  violation(fmt::format("an unexpected {}", name));
}

void Session::Impl::answer_to_nothing(std::string_view name) {
  if (state_ == State::leaving) return;
  violation(fmt::format("{} for something that was not asked for", name));
}

void Session::Impl::violation(std::string_view what, std::uint16_t code) {
  if (state_ == State::leaving || state_ == State::ended) return;
  wire::append_abort(outgoing_, options_.serializer, wire::uri::kProtocolViolation, what);
  send();
  fail({Failure::Kind::protocol,
        fmt::format("{} broke the WAMP protocol: {}", options_.url.authority(), what),
        "compare the versions of client and broker"},
       code);
}

// Ends the session for `failure`; on_closed follows when the connection has ended.
void Session::Impl::fail(Failure failure, std::uint16_t code) {
  failure_ = std::move(failure);
  state_ = State::leaving;
  transport_->close(code, {});
}

// The broker is told that we leave, not why: it may be an impostor.
void Session::Impl::give_up_login(Failure failure) {
  outgoing_.clear();
  wire::append_abort(outgoing_, options_.serializer, wire::uri::kAuthenticationFailed, {});
  send();
  fail(std::move(failure), 1000);
}

void Session::Impl::send() {
  transport_->send(wire::frame_opcode(options_.serializer), outgoing_);
  outgoing_.clear();
}

void Session::Impl::arm_timer(std::chrono::milliseconds after) {
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

Failure Session::Impl::not_joined() const {
  return failure_.value_or(
      Failure{Failure::Kind::closed, "the session is not open", "wait until it is open"});
}

// Settles what is pending, then reports the end: each exactly once.
void Session::Impl::finish(const std::optional<Failure>& failure) {
  if (state_ == State::ended) return;
  state_ = State::ended;
  timer_.cancel();
  if (failure) failure_ = failure;
  const auto self = shared_from_this();  // a handler may destroy the session
  settle_pending(not_joined());
  if (!abandoned_) handlers_.on_closed(failure);
}

void Session::Impl::settle_pending(const Failure& reason) {
  for (auto& [request, pending] : std::exchange(subscribing_, {})) {
    if (!abandoned_) pending.on_done(reason);
  }
  for (auto& [request, on_done] : std::exchange(publishing_, {})) {
    if (!abandoned_) on_done(reason);
  }
  for (auto& [request, on_answer] : std::exchange(calls_, {})) {
    if (!abandoned_) (*on_answer)(reason);
  }
  for (auto& [request, pending] : std::exchange(registering_, {})) {
    if (!abandoned_) pending.on_done(reason);
  }
  for (auto& [request, pending] : std::exchange(unregistering_, {})) {
    if (!abandoned_) pending.on_done(reason);
  }
}

Session::Session(asio::io_context& context, Options options, Handlers handlers)
    : impl_(std::make_shared<Impl>(context, std::move(options), std::move(handlers))) {}

Session::~Session() { impl_->abandon(); }

void Session::open() { impl_->open(); }

wire::Serializer Session::serializer() const { return impl_->serializer(); }

std::size_t Session::queued_bytes() const { return impl_->queued_bytes(); }

void Session::close() { impl_->close(); }

}  // namespace ringcast::client
