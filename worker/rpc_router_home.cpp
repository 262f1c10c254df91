// The worker that is home to a realm: what comes for the realm's dealer, and what the dealer says.
#include "ring/session_id.h"
#include "wire/uri.h"
#include "worker/error_uris.h"
#include "worker/rpc_router.h"
#include "worker/rpc_terms.h"

namespace ringcast::worker {
namespace {

using Kind = ring::DescriptorKind;

// An ERROR of the router's, as it travels: the URI and the message with a line's end between them,
// which no URI contains.
std::string refusal_text(std::string_view error, std::string_view message) {
  std::string text;
  text.reserve(error.size() + 1 + message.size());
  return text.append(error).append(1, '\n').append(message);
}

}  // namespace

bool RpcRouter::on_descriptor(std::uint32_t from, const ring::Descriptor& descriptor,
                              std::string_view frame) {
  if (descriptor.kind < Kind::register_request) return false;
  handle(from, descriptor, frame);
  settle_local();
  return true;
}

void RpcRouter::handle(std::uint32_t from, const ring::Descriptor& descriptor,
                       std::string_view frame) {
  switch (descriptor.kind) {
    case Kind::register_reply:
      return deliver_registered(descriptor, frame);
    case Kind::invocation:
      return deliver_invocation(descriptor, frame);
    case Kind::call_interrupt:
      return deliver_interrupt(descriptor);
    case Kind::call_answer:
      return deliver_answer(descriptor, frame);
    case Kind::registration_revoked:
      return deliver_revoked(descriptor, frame);
    case Kind::call_refusal:
      return deliver_refusal(descriptor, frame);
    default:
      return at_home(from, descriptor, frame);
  }
}

void RpcRouter::at_home(std::uint32_t from, const ring::Descriptor& descriptor,
                        std::string_view frame) {
  if (descriptor.kind == Kind::announce_registrations_done) return announced(from);
  // Not this worker's realm, or none: a sender that lies, or a torn descriptor.
  if (!is_home_of(descriptor.realm)) {
    counters_.add(ring::Counter::corrupt_descriptors_dropped);
    return;
  }
  if (awaited_ != 0 && descriptor.kind != Kind::announce_registration) {
    return defer(from, descriptor, frame);
  }
  serve(descriptor, frame);
}

void RpcRouter::defer(std::uint32_t from, const ring::Descriptor& descriptor,
                      std::string_view frame) {
  if (descriptor.kind == Kind::call && (deferred_.size() >= kCallsDeferredMax ||
                                        deferred_bytes_ + frame.size() > kDeferredBytesMax)) {
    return refuse(ring::ConnectionId::from_packed(descriptor.target), descriptor.token,
                  kLimitExceeded, "the realm's worker is starting; call again in a moment");
  }
  deferred_bytes_ += frame.size();
  deferred_.push_back({from, descriptor, std::string(frame)});
}

void RpcRouter::serve(const ring::Descriptor& descriptor, std::string_view frame) {
  const auto who = ring::ConnectionId::from_packed(descriptor.target);
  switch (descriptor.kind) {
    case Kind::register_request:
      return serve_register(descriptor, frame);
    case Kind::unregister_notice:
      dealer_.unregister(who, descriptor.argument);
      return;
    case Kind::call:
      return serve_call(descriptor, frame);
    case Kind::call_cancel:
      if (descriptor.argument >= static_cast<std::uint32_t>(wire::CancelMode::unknown)) break;
      return dealer_.cancel(who, descriptor.token,
                            static_cast<wire::CancelMode>(descriptor.argument));
    case Kind::call_outcome:
      if (descriptor.argument > static_cast<std::uint32_t>(Outcome::undelivered)) break;
      if (descriptor.argument == static_cast<std::uint32_t>(Outcome::progress) && overloaded()) {
        return dealer_.give_up_given(who, descriptor.token, kLimitExceeded,
                                     "progressive results come faster than they can be passed on");
      }
      if (!dealer_.outcome(who, descriptor.token, static_cast<Outcome>(descriptor.argument),
                           frame)) {
        counters_.add(ring::Counter::stale_frames_dropped);
      }
      return;
    case Kind::dealing_ended:
      return dealer_.session_gone(who);
    case Kind::announce_registration: {
      const auto known =
          unpacked_terms(static_cast<std::uint32_t>(descriptor.token), descriptor.reserved);
      if (!known) break;
      return dealer_.restore(who, {descriptor.realm, known->match, frame}, known->terms,
                             descriptor.argument, descriptor.topic_hash);
    }
    default:
      break;
  }
  counters_.add(ring::Counter::corrupt_descriptors_dropped);
}

// Another worker does not keep up. A call that is open already ends by what it is owed; more is not
// begun.
bool RpcRouter::overloaded() const { return peers_.control_bytes() > kControlBytesMax; }

void RpcRouter::serve_register(const ring::Descriptor& descriptor, std::string_view uri) {
  const auto asked = unpacked_terms(descriptor.argument, descriptor.reserved);
  if (!asked) {
    counters_.add(ring::Counter::corrupt_descriptors_dropped);
    return;
  }
  const auto callee = ring::ConnectionId::from_packed(descriptor.target);
  const Dealer::Registered done =
      dealer_.register_procedure(callee, {descriptor.realm, asked->match, uri}, asked->terms);
  tell(callee.worker,
       {.kind = Kind::register_reply,
        .realm = descriptor.realm,
        .argument = done.registration,
        .target = descriptor.target,
        .token = descriptor.token,
        .topic_hash = done.order},
       done.registration != 0 ? std::string() : refusal_text(done.error, done.message));
  if (done.registration != 0) dealer_.serve_queue(done.registration);
}

void RpcRouter::serve_call(const ring::Descriptor& descriptor, std::string_view frame) {
  const auto call = parse_rpc_frame(frame);
  if (!call) {
    counters_.add(ring::Counter::corrupt_frames_dropped);
    return;
  }
  const auto caller = ring::ConnectionId::from_packed(descriptor.target);
  if (overloaded()) {
    constexpr std::string_view kWhy = "a worker does not take its messages; call again later";
    if (dealer_.give_up(caller, descriptor.token, kLimitExceeded, kWhy)) return;
    return refuse(caller, descriptor.token, kLimitExceeded, kWhy);
  }
  dealer_.call({.caller = caller,
                .request = descriptor.token,
                .realm = descriptor.realm,
                .procedure = call->uri,
                .timeout_ms = call->timeout_ms,
                .wants_progress = call->wants_progress,
                .continues = call->continues,
                .more = descriptor.argument != 0,
                .frame = frame});
}

void RpcRouter::invoke(ring::ConnectionId callee, const Invocation& invocation,
                       std::string_view frame) {
  const std::uint32_t flags = (invocation.by_pattern ? kByPattern : 0u) |
                              (invocation.discloses_caller ? kDisclosesCaller : 0u) |
                              (invocation.forwards_timeout ? kForwardsTimeout : 0u) |
                              (invocation.continues ? kContinues : 0u);
  tell(callee.worker,
       {.kind = Kind::invocation,
        .realm = invocation.realm,
        .argument = invocation.registration,
        .target = callee.packed(),
        .token = invocation.call,
        .reserved = flags},
       std::string(frame));
}

void RpcRouter::interrupt(ring::ConnectionId callee, std::uint64_t call, wire::CancelMode mode) {
  tell(callee.worker,
       {.kind = Kind::call_interrupt,
        .argument = static_cast<std::uint32_t>(mode),
        .target = callee.packed(),
        .token = call},
       {});
}

void RpcRouter::answer(ring::ConnectionId caller, std::uint64_t request, Outcome outcome,
                       std::string_view frame) {
  tell(caller.worker,
       {.kind = Kind::call_answer,
        .argument = static_cast<std::uint32_t>(outcome),
        .target = caller.packed(),
        .token = request},
       std::string(frame));
}

void RpcRouter::refuse(ring::ConnectionId caller, std::uint64_t request, std::string_view error,
                       std::string_view message) {
  tell(caller.worker, {.kind = Kind::call_refusal, .target = caller.packed(), .token = request},
       refusal_text(error, message));
}

void RpcRouter::registration_changed(MembershipChange change, ring::ConnectionId session,
                                     const Registration& registration) {
  events_.registration(change, session, registration);
}

bool RpcRouter::revoke(ring::ConnectionId callee, std::uint32_t registration,
                       std::string_view reason) {
  if (!dealer_.unregister(callee, registration)) return false;
  tell(callee.worker,
       {.kind = Kind::registration_revoked, .argument = registration, .target = callee.packed()},
       std::string(reason));
  settle_local();
  return true;
}

void RpcRouter::announced(std::uint32_t from) {
  awaited_ &= ~(std::uint64_t{1} << from);
  open_if_complete();
}

void RpcRouter::open_if_complete() {
  if (awaited_ != 0) return;
  while (!deferred_.empty()) {
    const Message message = std::move(deferred_.front());
    deferred_.pop_front();
    deferred_bytes_ -= message.frame.size();
    serve(message.descriptor, message.frame);
  }
}

// As home: its sessions are gone. As asker, where it was home: what was open there has no end any
// more but this one.
void RpcRouter::on_worker_lost(std::uint32_t worker) {
  dealer_.worker_lost(worker);
  std::erase_if(deferred_, [this, worker](const Message& message) {
    if (message.from == worker) deferred_bytes_ -= message.frame.size();
    return message.from == worker;
  });
  awaited_ &= ~(std::uint64_t{1} << worker);
  open_if_complete();
  for (const auto& [slot, dealing] : dealings_) {
    if (home_of_realm(dealing->realm) == worker) end_all_open(*dealing);
  }
  own_calls_.fail_realms([&](std::uint16_t realm) { return home_of_realm(realm) == worker; },
                         wire::uri::kNetworkFailure,
                         "the worker that kept the call is gone; what became of it is not known");
  settle_local();
}

// A home worker that was away is back and knows nothing: say what this worker's sessions have
// registered, and ask again what it had not answered.
void RpcRouter::on_worker_live(std::uint32_t worker) {
  for (const auto& [slot, dealing] : dealings_) {
    if (home_of_realm(dealing->realm) != worker) continue;
    for (const auto& [id, offer] : dealing->offers) {
      peers_.send(worker,
                  {.kind = Kind::announce_registration,
                   .realm = dealing->realm,
                   .argument = id,
                   .target = dealing->who.packed(),
                   .token = packed_terms(offer.match, offer.terms),
                   .topic_hash = offer.order,
                   .reserved = offer.terms.concurrency},
                  offer.uri);
    }
  }
  peers_.send(worker, {.kind = Kind::announce_registrations_done});
  std::erase_if(pending_,
                [this](const auto& entry) { return live_session(entry.second.who) == nullptr; });
  for (const auto& [token, pending] : pending_) {
    if (home_of_realm(pending.realm) == worker) ask_to_register(token, pending);
  }
}

}  // namespace ringcast::worker
