// What sessions ask, on its way to the dealer of their realm.
#include "worker/rpc_router.h"

#include <cassert>

#include "ring/session_id.h"
#include "wire/encode.h"
#include "wire/uri.h"
#include "worker/error_uris.h"
#include "worker/node_ids.h"
#include "worker/random_seed.h"
#include "worker/rpc_terms.h"
#include "worker/topics.h"

namespace ringcast::worker {
namespace {

using Kind = ring::DescriptorKind;

std::size_t bytes_of(const std::optional<wire::Passthru>& passthru) {
  if (!passthru) return 0;
  return passthru->scheme.size() + passthru->serializer.size() + passthru->cipher.size() +
         passthru->keyid.size();
}

}  // namespace

RpcRouter::RpcRouter(ring::Segment& segment, std::uint32_t self, Transport& transport, Peers& peers,
                     const Realms& realms, MetaEvents& events)
    : segment_(segment),
      self_(self),
      transport_(transport),
      peers_(peers),
      realms_(realms),
      events_(events),
      counters_(segment.block(self).counters),
      dealer_(*this, segment.header().topic_seed,
              [&segment, self] {
                return draw_node_id(segment.block(self).node_ids_used, segment.workers(), self);
              }),
      own_calls_(random_seed()),
      next_token_(random_seed()) {}

std::uint32_t RpcRouter::home_of_realm(std::uint16_t realm) const {
  return home_of(topic_hash(segment_.header().topic_seed, realm, {}), segment_.workers());
}

bool RpcRouter::home_away(std::uint16_t realm) const {
  const std::uint32_t home = home_of_realm(realm);
  return home != self_ && (peers_.live() >> home & 1) == 0;
}

// A home worker that does not keep up slows down who keeps it busy (invariant I4).
bool RpcRouter::home_behind(std::uint16_t realm) const {
  const std::uint32_t home = home_of_realm(realm);
  return home != self_ && peers_.control_backlog(home) >= kControlBacklogMax;
}

void RpcRouter::tell_home(const ring::Descriptor& descriptor, std::string frame) {
  tell(home_of_realm(descriptor.realm), descriptor, std::move(frame));
}

void RpcRouter::tell(std::uint32_t worker, const ring::Descriptor& descriptor, std::string frame) {
  if (worker != self_) return peers_.send(worker, descriptor, std::move(frame));
  local_.push_back({self_, descriptor, std::move(frame)});
}

void RpcRouter::settle_local() {
  if (settling_) return;
  settling_ = true;
  while (!local_.empty()) {
    const Message message = std::move(local_.front());
    local_.pop_front();
    handle(message.from, message.descriptor, message.frame);
  }
  settling_ = false;
}

bool RpcRouter::goes_on(const Connection& connection, std::uint64_t request) const {
  const auto found = dealings_.find(connection.id.slot);
  if (found == dealings_.end() || found->second->who != connection.id) return false;
  const Dealing& session = *found->second;
  const auto open = session.calls.find(request);
  return (open != session.calls.end() && open->second.continues) ||
         session.unfinished.contains(request);
}

Taken RpcRouter::call(Connection& connection, const wire::Call& call, auth::Disclosure disclose) {
  const std::uint16_t realm = connection.session->realm;
  if (home_behind(realm)) return Taken::blocked;
  const auto refuse_call = [&](std::string_view uri, std::string_view message) {
    if (call.options.progress) drop_rest(connection, call.request);
    send_error(connection, wire::MessageType::call, call.request, uri, message);
    return Taken::yes;
  };
  if (!wire::uri_valid(call.procedure, wire::UriRule::loose)) {
    return refuse_call(wire::uri::kInvalidUri, "the procedure is not a valid URI");
  }
  if (home_away(realm)) {
    return refuse_call(wire::uri::kNetworkFailure,
                       "the worker that keeps this realm's procedures is away; call again");
  }
  Dealing& session = dealing(connection);
  if (session.calls.size() >= kCallsPerSessionMax) {
    return refuse_call(kLimitExceeded, "this session has reached its limit of open calls");
  }
  if (call.options.progress && bytes_of(call.options.passthru) > kPartsPassthruBytesMax) {
    return refuse_call(kLimitExceeded,
                       "the ppt_ options of a call in parts have at most 1024 bytes");
  }
  session.calls[call.request] = {.continues = call.options.progress};
  counters_.add(ring::Counter::calls);
  tell_call(connection, call, disclose, false);
  return Taken::yes;
}

// A call may end before its caller has sent all of it. What was on its way then is dropped: its
// caller could not know.
Taken RpcRouter::call_part(Connection& connection, const wire::Call& call) {
  if (home_behind(connection.session->realm)) return Taken::blocked;
  Dealing& session = dealing(connection);
  const auto open = session.calls.find(call.request);
  if (open == session.calls.end()) {
    if (!call.options.progress) session.unfinished.erase(call.request);
    return Taken::yes;
  }
  open->second.continues = call.options.progress;
  tell_call(connection, call, auth::Disclosure::asked, true);  // what counts is the first part's
  return Taken::yes;
}

void RpcRouter::tell_call(Connection& connection, const wire::Call& call, auth::Disclosure disclose,
                          bool more) {
  const bool asked = disclose == auth::Disclosure::asked && call.options.disclose_me;
  const std::uint16_t realm = connection.session->realm;
  const std::uint64_t id = ring::session_id_of(connection.id, segment_.header().session_key);
  const IdentityView identity(connection.session->identity.get(), id,
                              realms_[realm].anonymous_role_name());
  tell_home({.kind = Kind::call,
             .realm = realm,
             .argument = std::uint32_t{more},
             .target = connection.id.packed(),
             .token = call.request},
            write_rpc_frame({.serializer = connection.serializer,
                             .wants_progress = call.options.receive_progress,
                             .continues = call.options.progress,
                             .discloses_caller = asked || disclose == auth::Disclosure::always,
                             .conceals_caller = disclose == auth::Disclosure::never,
                             .caller = id,
                             .timeout_ms = call.options.timeout_ms,
                             .uri = call.procedure,
                             .caller_authid = identity.authid(),
                             .caller_authrole = identity.authrole(),
                             .passthru = call.options.passthru,
                             .payload = call.payload}));
  settle_local();
}

bool RpcRouter::call_as_router(const OwnCall& call, RouterCalls::Callback end) {
  if (own_calls_.full() || home_behind(call.realm)) return false;
  const std::uint64_t name = own_calls_.begin(call.realm, now_ + call.timeout_ms, std::move(end));
  if (home_away(call.realm)) {
    own_calls_.failed(name, wire::uri::kNetworkFailure,
                      "the worker that keeps the realm's procedures is away");
    return true;
  }
  // The deadline is looked after here, as the dealer's worker may die before it comes.
  tell_home(
      {.kind = Kind::call, .realm = call.realm, .target = own_name().packed(), .token = name},
      write_rpc_frame({.serializer = call.serializer,
                       .caller = ring::session_id_of(own_name(), segment_.header().session_key),
                       .uri = call.procedure,
                       .payload = call.payload}));
  settle_local();
  return true;
}

Taken RpcRouter::cancel(Connection& connection, const wire::Cancel& cancel) {
  Dealing* session = find_dealing(connection.id);
  // It has just been answered, or never was: there is nothing to say to that.
  if (session == nullptr || !session->calls.contains(cancel.request)) return Taken::yes;
  if (home_behind(session->realm)) return Taken::blocked;
  if (cancel.options.mode == wire::CancelMode::unknown) {
    // CANCEL has no answer of its own; the call goes on.
    return Taken::yes;
  }
  tell_home({.kind = Kind::call_cancel,
             .realm = session->realm,
             .argument = static_cast<std::uint32_t>(cancel.options.mode),
             .target = connection.id.packed(),
             .token = cancel.request});
  if (cancel.options.mode != wire::CancelMode::kill && connection.session->forgets_canceled_calls) {
    session->calls.erase(cancel.request);  // so its answer goes nowhere
  }
  settle_local();
  return Taken::yes;
}

Taken RpcRouter::register_procedure(Connection& connection, const wire::Register& message) {
  const std::uint16_t realm = connection.session->realm;
  if (home_behind(realm) || pending_.size() >= kSubscribesPendingMax) return Taken::blocked;
  const auto refuse_register = [&](std::string_view uri, std::string_view text) {
    send_error(connection, wire::MessageType::register_, message.request, uri, text);
    return Taken::yes;
  };
  const wire::RegisterOptions& options = message.options;
  if (options.match == wire::MatchPolicy::unknown) {
    return refuse_register(wire::uri::kOptionNotAllowed, "match is exact, prefix or wildcard");
  }
  if (options.invoke == wire::InvokePolicy::unknown) {
    return refuse_register(wire::uri::kOptionNotAllowed,
                           "invoke is single, roundrobin, random, first or last");
  }
  if (!wire::uri_valid(message.procedure, wire::UriRule::loose, options.match) ||
      wire::uri_reserved(message.procedure)) {
    return refuse_register(wire::uri::kInvalidUri,
                           "the procedure is not a valid URI, or below \"wamp.\"");
  }
  Dealing& session = dealing(connection);
  if (session.offers.size() + session.registers_pending >= kRegistrationsPerSessionMax) {
    return refuse_register(kLimitExceeded, "this session has reached its limit of registrations");
  }
  ++session.registers_pending;
  const Session& callee = *connection.session;
  const std::uint64_t token = next_token_++;
  const PendingRegister& pending =
      pending_
          .emplace(token,
                   PendingRegister{
                       .who = connection.id,
                       .request = message.request,
                       .realm = realm,
                       .asked_ms = now_,
                       .offer = {.uri = std::string(message.procedure),
                                 .match = options.match,
                                 .terms = {.invoke = options.invoke,
                                           .concurrency = bounded_concurrency(options.concurrency),
                                           .discloses_caller = options.disclose_caller,
                                           .forwards_timeout = options.forward_timeout &&
                                                               callee.understands_timeout,
                                           .understands_interrupt = callee.understands_interrupt}}})
          .first->second;
  ask_to_register(token, pending);
  settle_local();
  return Taken::yes;
}

// While the home worker is away this is dropped, and made again by on_worker_live().
void RpcRouter::ask_to_register(std::uint64_t token, const PendingRegister& pending) {
  tell_home({.kind = Kind::register_request,
             .realm = pending.realm,
             .argument = packed_terms(pending.offer.match, pending.offer.terms),
             .target = pending.who.packed(),
             .token = token,
             .reserved = pending.offer.terms.concurrency},
            pending.offer.uri);
}

Taken RpcRouter::unregister(Connection& connection, const wire::Unregister& message) {
  Dealing* session = find_dealing(connection.id);
  const auto id = static_cast<std::uint32_t>(message.registration);
  if (session == nullptr || id != message.registration || !session->offers.contains(id)) {
    send_error(connection, wire::MessageType::unregister, message.request,
               wire::uri::kNoSuchRegistration, "no such registration in this session");
    return Taken::yes;
  }
  if (home_behind(session->realm)) return Taken::blocked;
  session->offers.erase(id);
  tell_home({.kind = Kind::unregister_notice,
             .realm = session->realm,
             .argument = id,
             .target = connection.id.packed()});
  out_.clear();
  wire::append_unregistered(out_, connection.serializer, message.request);
  send(connection);
  settle_local();
  return Taken::yes;
}

Answered RpcRouter::yield(Connection& connection, const wire::Yield& yield) {
  const Outcome outcome = yield.options.progress ? Outcome::progress : Outcome::result;
  return end_invocation(connection, yield.request, outcome,
                        {.serializer = connection.serializer,
                         .passthru = yield.options.passthru,
                         .payload = yield.payload});
}

Answered RpcRouter::error(Connection& connection, const wire::Error& error) {
  const bool unavailable = error.error == wire::uri::kUnavailable;
  return end_invocation(connection, error.request,
                        unavailable ? Outcome::unavailable : Outcome::error,
                        {.serializer = connection.serializer,
                         .uri = error.error,
                         .passthru = error.details.passthru,
                         .payload = error.payload});
}

Answered RpcRouter::end_invocation(Connection& connection, std::uint64_t request, Outcome outcome,
                                   const RpcFrame& frame) {
  Dealing* session = find_dealing(connection.id);
  if (session == nullptr || request > session->last_invocation) return Answered::never_was;
  const auto found = session->invocations.find(request);
  if (found == session->invocations.end()) return Answered::yes;  // over already: tolerated
  if (home_behind(session->realm)) return Answered::blocked;
  const std::uint64_t call = found->second.call;
  if (outcome != Outcome::progress) {
    session->by_call.erase(call);
    session->invocations.erase(found);
  }
  tell_home({.kind = Kind::call_outcome,
             .realm = session->realm,
             .argument = static_cast<std::uint32_t>(outcome),
             .target = connection.id.packed(),
             .token = call},
            write_rpc_frame(frame));
  settle_local();
  return Answered::yes;
}

void RpcRouter::session_ended(const Connection& connection) {
  Dealing* session = find_dealing(connection.id);
  if (session == nullptr) return;
  tell_home(
      {.kind = Kind::dealing_ended, .realm = session->realm, .target = connection.id.packed()});
  dealings_.erase(connection.id.slot);
  settle_local();
}

void RpcRouter::expire(TimeMs now) {
  now_ = now;
  dealer_.expire(now);
  while (const auto expired = own_calls_.expire_one(now)) {
    tell_home({.kind = Kind::call_cancel,
               .realm = expired->realm,
               .argument = static_cast<std::uint32_t>(wire::CancelMode::killnowait),
               .target = own_name().packed(),
               .token = expired->call});
  }
  settle_local();
}

// The dealer may answer yet; deliver_registered() takes back then what nobody waits for.
void RpcRouter::expire_registers() {
  std::erase_if(pending_, [this](const auto& entry) {
    const PendingRegister& pending = entry.second;
    if (now_ - pending.asked_ms < kHomeReplyTimeoutMs) return false;
    if (Connection* connection = live_session(pending.who)) {
      --dealing(*connection).registers_pending;
      send_error(*connection, wire::MessageType::register_, pending.request,
                 wire::uri::kNetworkFailure,
                 "the worker that keeps this realm's procedures is away; register again");
    }
    return true;
  });
}

void RpcRouter::report() {
  counters_.set(ring::Counter::calls_open, dealer_.calls());
  counters_.set(ring::Counter::registrations, dealer_.registrations());
}

RpcRouter::Dealing& RpcRouter::dealing(const Connection& connection) {
  std::unique_ptr<Dealing>& place = dealings_[connection.id.slot];
  assert((place == nullptr || place->who == connection.id) && "every session's end is told");
  if (place == nullptr) {
    place = std::make_unique<Dealing>();
    place->who = connection.id;
    place->realm = connection.session->realm;
  }
  return *place;
}

RpcRouter::Dealing* RpcRouter::find_dealing(ring::ConnectionId id) {
  const auto found = dealings_.find(id.slot);
  return found == dealings_.end() || found->second->who != id ? nullptr : found->second.get();
}

void RpcRouter::send_error(Connection& connection, wire::MessageType type, std::uint64_t request,
                           std::string_view error, std::string_view message) {
  out_.clear();
  wire::append_error(out_, connection.serializer, type, request, error, message);
  send(connection);
}

void RpcRouter::send(Connection& connection) {
  transport_.send_frame(connection, wire::frame_opcode(connection.serializer), out_);
}

}  // namespace ringcast::worker
