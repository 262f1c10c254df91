// Sessions: HELLO to GOODBYE, the order of requests, and what breaks the protocol.
#include <cassert>

#include "ring/session_id.h"
#include "wire/encode.h"
#include "wire/uri.h"
#include "worker/client_quirks.h"
#include "worker/error_uris.h"
#include "worker/random_seed.h"
#include "worker/router.h"

namespace ringcast::worker {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// As the encoder takes them; views.
std::vector<wire::Member> members_of(const Extra& extra) {
  std::vector<wire::Member> members;
  for (const ExtraMember& member : extra) {
    if (const auto* text = std::get_if<std::string>(&member.value)) {
      members.push_back({member.name, wire::Bytes(*text)});
    } else {
      members.push_back({member.name, std::get<std::uint64_t>(member.value)});
    }
  }
  return members;
}

}  // namespace

Router::Router(ring::Segment& segment, std::uint32_t self, Transport& transport, Peers& peers,
               Background& background, const WorkerOptions& options)
    : segment_(segment),
      self_(self),
      transport_(transport),
      peers_(peers),
      background_(background),
      options_(options),
      counters_(segment.block(self).counters),
      realms_(options, segment),
      topics_(segment, self),
      outbox_(counters_),
      events_(segment, outbox_),
      home_(segment, self, peers, *this),
      login_(segment, self, transport, background, realms_, options, *this),
      retention_(segment, self, peers, *this),
      history_(counters_),
      rpc_(segment, self, transport, peers, realms_, events_),
      authorizer_(realms_, segment.header().session_key, counters_, *this),
      queries_(segment, self, peers, *this),
      procedures_(transport, options.queue_bytes_max / 2),
      registration_meta_(procedures_, queries_, rpc_, segment.header().session_key),
      history_meta_(procedures_, queries_, history_, realms_, segment.workers()),
      subscription_meta_(procedures_, queries_, segment, self, transport, topics_, home_, *this),
      session_meta_(procedures_, queries_, segment, self, transport, realms_, testaments_, *this),
      decoders_{wire::Decoder(wire::Serializer::json, {.depth_max = kDetailsDepthMax}),
                wire::Decoder(wire::Serializer::msgpack, {.depth_max = kDetailsDepthMax})},
      publication_ids_(random_seed()) {
  next_token_ = random_seed();
}

void Router::on_open(Connection& connection) { connection.session.emplace(); }

Taken Router::on_message(Connection& connection, bool binary, wire::Bytes bytes) {
  const bool expects_binary = wire::frame_opcode(connection.serializer) == wire::Opcode::binary;
  if (binary != expects_binary) {
    counters_.add(ring::Counter::protocol_violations);
    transport_.close(connection, 1003,
                     expects_binary ? "wamp.2.msgpack travels in binary frames"
                                    : "wamp.2.json travels in text frames");
    return Taken::yes;
  }
  auto& decoder = decoders_[static_cast<std::size_t>(connection.serializer)];
  const wire::DecodeResult& result = decoder.decode(bytes);
  if (const auto* broken = std::get_if<wire::Violation>(&result)) {
    violation(connection, broken->message);
    return Taken::yes;
  }
  return dispatch(connection, std::get<wire::Message>(result));
}

Taken Router::dispatch(Connection& connection, const wire::Message& message) {
  if (connection.session->state == Session::State::established) {
    return on_session_message(connection, message);
  }
  if (connection.session->state == Session::State::killed) {
    return on_killed_message(connection, message);
  }
  return on_first_message(connection, message);
}

// Invariant I5: before WELCOME nothing is accepted but HELLO, AUTHENTICATE, ABORT and GOODBYE; and
// AUTHENTICATE only once, as the answer to a CHALLENGE.
Taken Router::on_first_message(Connection& connection, const wire::Message& message) {
  const bool authenticating = connection.session->state == Session::State::authenticating;
  const auto* hello_message = std::get_if<wire::Hello>(&message);
  const auto* answer = std::get_if<wire::Authenticate>(&message);
  if (hello_message != nullptr && !authenticating) {
    hello(connection, *hello_message);
  } else if (answer != nullptr && login_.authenticate(connection, *answer)) {
    return Taken::yes;
  } else if (std::holds_alternative<wire::Abort>(message)) {
    transport_.close(connection, 1000, "aborted by the client");
  } else if (std::holds_alternative<wire::Goodbye>(message)) {
    goodbye(connection);
    transport_.close(connection, 1000, "goodbye");
  } else {
    violation(connection,
              std::string(wire::message_name(wire::type_of(message))) + " before a session");
  }
  return Taken::yes;
}

// The peer may have sent anything before it heard of its end. Its GOODBYE is not answered; then the
// transport may carry another session.
Taken Router::on_killed_message(Connection& connection, const wire::Message& message) {
  if (std::holds_alternative<wire::Abort>(message)) {
    transport_.close(connection, 1000, "aborted by the client");
  } else if (std::holds_alternative<wire::Goodbye>(message)) {
    connection.session->state = Session::State::ended;
  }
  return Taken::yes;
}

Taken Router::on_session_message(Connection& connection, const wire::Message& message) {
  Taken taken = Taken::yes;
  std::visit(
      Overloaded{
          [&](const wire::Publish& m) { taken = publish(connection, m); },
          [&](const wire::Subscribe& m) {
            taken = outbox_.behind() ? Taken::blocked : subscribe(connection, m);
          },
          [&](const wire::Unsubscribe& m) {
            if (outbox_.behind()) {
              taken = Taken::blocked;
            } else {
              unsubscribe(connection, m);
            }
          },
          [&](const wire::Goodbye&) {
            settle(connection);
            goodbye(connection);
          },
          [&](const wire::Abort&) { transport_.close(connection, 1000, "aborted by the client"); },
          [&](const wire::Call& m) { taken = call(connection, m); },
          [&](const wire::Cancel& m) { taken = rpc_.cancel(connection, m); },
          [&](const wire::Register& m) {
            taken = outbox_.behind() ? Taken::blocked : in_order(connection, m, [&] {
              return register_procedure(connection, m);
            });
          },
          [&](const wire::Unregister& m) {
            taken = in_order(connection, m, [&] { return rpc_.unregister(connection, m); });
          },
          [&](const wire::Yield& m) { taken = answered(connection, rpc_.yield(connection, m)); },
          [&](const wire::Error& m) {
            if (m.request_type != static_cast<std::uint64_t>(wire::MessageType::invocation)) {
              return violation(connection, "ERROR may answer an INVOCATION only");
            }
            taken = answered(connection, rpc_.error(connection, m));
          },
          [&](const auto&) {
            violation(connection, std::string(wire::message_name(wire::type_of(message))) +
                                      " is not for a client to send in a session");
          }},
      message);
  return taken;
}

void Router::hello(Connection& connection, const wire::Hello& hello) {
  Session& session = *connection.session;
  // A second session on the same transport is another session: whatever is on its way to the first
  // one must not reach it.
  if (session.state == Session::State::ended) {
    transport_.connections().advance_generation(connection);
  }
  const std::uint32_t pending = session.subscribes_pending;
  session = Session{};
  session.subscribes_pending = pending;
  const wire::Features callee = hello.details.callee.features;
  session.understands_interrupt = callee.has(wire::Feature::call_canceling);
  session.understands_timeout = callee.has(wire::Feature::call_timeout);
  session.understands_registration_revocation = callee.has(wire::Feature::registration_revocation);
  session.understands_subscription_revocation =
      hello.details.subscriber.features.has(wire::Feature::subscription_revocation);
  session.forgets_canceled_calls = forgets_canceled_calls(hello.details);
  login_.begin(connection, hello);
}

void Router::on_challenged(Connection& connection, std::string_view method, const Extra& extra) {
  connection.session->state = Session::State::authenticating;
  out_.clear();
  wire::append_challenge(out_, connection.serializer, method, members_of(extra));
  send(connection, out_);
}

void Router::on_admitted(Connection& connection, Admission admission) {
  Session& session = *connection.session;
  session.state = Session::State::established;
  session.realm = admission.realm;
  session.identity = std::move(admission.identity);
  session.unrestricted = realms_.role_of(session).unrestricted;
  counters_.add(ring::Counter::sessions);
  transport_.set_established(connection, true);
  session_joined(connection);
  welcome(connection, admission.welcome_extra);
}

void Router::welcome(Connection& connection, const Extra& extra) {
  const std::uint64_t id = session_id_of(connection);
  const IdentityView identity = identity_of(connection);
  out_.clear();
  wire::append_welcome(out_, connection.serializer, id,
                       {.realm = realms_.name(connection.session->realm),
                        .authid = identity.authid(),
                        .authrole = identity.authrole(),
                        .authmethod = identity.authmethod(),
                        .authprovider = identity.authprovider(),
                        .agent = "ringcast-" RINGCAST_VERSION,
                        .broker_features = {"event_history", "event_retention",
                                            "pattern_based_subscription", "payload_passthru_mode",
                                            "publisher_exclusion", "publisher_identification",
                                            "session_meta_api", "subscriber_blackwhite_listing",
                                            "subscription_meta_api", "subscription_revocation"},
                        .dealer_features = {"call_canceling", "call_reroute", "call_timeout",
                                            "caller_identification", "pattern_based_registration",
                                            "payload_passthru_mode", "progressive_call_invocations",
                                            "progressive_call_results", "registration_meta_api",
                                            "registration_revocation", "session_meta_api",
                                            "shared_registration", "testament_meta_api"},
                        .authextra = members_of(extra)});
  send(connection, out_);
}

void Router::on_refused(Connection& connection, std::string_view reason, std::string_view message) {
  abort(connection, reason, message, 1008);
}

void Router::on_identity_expired(Connection& connection) {
  settle_fan_out();
  settle(connection);
  out_.clear();
  wire::append_goodbye(out_, connection.serializer, kIdentityExpired,
                       "the token that this session was let in by has expired");
  send(connection, out_);
  transport_.close(connection, 1008, kIdentityExpired);
}

std::uint64_t Router::session_id_of(const Connection& connection) const {
  return ring::session_id_of(connection.id, segment_.header().session_key);
}

IdentityView Router::identity_of(const Connection& connection) const {
  const Session& session = *connection.session;
  return {session.identity.get(), session_id_of(connection),
          realms_[session.realm].anonymous_role_name()};
}

void Router::goodbye(Connection& connection) {
  out_.clear();
  wire::append_goodbye(out_, connection.serializer, wire::uri::kGoodbyeAndOut, {});
  send(connection, out_);
  connection.session->state = Session::State::ended;
  // The transport may carry another session; its HELLO has as long as the first one had.
  transport_.set_established(connection, false);
}

// Everything that hangs on a session, exactly once (invariant I6): only from here, and only while
// it is established.
void Router::settle(Connection& connection, bool quietly) {
  Session& session = *connection.session;
  login_.forget(connection);
  if (session.state != Session::State::established) return;
  session.state = Session::State::ended;
  login_.session_ended(session.realm);
  while (!session.memberships.empty()) leave(connection, session.memberships.size() - 1);
  rpc_.session_ended(connection);
  authorizer_.session_ended(connection);
  session_left(connection, quietly);
  counters_.subtract(ring::Counter::sessions);
}

void Router::on_end(Connection& connection) {
  settle_fan_out();  // what is held back may be for this connection
  settle(connection);
}

void Router::on_handshake_timeout(Connection& connection) {
  if (connection.session->state == Session::State::killed) {
    transport_.close(connection, 1000, "the session was ended, and no GOODBYE came in time");
    return;
  }
  if (connection.session->state == Session::State::ended) {
    transport_.close(connection, 1000, "no other session was opened in time");
    return;
  }
  if (connection.session->state == Session::State::authenticating) {
    return abort(connection, wire::uri::kAuthenticationFailed,
                 "the login was not completed in time", 1008);
  }
  abort(connection, wire::uri::kProtocolViolation, "no HELLO arrived in time", 1008);
}

void Router::abort(Connection& connection, std::string_view reason, std::string_view message,
                   std::uint16_t close_code) {
  out_.clear();
  wire::append_abort(out_, connection.serializer, reason, message);
  send(connection, out_);
  transport_.close(connection, close_code, reason);
}

void Router::violation(Connection& connection, std::string_view message) {
  counters_.add(ring::Counter::protocol_violations);
  abort(connection, wire::uri::kProtocolViolation, message, 1002);
}

// Request ids begin at 1 and go up by 1; a client that goes on counting over a reconnect may begin
// higher. The id counts as used only when the message is taken, so a blocked one can be offered
// again.
bool Router::request_in_order(Connection& connection, std::uint64_t request) {
  const std::uint64_t last = connection.session->last_request;
  const std::uint64_t expected = last == wire::kIdMax ? 1 : last + 1;
  if (last == 0 || request == expected) return true;
  violation(connection, "request id " + std::to_string(request) + " is out of order; expected " +
                            std::to_string(expected));
  return false;
}

void Router::error(Connection& connection, wire::MessageType type, std::uint64_t request,
                   std::string_view uri, std::string_view message) {
  out_.clear();
  wire::append_error(out_, connection.serializer, type, request, uri, message);
  send(connection, out_);
}

// The id counts as used only when the message is taken.
template <typename Request, typename Serve>
Taken Router::in_order(Connection& connection, const Request& request, Serve serve) {
  if (!request_in_order(connection, request.request)) return Taken::yes;
  if (const Taken taken = serve(); taken != Taken::yes) return taken;
  connection.session->last_request = request.request;
  return Taken::yes;
}

// More of a call that was made in parts has the request id of its first part (WAMP, "Progressive
// Call Invocations").
Taken Router::call(Connection& connection, const wire::Call& call) {
  if (rpc_.goes_on(connection, call.request)) return rpc_.call_part(connection, call);
  return in_order(connection, call, [&] {
    const Permission permission = may_call(connection, call);
    if (permission.allowed() && !wire::uri_reserved(call.procedure)) {
      return rpc_.call(connection, call, permission.disclose);
    }
    // What is below "wamp." nobody can have registered, and is called as a whole.
    if (call.options.progress && !permission.pending()) rpc_.drop_rest(connection, call.request);
    if (permission.allowed()) return procedures_.call(connection, call);
    return forbid(connection, wire::MessageType::call, call.request, permission);
  });
}

Taken Router::register_procedure(Connection& connection, const wire::Register& message) {
  const Permission permission = may_register(connection, message);
  if (permission.allowed()) return rpc_.register_procedure(connection, message);
  return forbid(connection, wire::MessageType::register_, message.request, permission);
}

Taken Router::answered(Connection& connection, Answered answered) {
  if (answered == Answered::never_was) {
    violation(connection, "an answer to an invocation that never was");
  }
  return answered == Answered::blocked ? Taken::blocked : Taken::yes;
}

void Router::send(Connection& connection, const std::string& message) {
  transport_.send_frame(connection, wire::frame_opcode(connection.serializer), message);
}

void Router::begin_drain() {
  transport_.connections().for_each([this](Connection& connection) {
    if (!connection.session || connection.session->state != Session::State::established) return;
    out_.clear();
    wire::append_goodbye(out_, connection.serializer, wire::uri::kSystemShutdown,
                         "the broker is stopping");
    send(connection, out_);
  });
  transport_.begin_drain();
}

}  // namespace ringcast::worker
