// What comes for sessions of this worker: invocations and interrupts for callees, answers for
// callers. Where a session is gone, or has another by now, nothing is sent (invariant I2).
#include "wire/encode.h"
#include "wire/transcode.h"
#include "wire/uri.h"
#include "worker/error_uris.h"
#include "worker/rpc_router.h"

namespace ringcast::worker {
namespace {

using Kind = ring::DescriptorKind;

struct Refusal {
  std::string_view error;
  std::string_view message;
};
Refusal parse_refusal(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return {text, {}};
  return {text.substr(0, end), text.substr(end + 1)};
}

}  // namespace

Connection* RpcRouter::live_session(ring::ConnectionId id) {
  if (id.worker != self_) return nullptr;
  Connection* connection = transport_.connections().find(id);
  if (connection == nullptr || !connection->session ||
      connection->session->state != Session::State::established) {
    return nullptr;
  }
  return connection;
}

// A payload without a form in the other serializer (a MessagePack map with lists as keys) can't be
// shown.
bool RpcRouter::transcode(const RpcFrame& frame, wire::Serializer to, wire::Payload& payload) {
  payload = frame.payload;
  if (frame.serializer == to) return true;
  transcoded_args_.clear();
  transcoded_kwargs_.clear();
  const bool done = wire::transcode(frame.serializer, to, frame.payload.args, transcoded_args_) &&
                    wire::transcode(frame.serializer, to, frame.payload.kwargs, transcoded_kwargs_);
  payload = {.args = transcoded_args_, .kwargs = transcoded_kwargs_};
  if (!done) counters_.add(ring::Counter::payloads_not_transcodable);
  return done;
}

void RpcRouter::give_back(const ring::Descriptor& descriptor, Outcome outcome, std::string body) {
  tell_home({.kind = Kind::call_outcome,
             .realm = descriptor.realm,
             .argument = static_cast<std::uint32_t>(outcome),
             .target = descriptor.target,
             .token = descriptor.token},
            std::move(body));
}

void RpcRouter::deliver_invocation(const ring::Descriptor& descriptor, std::string_view bytes) {
  const auto frame = parse_rpc_frame(bytes);
  if (!frame || !realms_.contains(descriptor.realm)) {
    counters_.add(ring::Counter::corrupt_frames_dropped);
    return;
  }
  if ((descriptor.reserved & kContinues) != 0) return deliver_part(descriptor, *frame);
  const auto callee = ring::ConnectionId::from_packed(descriptor.target);
  Connection* connection = live_session(callee);
  Dealing* session = connection == nullptr ? nullptr : find_dealing(callee);
  if (session == nullptr || !session->offers.contains(descriptor.argument)) {
    return give_back(descriptor, Outcome::undelivered, std::string(bytes));
  }
  wire::Payload payload;
  if (!transcode(*frame, connection->serializer, payload)) {
    return give_back(
        descriptor, Outcome::error,
        write_rpc_frame({.serializer = frame->serializer, .uri = kPayloadNotTranscodable}));
  }
  const std::uint64_t request = ++session->last_invocation;
  Held& held = session->invocations[request];
  held.call = descriptor.token;
  if (frame->continues) {
    RpcFrame first = *frame;
    first.payload = {};
    held.first_part = write_rpc_frame(first);
    held.flags = descriptor.reserved;
  }
  session->by_call.emplace(descriptor.token, request);
  send_invocation(*connection, request, descriptor, *frame, *frame, payload);
}

// More of a call: with the request and, but for `progress`, the details of its first part.
void RpcRouter::deliver_part(const ring::Descriptor& descriptor, const RpcFrame& frame) {
  const auto callee = ring::ConnectionId::from_packed(descriptor.target);
  Connection* connection = live_session(callee);
  Dealing* session = connection == nullptr ? nullptr : find_dealing(callee);
  if (session == nullptr) return;
  const auto known = session->by_call.find(descriptor.token);
  if (known == session->by_call.end()) return;  // answered meanwhile
  const std::uint64_t request = known->second;
  const Held& held = session->invocations.at(request);
  const auto first = parse_rpc_frame(held.first_part);
  if (!first) return;  // it was whole: whoever sends more of it is mistaken
  wire::Payload payload;
  if (transcode(frame, connection->serializer, payload)) {
    ring::Descriptor as_first = descriptor;
    as_first.reserved = held.flags;
    return send_invocation(*connection, request, as_first, *first, frame, payload);
  }
  // The callee has no use for the rest.
  session->by_call.erase(known);
  session->invocations.erase(request);
  if (connection->session->understands_interrupt) {
    send_interrupt(*connection, request, wire::CancelMode::killnowait);
  }
  give_back(descriptor, Outcome::error,
            write_rpc_frame({.serializer = frame.serializer, .uri = kPayloadNotTranscodable}));
}

void RpcRouter::send_invocation(Connection& connection, std::uint64_t request,
                                const ring::Descriptor& descriptor, const RpcFrame& first,
                                const RpcFrame& part, const wire::Payload& payload) {
  wire::InvocationDetails details;
  details.receive_progress = first.wants_progress;
  details.progress = part.continues;
  details.passthru = first.passthru;
  if ((descriptor.reserved & kByPattern) != 0) details.procedure = first.uri;
  if ((descriptor.reserved & kForwardsTimeout) != 0) details.timeout_ms = first.timeout_ms;
  const bool disclosed = first.discloses_caller || (descriptor.reserved & kDisclosesCaller) != 0;
  if (disclosed && !first.conceals_caller) {
    details.caller = first.caller;
    details.caller_authid = first.caller_authid;
    details.caller_authrole = first.caller_authrole;
  }
  out_.clear();
  wire::append_invocation(out_, connection.serializer, request, descriptor.argument, details,
                          payload);
  send(connection);
  counters_.add(ring::Counter::invocations);
}

void RpcRouter::send_interrupt(Connection& connection, std::uint64_t request,
                               wire::CancelMode mode) {
  out_.clear();
  wire::append_interrupt(out_, connection.serializer, request,
                         {.mode = mode, .reason = wire::uri::kCanceled});
  send(connection);
}

void RpcRouter::deliver_interrupt(const ring::Descriptor& descriptor) {
  const auto callee = ring::ConnectionId::from_packed(descriptor.target);
  Connection* connection = live_session(callee);
  Dealing* session = connection == nullptr ? nullptr : find_dealing(callee);
  if (session == nullptr) return;
  const auto known = session->by_call.find(descriptor.token);
  if (known == session->by_call.end()) return;  // its answer is on the way
  const std::uint64_t request = known->second;
  if (descriptor.argument == static_cast<std::uint32_t>(wire::CancelMode::kill)) {
    return send_interrupt(*connection, request, wire::CancelMode::kill);
  }
  // It need not answer; if it does, that is for an invocation that is over.
  session->by_call.erase(known);
  session->invocations.erase(request);
  send_interrupt(*connection, request, wire::CancelMode::killnowait);
}

bool RpcRouter::close_call(Dealing& session, std::uint64_t request) {
  const auto open = session.calls.find(request);
  if (open == session.calls.end()) return false;
  if (open->second.continues) remember_unfinished(session, request);
  session.calls.erase(open);
  return true;
}

void RpcRouter::remember_unfinished(Dealing& session, std::uint64_t request) {
  session.unfinished.insert(request);
  if (session.unfinished.size() > kUnfinishedCallsMax) {
    session.unfinished.erase(session.unfinished.begin());
  }
}

void RpcRouter::count_if_stale(bool known) {
  if (!known) counters_.add(ring::Counter::stale_frames_dropped);
}

void RpcRouter::deliver_answer(const ring::Descriptor& descriptor, std::string_view bytes) {
  if (is_own(descriptor.target)) {
    const bool error = descriptor.argument != static_cast<std::uint32_t>(Outcome::result);
    return count_if_stale(own_calls_.answered(descriptor.token, error, bytes));
  }
  const auto frame = parse_rpc_frame(bytes);
  if (!frame) {
    counters_.add(ring::Counter::corrupt_frames_dropped);
    return;
  }
  const auto caller = ring::ConnectionId::from_packed(descriptor.target);
  Connection* connection = live_session(caller);
  Dealing* session = connection == nullptr ? nullptr : find_dealing(caller);
  if (session == nullptr || !session->calls.contains(descriptor.token)) {
    counters_.add(ring::Counter::stale_frames_dropped);
    return;
  }
  const auto outcome = static_cast<Outcome>(descriptor.argument);
  if (outcome != Outcome::progress) close_call(*session, descriptor.token);
  wire::Payload payload;
  if (!transcode(*frame, connection->serializer, payload)) {
    if (outcome == Outcome::progress) return;
    return send_error(*connection, wire::MessageType::call, descriptor.token,
                      kPayloadNotTranscodable,
                      "the answer has no form in this session's serializer");
  }
  out_.clear();
  if (outcome == Outcome::error) {
    wire::append_error(out_, connection->serializer, wire::MessageType::call, descriptor.token,
                       {.passthru = frame->passthru}, frame->uri, payload);
  } else {
    wire::append_result(out_, connection->serializer, descriptor.token,
                        {.progress = outcome == Outcome::progress, .passthru = frame->passthru},
                        payload);
  }
  send(*connection);
}

void RpcRouter::deliver_refusal(const ring::Descriptor& descriptor, std::string_view text) {
  const Refusal refusal = parse_refusal(text);
  if (is_own(descriptor.target)) {
    return count_if_stale(own_calls_.failed(descriptor.token, refusal.error, refusal.message));
  }
  const auto caller = ring::ConnectionId::from_packed(descriptor.target);
  Connection* connection = live_session(caller);
  Dealing* session = connection == nullptr ? nullptr : find_dealing(caller);
  if (session == nullptr || !close_call(*session, descriptor.token)) {
    counters_.add(ring::Counter::stale_frames_dropped);
    return;
  }
  send_error(*connection, wire::MessageType::call, descriptor.token, refusal.error,
             refusal.message);
}

// What it has been called with it may still answer.
void RpcRouter::deliver_revoked(const ring::Descriptor& descriptor, std::string_view reason) {
  const auto callee = ring::ConnectionId::from_packed(descriptor.target);
  Connection* connection = live_session(callee);
  Dealing* session = connection == nullptr ? nullptr : find_dealing(callee);
  if (session == nullptr || session->offers.erase(descriptor.argument) == 0) return;
  if (!connection->session->understands_registration_revocation) return;
  out_.clear();
  wire::append_registration_revoked(out_, connection->serializer, descriptor.argument, reason);
  send(*connection);
}

void RpcRouter::deliver_registered(const ring::Descriptor& descriptor, std::string_view text) {
  const auto found = pending_.find(descriptor.token);
  if (found == pending_.end()) {
    counters_.add(ring::Counter::stale_frames_dropped);
    // Its session was told that it failed, and may be there still.
    if (descriptor.argument != 0 && realms_.contains(descriptor.realm)) {
      tell_home({.kind = Kind::unregister_notice,
                 .realm = descriptor.realm,
                 .argument = descriptor.argument,
                 .target = descriptor.target});
    }
    return;
  }
  PendingRegister pending = std::move(found->second);
  pending_.erase(found);
  Connection* connection = live_session(pending.who);
  if (connection == nullptr) return;  // its end is on the way to the dealer
  Dealing& session = dealing(*connection);
  --session.registers_pending;
  if (descriptor.argument == 0) {
    const Refusal refusal = parse_refusal(text);
    return send_error(*connection, wire::MessageType::register_, pending.request, refusal.error,
                      refusal.message);
  }
  pending.offer.order = descriptor.topic_hash;
  session.offers.emplace(descriptor.argument, std::move(pending.offer));
  out_.clear();
  wire::append_registered(out_, connection->serializer, pending.request, descriptor.argument);
  send(*connection);
}

// The dealer that knew of these is gone.
void RpcRouter::end_all_open(Dealing& session) {
  Connection* connection = live_session(session.who);
  while (!session.calls.empty()) {
    const std::uint64_t request = session.calls.begin()->first;
    close_call(session, request);
    if (connection == nullptr) continue;
    send_error(*connection, wire::MessageType::call, request, wire::uri::kNetworkFailure,
               "the worker that kept this call is gone; what became of it is not known");
  }
  if (connection != nullptr && connection->session->understands_interrupt) {
    for (const auto& [request, held] : session.invocations) {
      send_interrupt(*connection, request, wire::CancelMode::killnowait);
    }
  }
  session.invocations.clear();
  session.by_call.clear();
}

}  // namespace ringcast::worker
