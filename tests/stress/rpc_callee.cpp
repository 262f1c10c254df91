#include "tests/stress/rpc_callee.h"

#include <array>

#include "tests/stress/clock.h"
#include "tests/stress/rpc_caller.h"
#include "wire/uri.h"

namespace ringcast::stress {
namespace {

// So that one that is half-open can't take in all there is.
constexpr std::uint64_t kConcurrency = 32;
constexpr std::int64_t kHoldMs = 20;
constexpr std::int64_t kHalfOpenMs = 8000;

constexpr std::array kPolicies = {wire::InvokePolicy::roundrobin, wire::InvokePolicy::random,
                                  wire::InvokePolicy::first, wire::InvokePolicy::last};

}  // namespace

Callee::Callee(Engine& engine, RpcWorld& world, bool understands_interrupt,
               std::uint32_t procedures)
    : RpcPeer(engine, world, world.next_uid(), 1),
      understands_interrupt_(understands_interrupt),
      procedures_(procedures) {
  ++world.callees;
}

void Callee::on_open() {
  wire::HelloDetails details;
  details.callee.announced = true;
  details.callee.features.set(wire::Feature::progressive_call_results);
  details.callee.features.set(wire::Feature::progressive_call_invocations);
  if (understands_interrupt_) details.callee.features.set(wire::Feature::call_canceling);
  hello(details);
}

void Callee::on_welcome(std::uint64_t session) {
  RpcPeer::on_welcome(session);
  register_all();
}

void Callee::register_all() {
  for (std::uint32_t procedure = 0; procedure < kProcedures; ++procedure) {
    if ((procedures_ >> procedure & 1) == 0) continue;
    const std::uint64_t request = take_request();
    wire::append_register(
        scratch_, kSerializer, request,
        {.invoke = kPolicies[procedure % kPolicies.size()], .concurrency = kConcurrency},
        RpcWorld::procedure_name(procedure));
    send_message();
    asked_.emplace(request, procedure);
    ++unanswered_;
  }
}

void Callee::on_other(const wire::Message& message) {
  if (const auto* invocation = std::get_if<wire::Invocation>(&message)) {
    return on_invocation(*invocation);
  }
  if (const auto* interrupt = std::get_if<wire::Interrupt>(&message)) {
    return on_interrupt(*interrupt);
  }
  if (const auto* registered = std::get_if<wire::Registered>(&message)) {
    return on_registered(*registered);
  }
  if (const auto* error = std::get_if<wire::Error>(&message)) return on_error(*error);
  if (dying_ && std::holds_alternative<wire::Unregistered>(message)) return;
  RpcPeer::on_other(message);
}

void Callee::on_registered(const wire::Registered& registered) {
  const auto asked = asked_.find(registered.request);
  if (asked == asked_.end()) {
    misdelivered("session {} gets REGISTERED {}, and has not asked", uid(), registered.request);
  }
  registrations_[registered.registration] = asked->second;
  asked_.erase(asked);
  --unanswered_;
}

void Callee::on_error(const wire::Error& error) {
  const auto asked = asked_.find(error.request);
  if (asked == asked_.end()) {
    misdelivered("session {} gets ERROR {} for request {} of type {}, and has not asked", uid(),
                 error.error, error.request, error.request_type);
  }
  if (error.error != wire::uri::kNetworkFailure || !world_.workers_die) {
    fail("session {} can't register: {}", uid(), error.error);
  }
  asked_.erase(asked);
  --unanswered_;
}

void Callee::on_invocation(const wire::Invocation& invocation) {
  const auto registration = registrations_.find(invocation.registration);
  if (registration == registrations_.end()) {
    misdelivered("session {} gets an invocation of registration {}, which it has not", uid(),
                 invocation.registration);
  }
  const auto note = from_arguments(invocation.payload.args);
  const auto order = note ? unpack(note->topic) : std::nullopt;
  if (!order || order->procedure != registration->second) {
    misdelivered("session {} gets a call of procedure {} that is none", uid(),
                 registration->second);
  }
  if (invocation.request <= last_invocation_) return on_part(invocation, *note, *order);
  if (invocation.request != last_invocation_ + 1) {
    misdelivered("session {} gets invocation {} after {}", uid(), invocation.request,
                 last_invocation_);
  }
  if (order->part != 0) {
    fail("part {} of request {} comes to session {} as a call of its own", order->part,
         note->publisher, uid());
  }
  last_invocation_ = invocation.request;
  work_.emplace(invocation.request,
                Work{.note = *note, .order = *order, .complete = !invocation.details.progress});
  world_.invoked(note->publisher);
  if (!dying_) do_as_wished(invocation.request);
}

void Callee::on_part(const wire::Invocation& invocation, const Note& note, const CallOrder& order) {
  const auto found = work_.find(invocation.request);
  if (found == work_.end()) {
    if (ended_in_parts_.contains(invocation.request)) return;
    misdelivered("session {} gets more of invocation {}, which is over", uid(), invocation.request);
  }
  Work& work = found->second;
  if (work.complete || note.publisher != work.note.publisher || order.part != work.parts) {
    fail("session {} gets part {} of request {} where part {} of request {} is next", uid(),
         order.part, note.publisher, work.parts, work.note.publisher);
  }
  ++work.parts;
  work.complete = !invocation.details.progress;
  if (!dying_) do_as_wished(invocation.request);
}

void Callee::do_as_wished(std::uint64_t request) {
  Work& work = work_.at(request);
  if (work.order.wish == Wish::fail) return give_error(request, "stress.error.refused");
  if (work.order.wish == Wish::unavailable && (uid() + work.note.publisher) % 2 == 0) {
    world_.refused(work.note.publisher);
    return give_error(request, wire::uri::kUnavailable);
  }
  if (!work.complete) return;
  if (work.order.wish == Wish::hold) return holds_.push_back({request, now_ms() + kHoldMs});
  if (work.order.wish == Wish::later) return later_.push_back(request);
  while (work.progress < work.order.progress) give_progress(request, work);
  give_result(request);
}

void Callee::tick(std::int64_t now) {
  if (dying_ || ended()) return;
  if (welcome() && unanswered_ == 0 && registrations_.empty()) register_all();
  std::vector<std::uint64_t> due;
  due.swap(later_);
  for (; !holds_.empty() && holds_.front().until_ms <= now; holds_.pop_front()) {
    due.push_back(holds_.front().request);
  }
  for (const std::uint64_t request : due) {
    const auto found = work_.find(request);
    if (found == work_.end()) continue;  // interrupted
    if (found->second.progress < found->second.order.progress) {
      give_progress(request, found->second);
      later_.push_back(request);
    } else {
      give_result(request);
    }
  }
}

std::string Callee::answer_arguments(const Work& work, std::uint8_t part) const {
  Note note = work.note;
  CallOrder order = work.order;
  order.part = part;
  note.topic = pack(order);
  return to_arguments(note);
}

void Callee::give_progress(std::uint64_t request, Work& work) {
  const std::string arguments = answer_arguments(work, ++work.progress);
  wire::append_yield(scratch_, kSerializer, request, {.progress = true},
                     {.args = arguments, .kwargs = {}});
  send_message();
}

// Some say it twice: the second is for an invocation that is over.
void Callee::give_result(std::uint64_t request) {
  const std::string arguments = answer_arguments(work_.at(request), 0);
  const unsigned times = world_.random(32) == 0 ? 2 : 1;
  for (unsigned i = 0; i < times; ++i) {
    wire::append_yield(scratch_, kSerializer, request, {}, {.args = arguments, .kwargs = {}});
    send_message();
  }
  forget(request);
}

void Callee::give_error(std::uint64_t request, wire::Bytes error) {
  const std::string arguments = answer_arguments(work_.at(request), 0);
  wire::append_error(scratch_, kSerializer, wire::MessageType::invocation, request,
                     wire::ErrorDetails{}, error, {.args = arguments, .kwargs = {}});
  send_message();
  forget(request);
}

void Callee::forget(std::uint64_t request) {
  const auto found = work_.find(request);
  if (!found->second.complete) ended_in_parts_.insert(request);
  work_.erase(found);
}

// What is killed is answered, or its caller would wait; to the other mode some say nothing.
void Callee::on_interrupt(const wire::Interrupt& interrupt) {
  ++world_.interrupts;
  if (!understands_interrupt_) {
    fail("session {} gets INTERRUPT {}, and has not announced call_canceling", uid(),
         interrupt.request);
  }
  if (interrupt.request == 0 || interrupt.request > last_invocation_) {
    misdelivered("session {} gets INTERRUPT {}, and its last invocation is {}", uid(),
                 interrupt.request, last_invocation_);
  }
  if (dying_ || !work_.contains(interrupt.request)) return;
  if (interrupt.options.mode == wire::CancelMode::kill || world_.random(2) == 0) {
    return give_error(interrupt.request, wire::uri::kCanceled);
  }
  forget(interrupt.request);
}

void Callee::provoke_cancels() {
  for (const auto& [request, work] : work_) {
    const auto caller = world_.callers.find(work.note.addressee);
    if (caller != world_.callers.end() && world_.random(2) == 0) {
      caller->second->cancel(work.note.publisher);
    }
  }
}

void Callee::die(Death how) {
  if (ended() || dying_) return;
  dying_ = true;
  leaving_ = true;
  switch (how) {
    case Death::fin:
      return close_now();
    case Death::fin_first:
      return finish();
    case Death::half_frame_rst: {
      std::string frame;
      wire::append_masked_frame(frame, wire::Opcode::binary, true, std::string(64, 'x'),
                                0x12345678);
      send_raw(std::string_view(frame).substr(0, 1 + world_.random(frame.size() - 1)));
      return reset();
    }
    case Death::close_frame:
      return leave();
    case Death::unregister_rst:
      for (const auto& [registration, procedure] : registrations_) {
        wire::append_unregister(scratch_, kSerializer, take_request(), registration);
        send_message();
      }
      return reset();
    case Death::goodbye_again:
      if (!registered()) return reset();
      goodbye();
      return on_open();
    case Death::half_open:
      thrown_away_ms_ = now_ms() + kHalfOpenMs;
      return stop_reading();
    case Death::rst:
    case Death::count_:
      return reset();
  }
}

// What comes from here on is another session's, which has been given nothing yet.
void Callee::on_goodbye(wire::Bytes reason) {
  if (!dying_) return RpcPeer::on_goodbye(reason);
  be_reborn();
  dying_ = leaving_ = false;
  registrations_.clear();
  work_.clear();
  ended_in_parts_.clear();
  later_.clear();
  holds_.clear();
  last_invocation_ = 0;
}

}  // namespace ringcast::stress
