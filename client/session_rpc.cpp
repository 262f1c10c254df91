// A session's calls, and the procedures that it serves.
#include <fmt/format.h>

#include <utility>

#include "client/session_impl.h"
#include "wire/encode.h"

namespace ringcast::client {

// ---- Caller ----

std::uint64_t Session::Impl::call(std::string_view procedure, const wire::CallOptions& options,
                                  const wire::Payload& payload, OnAnswer on_answer) {
  if (state_ != State::joined) {
    on_answer(not_joined());
    return 0;
  }
  const std::uint64_t request = ++last_request_;
  wire::append_call(outgoing_, options_.serializer, request, options, procedure, payload);
  calls_.emplace(request, std::make_shared<const OnAnswer>(std::move(on_answer)));
  send();
  return request;
}

void Session::Impl::cancel(std::uint64_t call, wire::CancelMode mode) {
  if (state_ != State::joined || !calls_.contains(call)) return;
  wire::append_cancel(outgoing_, options_.serializer, call, {mode});
  send();
}

void Session::Impl::on(const wire::Result& result) {
  const Answer answer = Result{result.details.progress, result.payload};
  if (!result.details.progress) {
    if (!end_call(result.request, answer)) answer_to_nothing("RESULT");
    return;
  }
  const auto found = calls_.find(result.request);
  if (found == calls_.end()) return answer_to_nothing("RESULT");
  const std::shared_ptr<const OnAnswer> on_answer = found->second;  // outlives its own callback
  (*on_answer)(answer);
}

bool Session::Impl::end_call(std::uint64_t request, const Answer& answer) {
  const auto found = calls_.extract(request);
  if (found.empty()) return false;
  (*found.mapped())(answer);
  return true;
}

// ---- Callee ----

void Session::Impl::register_procedure(std::string_view procedure,
                                       const wire::RegisterOptions& options, Procedure handlers,
                                       Done on_done) {
  if (state_ != State::joined) return on_done(not_joined());
  const std::uint64_t request = ++last_request_;
  wire::append_register(outgoing_, options_.serializer, request, options, procedure);
  registering_.emplace(
      request, PendingRegister{std::string(procedure), std::move(handlers), std::move(on_done)});
  send();
}

void Session::Impl::unregister(std::uint64_t registration, Done on_done) {
  if (state_ != State::joined) return on_done(not_joined());
  const std::uint64_t request = ++last_request_;
  wire::append_unregister(outgoing_, options_.serializer, request, registration);
  unregistering_.emplace(request, PendingUnregister{registration, std::move(on_done)});
  send();
}

void Session::Impl::on(const wire::Registered& registered) {
  auto found = registering_.extract(registered.request);
  if (found.empty()) return answer_to_nothing("REGISTERED");
  PendingRegister& pending = found.mapped();
  registrations_.insert_or_assign(registered.registration,
                                  std::make_shared<Registration>(Registration{
                                      std::move(pending.procedure), std::move(pending.handlers)}));
  pending.on_done(registered.registration);
}

void Session::Impl::on(const wire::Unregistered& unregistered) {
  if (unregistered.request == 0) {  // "Registration Revocation"
    const auto revoked = registrations_.extract(unregistered.registration);
    if (!revoked.empty()) revoked.mapped()->handlers.on_revoked(unregistered.reason);
    return;
  }
  auto found = unregistering_.extract(unregistered.request);
  if (found.empty()) return answer_to_nothing("UNREGISTERED");
  registrations_.erase(found.mapped().registration);
  found.mapped().on_done(found.mapped().registration);
}

void Session::Impl::on(const wire::Invocation& invocation) {
  if (state_ == State::leaving) return;
  const auto found = registrations_.find(invocation.registration);
  if (found == registrations_.end()) return answer_to_nothing("INVOCATION");
  const std::shared_ptr<Registration> registration = found->second;
  if (!invocations_.emplace(invocation.request, registration).second)
    return violation("INVOCATION with the id of one that is not answered yet");
  const std::string_view procedure = invocation.details.procedure.empty()
                                         ? std::string_view(registration->procedure)
                                         : invocation.details.procedure;
  registration->handlers.on_invocation(
      Invocation{invocation.request, procedure, invocation.details, invocation.payload});
}

void Session::Impl::on(const wire::Interrupt& interrupt) {
  // One that was answered meanwhile has crossed with it.
  const auto found = invocations_.find(interrupt.request);
  if (found == invocations_.end()) return;
  const std::shared_ptr<Registration> registration = found->second;
  registration->handlers.on_interrupt(interrupt.request, interrupt.options.reason);
}

bool Session::Impl::answer_invocation(std::uint64_t invocation) {
  return invocations_.erase(invocation) != 0 && state_ == State::joined;
}

void Session::Impl::yield(std::uint64_t invocation, const wire::YieldOptions& options,
                          const wire::Payload& payload) {
  if (options.progress ? !invocations_.contains(invocation) || state_ != State::joined
                       : !answer_invocation(invocation))
    return;
  wire::append_yield(outgoing_, options_.serializer, invocation, options, payload);
  send();
}

void Session::Impl::fail_invocation(std::uint64_t invocation, std::string_view uri,
                                    const wire::Payload& payload) {
  if (!answer_invocation(invocation)) return;
  wire::append_error(outgoing_, options_.serializer, wire::MessageType::invocation, invocation, {},
                     uri, payload);
  send();
}

// ---- The public side ----

std::uint64_t Session::call(std::string_view procedure, const wire::CallOptions& options,
                            const wire::Payload& payload,
                            std::function<void(const Answer&)> on_answer) {
  return impl_->call(procedure, options, payload, std::move(on_answer));
}

void Session::cancel(std::uint64_t call, wire::CancelMode mode) { impl_->cancel(call, mode); }

void Session::register_procedure(std::string_view procedure, const wire::RegisterOptions& options,
                                 Procedure handlers,
                                 std::function<void(const IdOrFailure&)> on_done) {
  impl_->register_procedure(procedure, options, std::move(handlers), std::move(on_done));
}

void Session::unregister(std::uint64_t registration,
                         std::function<void(const IdOrFailure&)> on_done) {
  impl_->unregister(registration, std::move(on_done));
}

void Session::yield(std::uint64_t invocation, const wire::YieldOptions& options,
                    const wire::Payload& payload) {
  impl_->yield(invocation, options, payload);
}

void Session::fail_invocation(std::uint64_t invocation, std::string_view uri,
                              const wire::Payload& payload) {
  impl_->fail_invocation(invocation, uri, payload);
}

}  // namespace ringcast::client
