// wamp.session.add_testament and flush_testaments (WAMP, "Session Testament").
#include <optional>
#include <string>
#include <utility>

#include "wire/decode.h"
#include "wire/uri.h"
#include "wire/writer.h"
#include "worker/error_uris.h"
#include "worker/meta_details.h"
#include "worker/session_meta.h"

namespace ringcast::worker {
namespace {

// Nothing if it is no scope; "destroyed" if there is none.
std::optional<Testaments::Scope> scope_of(const MetaArguments& arguments) {
  std::optional<std::string> scope;
  if (!arguments.optional_text("scope", scope)) return std::nullopt;
  if (!scope || *scope == "destroyed") return Testaments::Scope::destroyed;
  if (*scope == "detached") return Testaments::Scope::detached;
  return std::nullopt;
}

// The PUBLISH that the client would have sent, of what is raw in its own serializer.
std::string testament_message(const MetaArguments& arguments, std::string_view topic) {
  const wire::Bytes options = arguments.raw("publish_options");
  const wire::Bytes args = arguments.raw(1);
  const wire::Bytes kwargs = arguments.raw(2);
  std::string message;
  wire::Writer writer(message, arguments.serializer());
  writer.open_list(6);
  writer.integer(static_cast<std::uint64_t>(wire::MessageType::publish));
  writer.integer(1);
  if (options.empty()) {
    writer.open_dict(0);
    writer.close_dict();
  } else {
    writer.serialized(options);
  }
  writer.text(topic);
  args.empty() ? writer.null() : writer.serialized(args);
  kwargs.empty() ? writer.null() : writer.serialized(kwargs);
  writer.close_list();
  return message;
}

}  // namespace

// What it will be published with is checked now, by the decoder that it will go through then.
Taken SessionMeta::add_testament(const MetaCall& call) {
  const auto topic = call.arguments.text(0);
  if (!topic) return procedures_.invalid(call.caller, "expected the URI of a topic");
  const auto scope = scope_of(call.arguments);
  if (!scope) return procedures_.invalid(call.caller, kScopeExpected);
  if (!wire::uri_valid(*topic, wire::UriRule::loose) || wire::uri_reserved(*topic)) {
    procedures_.error(call.caller, wire::uri::kInvalidUri,
                      "the topic is not a valid URI, or below \"wamp.\"");
    return Taken::yes;
  }
  const IdentityView identity = identity_of(call.connection);
  OwnPublication publication{.realm = call.caller.realm,
                             .serializer = call.arguments.serializer(),
                             .message = testament_message(call.arguments, *topic),
                             .publisher = session_id(call.caller.who),
                             .publisher_authid = std::string(identity.authid()),
                             .publisher_authrole = std::string(identity.authrole())};
  wire::Decoder decoder(publication.serializer, {.depth_max = kDetailsDepthMax});
  const wire::DecodeResult& decoded = decoder.decode(publication.message);
  if (const auto* broken = std::get_if<wire::Violation>(&decoded)) {
    return procedures_.invalid(call.caller, broken->message);
  }
  const auto& publish = std::get<wire::Publish>(std::get<wire::Message>(decoded));
  const Permission permission = keeper_.may_leave_testament(call.connection, publish);
  if (!permission.allowed()) {
    procedures_.error(call.caller,
                      permission.verdict == Verdict::concealed ? wire::uri::kDiscloseMeDisallowed
                                                               : wire::uri::kNotAuthorized,
                      permission.why);
    return Taken::yes;
  }
  publication.discloses_publisher =
      publish.options.disclose_me || permission.disclose == auth::Disclosure::always;
  if (!testaments_.add(call.caller.who, *scope, std::move(publication))) {
    procedures_.error(call.caller, kLimitExceeded,
                      "this session, or all of them, have reached their limit of testaments");
    return Taken::yes;
  }
  procedures_.result(call.caller, {});
  return Taken::yes;
}

Taken SessionMeta::flush_testaments(const MetaCall& call) {
  const auto scope = scope_of(call.arguments);
  if (!scope) return procedures_.invalid(call.caller, kScopeExpected);
  testaments_.flush(call.caller.who, *scope);
  procedures_.result(call.caller, {});
  return Taken::yes;
}

}  // namespace ringcast::worker
