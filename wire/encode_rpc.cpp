// The messages of remote procedure calls.
#include <cassert>

#include "wire/encode.h"
#include "wire/message_writer.h"

namespace ringcast::wire {

void append_registered(std::string& out, Serializer serializer, std::uint64_t request,
                       std::uint64_t registration) {
  append_ids(out, serializer, MessageType::registered, request, registration);
}

void append_unregistered(std::string& out, Serializer serializer, std::uint64_t request) {
  append_done(out, serializer, MessageType::unregistered, request);
}

void append_registration_revoked(std::string& out, Serializer serializer,
                                 std::uint64_t registration, Bytes reason) {
  append_revoked(out, serializer, MessageType::unregistered, "registration", registration, reason);
}

void append_invocation(std::string& out, Serializer serializer, std::uint64_t request,
                       std::uint64_t registration, const InvocationDetails& details,
                       const Payload& payload) {
  MessageWriter writer(out, serializer, MessageType::invocation, 4 + payload_elements(payload));
  writer.integer(request);
  writer.integer(registration);
  DictWriter dict(writer);
  dict.text_if_any("procedure", details.procedure);
  dict.integer_if_any("caller", details.caller);
  dict.text_if_any("caller_authid", details.caller_authid);
  dict.text_if_any("caller_authrole", details.caller_authrole);
  dict.integer_if_any("timeout", details.timeout_ms);
  dict.flag("receive_progress", details.receive_progress);
  dict.flag("progress", details.progress);
  write_passthru(dict, details.passthru);
  dict.close();
  writer.payload(payload);
  writer.close_list();
}

void append_interrupt(std::string& out, Serializer serializer, std::uint64_t request,
                      const InterruptOptions& options) {
  assert(options.mode != CancelMode::skip);
  MessageWriter writer(out, serializer, MessageType::interrupt, 3);
  writer.integer(request);
  DictWriter dict(writer);
  dict.text("mode", name_of(options.mode, kCancelModeNames));
  dict.text_if_any("reason", options.reason);
  dict.close();
  writer.close_list();
}

void append_result(std::string& out, Serializer serializer, std::uint64_t request,
                   const ResultDetails& details, const Payload& payload) {
  MessageWriter writer(out, serializer, MessageType::result, 3 + payload_elements(payload));
  writer.integer(request);
  DictWriter dict(writer);
  dict.flag("progress", details.progress);
  write_passthru(dict, details.passthru);
  dict.close();
  writer.payload(payload);
  writer.close_list();
}

void append_register(std::string& out, Serializer serializer, std::uint64_t request,
                     const RegisterOptions& options, Bytes procedure) {
  MessageWriter writer(out, serializer, MessageType::register_, 4);
  writer.integer(request);
  DictWriter dict(writer);
  write_match(dict, options.match);
  if (options.invoke != InvokePolicy::single)
    dict.text("invoke", name_of(options.invoke, kInvokePolicyNames));
  dict.integer_if_any("concurrency", options.concurrency);
  dict.flag("disclose_caller", options.disclose_caller);
  dict.flag("forward_timeout", options.forward_timeout);
  dict.close();
  writer.text(procedure);
  writer.close_list();
}

void append_unregister(std::string& out, Serializer serializer, std::uint64_t request,
                       std::uint64_t registration) {
  append_ids(out, serializer, MessageType::unregister, request, registration);
}

void append_call(std::string& out, Serializer serializer, std::uint64_t request,
                 const CallOptions& options, Bytes procedure, const Payload& payload) {
  MessageWriter writer(out, serializer, MessageType::call, 4 + payload_elements(payload));
  writer.integer(request);
  DictWriter dict(writer);
  dict.integer_if_any("timeout", options.timeout_ms);
  dict.flag("receive_progress", options.receive_progress);
  dict.flag("progress", options.progress);
  dict.flag("disclose_me", options.disclose_me);
  write_passthru(dict, options.passthru);
  dict.close();
  writer.text(procedure);
  writer.payload(payload);
  writer.close_list();
}

void append_cancel(std::string& out, Serializer serializer, std::uint64_t request,
                   const CancelOptions& options) {
  MessageWriter writer(out, serializer, MessageType::cancel, 3);
  writer.integer(request);
  DictWriter dict(writer);
  dict.text("mode", name_of(options.mode, kCancelModeNames));
  dict.close();
  writer.close_list();
}

void append_yield(std::string& out, Serializer serializer, std::uint64_t request,
                  const YieldOptions& options, const Payload& payload) {
  MessageWriter writer(out, serializer, MessageType::yield, 3 + payload_elements(payload));
  writer.integer(request);
  DictWriter dict(writer);
  dict.flag("progress", options.progress);
  write_passthru(dict, options.passthru);
  dict.close();
  writer.payload(payload);
  writer.close_list();
}

}  // namespace ringcast::wire
