#include "worker/dealer.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "wire/uri.h"
#include "worker/error_uris.h"

namespace ringcast::worker {
Dealer::Dealer(DealerOutput& output, std::uint64_t hash_seed,
               std::function<std::uint32_t()> draw_id)
    : output_(output), draw_id_(std::move(draw_id)), registrations_(hash_seed) {}

Dealer::Registered Dealer::register_procedure(ring::ConnectionId callee, const ProcedureKey& key,
                                              const RegistrationTerms& terms) {
  Registration* registration = registrations_.find(key);
  if (registration == nullptr) {
    const std::uint32_t id = draw_id_();
    if (id == 0) {
      return {.error = kLimitExceeded,
              .message = "this node has used up its registration ids; restart it"};
    }
    const Registrations::Created created = registrations_.create(key, terms.invoke, id);
    if (created.registration == nullptr)
      return {.error = kLimitExceeded, .message = created.refused};
    registration = created.registration;
    output_.registration_changed(MembershipChange::created, callee, *registration);
  } else if (registration->invoke == wire::InvokePolicy::single ||
             registration->invoke != terms.invoke) {
    return {.error = wire::uri::kProcedureAlreadyExists,
            .message = registration->invoke == wire::InvokePolicy::single
                           ? "another session has registered it, for itself alone"
                           : "it is registered with another invocation policy"};
  } else if (registration->find(callee) != nullptr) {
    return {.error = wire::uri::kProcedureAlreadyExists,
            .message = "this session has registered it already"};
  }
  registration->callees.push_back({.session = callee, .terms = terms, .order = ++order_});
  party(callee).registrations.push_back(registration->id);
  output_.registration_changed(MembershipChange::joined, callee, *registration);
  return {.registration = registration->id, .order = order_};
}

void Dealer::restore(ring::ConnectionId callee, const ProcedureKey& key,
                     const RegistrationTerms& terms, std::uint32_t id, std::uint64_t order) {
  Registration* registration = registrations_.find(key);
  if (registration == nullptr) {
    if (id == 0 || registrations_.find(id) != nullptr) return;
    registration = registrations_.create(key, terms.invoke, id).registration;
    if (registration == nullptr) return;
  }
  if (registration->id != id || registration->find(callee) != nullptr) return;
  auto& callees = registration->callees;
  const auto behind = std::find_if(callees.begin(), callees.end(),
                                   [order](const Callee& other) { return other.order > order; });
  callees.insert(behind, {.session = callee, .terms = terms, .order = order});
  party(callee).registrations.push_back(id);
  order_ = std::max(order_, order);
}

bool Dealer::unregister(ring::ConnectionId callee, std::uint32_t id) {
  Registration* registration = registrations_.find(id);
  if (registration == nullptr || registration->find(callee) == nullptr) return false;
  std::erase(party(callee).registrations, id);
  remove_callee(*registration, callee);
  forget_if_idle(callee);
  return true;
}

// The last one takes the registration with it, and so all that waited for somebody to have room.
void Dealer::remove_callee(Registration& registration, ring::ConnectionId callee) {
  std::erase_if(registration.callees,
                [callee](const Callee& candidate) { return candidate.session == callee; });
  output_.registration_changed(MembershipChange::left, callee, registration);
  if (!registration.callees.empty()) return;
  while (!registration.queue.empty()) {
    fail(registration.queue.first, wire::uri::kCanceled,
         "the procedure's last callee has left before the call's turn came");
  }
  output_.registration_changed(MembershipChange::deleted, callee, registration);
  registrations_.erase(registration);
}

void Dealer::refuse(const NewCall& call, std::string_view error, std::string_view message) {
  output_.refuse(call.caller, call.request, error, message);
}

void Dealer::call(const NewCall& call) {
  const std::uint32_t open = calls_.find(call.caller, call.request);
  // More of a call that has just ended is for nobody, and no call of its own.
  if (call.more != (open != kNoCall)) return;
  if (call.more) return continue_call(open, call);
  Registration* registration = registrations_.match(call.realm, call.procedure);
  if (registration == nullptr) {
    return refuse(call, wire::uri::kNoSuchProcedure, "nobody has registered this procedure");
  }
  if (calls_.size() >= kCallsMax) {
    return refuse(call, kLimitExceeded, "too many calls are open; try again later");
  }
  const std::uint32_t index = calls_.create(call.caller, call.request);
  CallRecord& record = calls_[index];
  record.registration = registration->id;
  record.realm = call.realm;
  record.timeout_ms = call.timeout_ms;
  record.wants_progress = call.wants_progress;
  record.continues = call.continues;
  calls_.append(party(call.caller).made, Chain::made, index);
  set_deadline(index);
  // Nobody overtakes those who wait: a callee gets a caller's calls in the order made.
  if (!registration->queue.empty()) return enqueue(index, *registration, call.frame);
  dispatch(index, call.frame);
}

// More of a call in parts, to the callee that has the first ones. Behind the last part nothing more
// is taken, nor is anything for a call that waits: the parts that came before have reached nobody.
void Dealer::continue_call(std::uint32_t index, const NewCall& more) {
  CallRecord& record = calls_[index];
  if (!record.continues) return;
  record.continues = more.continues;
  if (!record.held) {
    return fail(index, kLimitExceeded,
                "a call in parts can't wait for a callee that is at its concurrency");
  }
  record.in_parts = true;
  drop_kept(index);  // nobody else could be given all of it any more
  output_.invoke(record.callee,
                 {.call = calls_.name(index),
                  .realm = record.realm,
                  .registration = record.registration,
                  .continues = true},
                 more.frame);
}

// To somebody who has room, or else into the queue.
void Dealer::dispatch(std::uint32_t index, std::string_view frame) {
  Registration* registration = registrations_.find(calls_[index].registration);
  if (registration == nullptr) {
    return fail(index, wire::uri::kNoSuchProcedure, "the procedure's last callee has left");
  }
  const Choice choice = registrations_.choose(*registration, calls_[index].tried);
  if (!choice.untried) {
    return fail(index, wire::uri::kNoAvailableCallee,
                "none of the procedure's callees is available");
  }
  if (choice.callee == nullptr) return enqueue(index, *registration, frame);
  if (party(choice.callee->session).given.size >= kGivenMax) {
    return fail(index, kLimitExceeded, "the callee leaves too many calls unanswered");
  }
  give(index, *registration, *choice.callee, frame);
}

void Dealer::give(std::uint32_t index, Registration& registration, Callee& callee,
                  std::string_view frame) {
  CallRecord& record = calls_[index];
  record.callee = callee.session;
  record.callee_order = callee.order;
  record.held = true;
  record.interruptible = callee.terms.understands_interrupt;
  ++callee.busy;
  calls_.append(party(callee.session).given, Chain::given, index);
  // Who looks after the timeout is known only now.
  if (callee.terms.forwards_timeout) {
    record.timeout_ms = 0;
    set_deadline(index);
  }
  output_.invoke(callee.session,
                 {.call = calls_.name(index),
                  .realm = record.realm,
                  .registration = registration.id,
                  .by_pattern = registration.match != wire::MatchPolicy::exact,
                  .discloses_caller = callee.terms.discloses_caller,
                  .forwards_timeout = callee.terms.forwards_timeout},
                 frame);
  const bool others = registration.callees.size() > record.tried.size() + 1;
  if (others) {
    keep(index, frame);
  } else {
    drop_kept(index);
  }
}

void Dealer::enqueue(std::uint32_t index, Registration& registration, std::string_view frame) {
  if (registration.queue.size >= kQueuedCallsMax || kept_bytes_ + frame.size() > kKeptBytesMax) {
    return fail(index, kLimitExceeded,
                "every callee is at its concurrency, and too many calls wait already");
  }
  keep(index, frame);
  calls_[index].queued = true;
  calls_.append(registration.queue, Chain::queued, index);
}

void Dealer::leave_queue(std::uint32_t index) {
  CallRecord& record = calls_[index];
  if (!record.queued) return;
  calls_.remove(registrations_.find(record.registration)->queue, Chain::queued, index);
  record.queued = false;
}

// Somebody may have room now.
void Dealer::serve_queue(std::uint32_t id) {
  Registration* registration = registrations_.find(id);
  while (registration != nullptr && !registration->queue.empty()) {
    const std::uint32_t index = registration->queue.first;
    const Choice choice = registrations_.choose(*registration, calls_[index].tried);
    if (choice.untried && choice.callee == nullptr) return;
    leave_queue(index);
    const std::string frame = calls_[index].kept;
    dispatch(index, frame);
    registration = registrations_.find(id);
  }
}

bool Dealer::outcome(ring::ConnectionId callee, std::uint64_t call, Outcome outcome,
                     std::string_view frame) {
  const std::uint32_t index = calls_.named(call);
  if (index == kNoCall || !calls_[index].held || calls_[index].callee != callee) return false;
  CallRecord& record = calls_[index];
  if (outcome == Outcome::progress) {
    if (!record.open || !record.wants_progress) return true;
    set_deadline(index);  // each progressive result starts it anew
    output_.answer(record.caller, record.request, outcome, frame);
    return true;
  }
  const std::uint32_t registration = record.registration;
  end_for_callee(index);
  if (record.open) {
    const bool refused = outcome == Outcome::unavailable || outcome == Outcome::undelivered;
    if (refused && !record.canceling) {
      record.tried.push_back(callee);
      reroute(index, outcome == Outcome::undelivered ? frame : std::string_view());
    } else if (outcome == Outcome::undelivered) {
      fail(index, wire::uri::kCanceled, "the call was canceled before its callee had it");
    } else {
      output_.answer(record.caller, record.request,
                     outcome == Outcome::result ? Outcome::result : Outcome::error, frame);
      end_for_caller(index);
      destroy_if_over(index);
    }
  } else {
    destroy_if_over(index);
  }
  serve_queue(registration);
  return true;
}

// `frame`: the call, where it has come back; what was kept of it otherwise. Of a call in parts only
// the first comes back, and the others are lost.
void Dealer::reroute(std::uint32_t index, std::string_view frame) {
  const std::string kept = calls_[index].kept;
  if (frame.empty()) frame = kept;
  if (frame.empty() || calls_[index].in_parts) {
    return fail(index, wire::uri::kNoAvailableCallee, "the procedure's callee is not available");
  }
  dispatch(index, frame);
}

void Dealer::cancel(ring::ConnectionId caller, std::uint64_t request, wire::CancelMode mode) {
  const std::uint32_t index = calls_.find(caller, request);
  if (index == kNoCall) return;  // it has just been answered
  CallRecord& record = calls_[index];
  if (record.held && record.interruptible && mode == wire::CancelMode::kill) {
    if (record.canceling) return;
    record.canceling = true;
    return output_.interrupt(record.callee, calls_.name(index), mode);
  }
  const std::uint32_t registration = record.registration;
  if (mode != wire::CancelMode::skip) stop(index);
  fail(index, wire::uri::kCanceled, "canceled by the caller");
  serve_queue(registration);
}

bool Dealer::give_up(ring::ConnectionId caller, std::uint64_t request, std::string_view error,
                     std::string_view message) {
  const std::uint32_t index = calls_.find(caller, request);
  if (index == kNoCall) return false;
  give_up(index, error, message);
  return true;
}

void Dealer::give_up_given(ring::ConnectionId callee, std::uint64_t call, std::string_view error,
                           std::string_view message) {
  const std::uint32_t index = calls_.named(call);
  if (index == kNoCall || !calls_[index].held || calls_[index].callee != callee) return;
  if (calls_[index].open) give_up(index, error, message);
}

void Dealer::give_up(std::uint32_t index, std::string_view error, std::string_view message) {
  const std::uint32_t registration = calls_[index].registration;
  stop(index);
  fail(index, error, message);
  serve_queue(registration);
}

void Dealer::expire(TimeMs now) {
  now_ = now;
  while (const std::uint64_t name = deadlines_.take_due(now)) {
    const std::uint32_t index = calls_.named(name);
    assert(index != kNoCall && calls_[index].open && "a deadline goes with its call");
    calls_[index].deadline_ms = 0;
    give_up(index, wire::uri::kTimeout, "the call was not answered within its timeout");
  }
}

// Its callee is to end it and need not answer (WAMP, "Call Canceling", killnowait), so it is done
// with it. One that can't be told answers in its time.
void Dealer::stop(std::uint32_t index) {
  const CallRecord& record = calls_[index];
  if (!record.held || !record.interruptible) return;
  output_.interrupt(record.callee, calls_.name(index), wire::CancelMode::killnowait);
  end_for_callee(index);
}

void Dealer::fail(std::uint32_t index, std::string_view error, std::string_view message) {
  leave_queue(index);
  output_.refuse(calls_[index].caller, calls_[index].request, error, message);
  end_for_caller(index);
  destroy_if_over(index);
}

void Dealer::end_for_caller(std::uint32_t index) {
  CallRecord& record = calls_[index];
  calls_.close(index);
  record.timeout_ms = 0;
  set_deadline(index);
  drop_kept(index);
  calls_.remove(party(record.caller).made, Chain::made, index);
  forget_if_idle(record.caller);
}

void Dealer::end_for_callee(std::uint32_t index) {
  CallRecord& record = calls_[index];
  record.held = false;
  calls_.remove(party(record.callee).given, Chain::given, index);
  if (Registration* registration = registrations_.find(record.registration)) {
    // It may have unregistered meanwhile, and even have come back.
    Callee* callee = registration->find(record.callee);
    if (callee != nullptr && callee->order == record.callee_order) --callee->busy;
  }
  forget_if_idle(record.callee);
}

void Dealer::destroy_if_over(std::uint32_t index) {
  if (!calls_[index].open && !calls_[index].held) calls_.destroy(index);
}

void Dealer::keep(std::uint32_t index, std::string_view frame) {
  CallRecord& record = calls_[index];
  if (!record.kept.empty() || kept_bytes_ + frame.size() > kKeptBytesMax) return;
  record.kept = frame;
  kept_bytes_ += frame.size();
}

void Dealer::drop_kept(std::uint32_t index) {
  std::string gone;
  gone.swap(calls_[index].kept);
  kept_bytes_ -= gone.size();
}

// A call's deadline, from now; takes the one before it away.
// One more than asked for, as the clock's milliseconds are cut off: never too early.
void Dealer::set_deadline(std::uint32_t index) {
  CallRecord& record = calls_[index];
  if (record.deadline_ms != 0) deadlines_.clear(record.deadline_ms, calls_.name(index));
  record.deadline_ms = record.timeout_ms == 0 ? 0 : now_ + record.timeout_ms + 1;
  if (record.deadline_ms != 0) deadlines_.set(record.deadline_ms, calls_.name(index));
}

Dealer::Party* Dealer::find_party(ring::ConnectionId session) {
  const auto found = parties_.find(session.packed());
  return found == parties_.end() ? nullptr : &found->second;
}

void Dealer::forget_if_idle(ring::ConnectionId session) {
  const auto found = parties_.find(session.packed());
  if (found == parties_.end()) return;
  const Party& party = found->second;
  if (party.made.empty() && party.given.empty() && party.registrations.empty()) {
    parties_.erase(found);
  }
}

// First what it made, then what it offered, so that nothing is given to it any more; then what it
// had been given.
void Dealer::session_gone(ring::ConnectionId session) {
  std::vector<std::uint32_t> has_room;  // registrations, looked at when it is none of the callees
  while (const Party* party = find_party(session)) {
    if (party->made.empty()) break;
    const std::uint32_t index = party->made.first;
    leave_queue(index);
    if (calls_[index].held) has_room.push_back(calls_[index].registration);
    stop(index);
    end_for_caller(index);
    destroy_if_over(index);
  }
  while (const Party* party = find_party(session)) {
    if (party->registrations.empty()) break;
    unregister(session, party->registrations.back());
  }
  while (const Party* party = find_party(session)) {
    const std::uint32_t index = party->given.first;
    const std::uint32_t registration = calls_[index].registration;
    end_for_callee(index);
    if (calls_[index].open) {
      fail(index, wire::uri::kCanceled, "the callee's session has ended");
    } else {
      destroy_if_over(index);
    }
    serve_queue(registration);
  }
  for (const std::uint32_t registration : has_room) serve_queue(registration);
}

void Dealer::worker_lost(std::uint32_t worker) {
  std::vector<ring::ConnectionId> gone;
  for (const auto& [packed, party] : parties_) {
    const auto session = ring::ConnectionId::from_packed(packed);
    if (session.worker == worker) gone.push_back(session);
  }
  for (const ring::ConnectionId session : gone) session_gone(session);
}

}  // namespace ringcast::worker
