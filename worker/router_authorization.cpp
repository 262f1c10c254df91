// What sessions may do: asked of the Authorizer before anything else happens, and what they are
// told if they may not.
#include <utility>

#include "wire/uri.h"
#include "worker/router.h"

namespace ringcast::worker {
namespace {

auth::UriMatch match_of(wire::MatchPolicy match) {
  switch (match) {
    case wire::MatchPolicy::prefix:
      return auth::UriMatch::prefix;
    case wire::MatchPolicy::wildcard:
      return auth::UriMatch::wildcard;
    default:
      return auth::UriMatch::exact;
  }
}

std::string_view error_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::concealed:
      return wire::uri::kDiscloseMeDisallowed;
    case Verdict::failed:
      return wire::uri::kAuthorizationFailed;
    default:
      return wire::uri::kNotAuthorized;
  }
}

}  // namespace

Permission Router::may_publish(const Connection& connection, const wire::Publish& publish) {
  return authorizer_.check(connection, {.kind = auth::Action::publish,
                                        .uri = publish.topic,
                                        .request = publish.request,
                                        .options = publish.raw_options,
                                        .asks_disclosure = publish.options.disclose_me});
}

// By rules only: an authorizer is asked about one thing for each message, here about the call.
Permission Router::may_leave_testament(const Connection& connection, const wire::Publish& publish) {
  if (connection.session->unrestricted) return {};
  if (realms_.role_of(*connection.session).authorizer) {
    return {.verdict = Verdict::denied,
            .why = "an authorizer can't be asked about testaments; use a role with rules"};
  }
  return may_publish(connection, publish);
}

Permission Router::may_subscribe(const Connection& connection, const wire::Subscribe& subscribe) {
  if (connection.session->unrestricted) return {};
  return authorizer_.check(connection, {.kind = auth::Action::subscribe,
                                        .uri = subscribe.topic,
                                        .match = match_of(subscribe.options.match),
                                        .request = subscribe.request,
                                        .options = subscribe.raw_options});
}

// What is no URI is refused as such by who serves the request.
Permission Router::may_call(const Connection& connection, const wire::Call& call) {
  if (connection.session->unrestricted) return {};
  if (!wire::uri_valid(call.procedure, wire::UriRule::loose)) return {};
  return authorizer_.check(connection, {.kind = auth::Action::call,
                                        .uri = call.procedure,
                                        .request = call.request,
                                        .options = call.raw_options,
                                        .asks_disclosure = call.options.disclose_me});
}

Permission Router::may_register(const Connection& connection, const wire::Register& message) {
  const wire::MatchPolicy match = message.options.match;
  if (connection.session->unrestricted || match == wire::MatchPolicy::unknown) return {};
  if (!wire::uri_valid(message.procedure, wire::UriRule::loose, match)) return {};
  return authorizer_.check(connection, {.kind = auth::Action::register_,
                                        .uri = message.procedure,
                                        .match = match_of(match),
                                        .request = message.request,
                                        .options = message.raw_options});
}

Taken Router::forbid(Connection& connection, wire::MessageType type, std::uint64_t request,
                     const Permission& permission, bool answer) {
  if (permission.verdict == Verdict::waiting) return Taken::waiting;
  if (permission.verdict == Verdict::blocked) return Taken::blocked;
  connection.session->last_request = request;
  const bool failed = permission.verdict == Verdict::failed;
  counters_.add(failed ? ring::Counter::authorizations_failed
                       : ring::Counter::authorizations_denied);
  if (answer) error(connection, type, request, error_of(permission.verdict), permission.why);
  return Taken::yes;
}

bool Router::call_procedure(const OwnCall& call, RouterCalls::Callback end) {
  return rpc_.call_as_router(call, std::move(end));
}

void Router::warn(std::string line) {
  background_.submit([log = options_.log, line = std::move(line)] {
    log(LogLevel::warn, line);
    return Background::Conclusion();
  });
}

void Router::on_decided(ring::ConnectionId session) {
  if (Connection* connection = transport_.connections().find(session)) {
    transport_.offer_again(*connection);
  }
}

}  // namespace ringcast::worker
