#include "tests/stress/rpc_caller.h"

#include <algorithm>

#include "tests/stress/clock.h"
#include "wire/uri.h"

namespace ringcast::stress {
namespace {

constexpr std::string_view kRefused = "stress.error.refused";
constexpr std::string_view kLimitExceeded = "ringcast.error.limit_exceeded";

}  // namespace

void RpcWorld::invoked(std::uint64_t request) {
  ++invocations;
  if (!given_.insert(request).second) {
    fail("request {} of session {} is given to a callee, and was given to one before", request,
         request >> kRequestBits);
  }
  const auto caller = callers.find(request >> kRequestBits);
  if (caller != callers.end()) caller->second->invoked(request);
}

Caller::Caller(Engine& engine, RpcWorld& world) : Caller(engine, world, world.next_uid()) {}

Caller::Caller(Engine& engine, RpcWorld& world, std::uint64_t uid)
    : RpcPeer(engine, world, uid, uid << kRequestBits | 1), first_request_(next_request()) {
  world_.callers.emplace(uid, this);
}

Caller::~Caller() { world_.callers.erase(uid()); }

void Caller::on_open() {
  wire::HelloDetails details;
  details.caller.announced = true;
  details.caller.features.set(wire::Feature::progressive_call_results);
  details.caller.features.set(wire::Feature::progressive_call_invocations);
  details.caller.features.set(wire::Feature::call_canceling);
  hello(details);
}

void Caller::send_part(std::uint64_t request, CallPlan plan, std::uint8_t part) {
  plan.order.part = part;
  const Note note{
      .topic = pack(plan.order), .addressee = uid(), .publisher = request, .sequence = plan.serial};
  const std::size_t size = sizeof(Note) + (plan.serial % 16 == 0 ? world_.random(2000) : 0);
  const std::string arguments = to_arguments(note, size);
  wire::append_call(scratch_, kSerializer, request,
                    {.timeout_ms = plan.timeout_ms,
                     .receive_progress = plan.order.progress != 0,
                     .progress = part + 1 < plan.parts},
                    RpcWorld::procedure_name(plan.order.procedure),
                    {.args = arguments, .kwargs = {}});
  send_message();
}

void Caller::call(const CallPlan& plan) {
  const std::uint64_t request = take_request();
  ++world_.calls;
  const std::int64_t now = now_ms();
  open_.emplace(request, Open{.plan = plan, .parts_sent = 1, .made_ms = now});
  send_part(request, plan, 0);
  if (plan.parts > 1) in_parts_.push_back(request);
  if (plan.cancel_at == CancelAt::once_made) cancel(request);
  if (plan.cancel_at == CancelAt::a_moment_later) {
    cancels_due_.push_back({request, now + 1 + static_cast<std::int64_t>(world_.random(3))});
  }
}

// One part of each in a turn. Of some whose answer has come the rest is sent all the same, as it
// is by whoever has not seen the answer yet.
void Caller::tick(std::int64_t now) {
  std::erase_if(in_parts_, [&](std::uint64_t request) {
    const auto found = open_.find(request);
    if (found == open_.end()) return true;
    Open& call = found->second;
    ++world_.parts;
    send_part(request, call.plan, call.parts_sent);
    return ++call.parts_sent == call.plan.parts;
  });
  std::erase_if(cancels_due_, [&](const Due& due) {
    if (due.at_ms > now) return false;
    cancel(due.request);
    return true;
  });
}

void Caller::invoked(std::uint64_t request) {
  const auto found = open_.find(request);
  if (found == open_.end() || found->second.plan.cancel_at != CancelAt::once_invoked) return;
  cancel(request);
}

void Caller::cancel(std::uint64_t request) {
  const auto found = open_.find(request);
  if (found == open_.end() || found->second.canceled) return;
  if (found->second.plan.cancel_at == CancelAt::never) return;
  found->second.canceled = true;
  ++world_.cancels;
  wire::append_cancel(scratch_, kSerializer, request, {.mode = found->second.plan.mode});
  send_message();
}

void Caller::on_other(const wire::Message& message) {
  if (const auto* result = std::get_if<wire::Result>(&message)) return on_result(*result);
  if (const auto* error = std::get_if<wire::Error>(&message)) return on_error(*error);
  RpcPeer::on_other(message);
}

Caller::Open& Caller::open_call(std::uint64_t request, const char* what) {
  const auto found = open_.find(request);
  if (found != open_.end()) return found->second;
  if (request >= first_request_ && request < next_request()) {
    fail("session {} gets {} for its request {}, which has been answered before", uid(), what,
         request);
  }
  misdelivered("session {} gets {} for request {} of session {}", uid(), what, request,
               request >> kRequestBits);
}

void Caller::check_note(std::uint64_t request, const Open& open, const wire::Payload& payload,
                        std::uint8_t part) const {
  const auto note = from_arguments(payload.args);
  if (!note) misdelivered("the answer to request {} is not what its callee said", request);
  const auto order = unpack(note->topic);
  if (note->addressee != uid() || note->publisher != request ||
      note->sequence != open.plan.serial || !order ||
      order->procedure != open.plan.order.procedure) {
    misdelivered("request {} of session {} is answered with what is for request {} of session {}",
                 request, uid(), note->publisher, note->addressee);
  }
  if (order->part != part) {
    fail("request {} gets part {} of its results where part {} is next", request, order->part,
         part);
  }
}

void Caller::on_result(const wire::Result& result) {
  Open& call = open_call(result.request, "a RESULT");
  if (result.details.progress) {
    ++world_.progressive;
    ++call.progress;
    if (call.progress > call.plan.order.progress) {
      fail("request {} gets more progressive results than its callee sent", result.request);
    }
    return check_note(result.request, call, result.payload, call.progress);
  }
  // The last one carries no number; whether all came before is seen by their count.
  check_note(result.request, call, result.payload, 0);
  if (call.progress != call.plan.order.progress) {
    fail("request {} has got {} progressive results of {} when the last one comes", result.request,
         call.progress, call.plan.order.progress);
  }
  end(result.request, "result", true);
}

void Caller::on_error(const wire::Error& error) {
  const Open& call = open_call(error.request, "an ERROR");
  if (error.request_type != static_cast<std::uint64_t>(wire::MessageType::call)) {
    fail("session {} gets ERROR {} for request {} of type {}", uid(), error.error, error.request,
         error.request_type);
  }
  const bool by_callee = error.error == kRefused;
  if (by_callee) {
    check_note(error.request, call, error.payload, 0);
    if (call.plan.order.wish != Wish::fail) fail("request {} was refused unasked", error.request);
  } else {
    check_error(call, error.request, error.error);
    // What a callee says when it is interrupted carries its note, what the dealer says does not.
    if (from_arguments(error.payload.args)) check_note(error.request, call, error.payload, 0);
  }
  end(error.request, error.error, by_callee);
}

void Caller::check_error(const Open& open, std::uint64_t request, std::string_view uri) const {
  const CallPlan& plan = open.plan;
  const bool ends_early = plan.callee_dies || world_.workers_die;
  const bool expected = (uri == wire::uri::kCanceled && (open.canceled || ends_early)) ||
                        (uri == wire::uri::kTimeout && plan.timeout_ms != 0) ||
                        (uri == wire::uri::kNoAvailableCallee &&
                         (plan.order.wish == Wish::unavailable || ends_early)) ||
                        (uri == wire::uri::kNoSuchProcedure && ends_early) ||
                        (uri == wire::uri::kNetworkFailure && world_.workers_die) ||
                        uri == kLimitExceeded;
  if (!expected) fail("request {} of session {} ends with ERROR {}", request, uid(), uri);
}

void Caller::end(std::uint64_t request, std::string_view how, bool by_callee) {
  const auto found = open_.find(request);
  const Open call = found->second;
  open_.erase(found);
  ++world_.answers;
  const auto counted = world_.endings.find(how);
  if (counted != world_.endings.end()) {
    ++counted->second;
  } else {
    world_.endings.emplace(how, 1);
  }
  if (call.plan.again && !by_callee) {
    world_.again.push_back(call.plan.serial);
  } else {
    ++world_.settled;
  }
  // Half of those whose end came early send what was left.
  if (call.parts_sent < call.plan.parts && world_.random(2) == 0) {
    for (std::uint8_t part = call.parts_sent; part < call.plan.parts; ++part) {
      ++world_.late_parts;
      send_part(request, call.plan, part);
    }
  }
}

void Caller::on_gone() {
  for (const auto& [request, call] : open_) {
    ++world_.lost_with_connection;
    if (call.plan.again) {
      world_.again.push_back(call.plan.serial);
    } else {
      ++world_.settled;
    }
  }
  if (leaving_ && !open_.empty() && !world_.workers_die) {
    fail("session {} ends, and {} of its calls have no answer", uid(), open_.size());
  }
  open_.clear();
  in_parts_.clear();
  cancels_due_.clear();
}

void Caller::expect_answered_within(std::int64_t ms, std::int64_t now) const {
  for (const auto& [request, call] : open_) {
    if (now - call.made_ms < ms) continue;
    fail(
        "request {} of session {} (wish {}, {} parts, timeout {}, cancel {} {}) has no answer "
        "after {} ms",
        request, uid(), static_cast<int>(call.plan.order.wish), call.plan.parts,
        call.plan.timeout_ms, static_cast<int>(call.plan.cancel_at),
        call.canceled ? "sent" : "not sent", now - call.made_ms);
  }
}

}  // namespace ringcast::stress
