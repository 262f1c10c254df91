// WAMP URI rules (WAMP specification, "URIs"). Stateless; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/message.h"

namespace ringcast::wire {

enum class UriRule : std::uint8_t { loose, strict };

inline constexpr std::size_t kUriSizeMax = 1024;  // bytes; longer ones are invalid [decision]

// Loose: ^([^\s\.#]+\.)*([^\s\.#]+)$, strict: ^([0-9a-z_]+\.)*([0-9a-z_]+)$. With prefix the last
// component may be empty, with wildcard each may (so "" is the prefix of all). \s is ASCII white
// space and Unicode's.
bool uri_valid(std::string_view uri, UriRule rule, MatchPolicy match = MatchPolicy::exact);

// "wamp" and everything below "wamp." belong to the router: nobody may publish or register there.
bool uri_reserved(std::string_view uri);

// What the specification names ("Predefined URIs", "Advanced Profile URIs").
namespace uri {
// Errors of requests.
inline constexpr std::string_view kInvalidUri = "wamp.error.invalid_uri";
inline constexpr std::string_view kInvalidArgument = "wamp.error.invalid_argument";
inline constexpr std::string_view kNoSuchSubscription = "wamp.error.no_such_subscription";
inline constexpr std::string_view kNoSuchProcedure = "wamp.error.no_such_procedure";
inline constexpr std::string_view kNoSuchRegistration = "wamp.error.no_such_registration";
inline constexpr std::string_view kNoSuchSession = "wamp.error.no_such_session";
inline constexpr std::string_view kProcedureAlreadyExists = "wamp.error.procedure_already_exists";
inline constexpr std::string_view kOptionNotAllowed = "wamp.error.option_not_allowed";
inline constexpr std::string_view kDiscloseMeDisallowed =
    "wamp.error.option_disallowed.disclose_me";
inline constexpr std::string_view kFeatureNotSupported = "wamp.error.feature_not_supported";
inline constexpr std::string_view kPayloadSizeExceeded = "wamp.error.payload_size_exceeded";
inline constexpr std::string_view kNetworkFailure = "wamp.error.network_failure";
// How calls end.
inline constexpr std::string_view kCanceled = "wamp.error.canceled";
inline constexpr std::string_view kTimeout = "wamp.error.timeout";
inline constexpr std::string_view kUnavailable = "wamp.error.unavailable";
inline constexpr std::string_view kNoAvailableCallee = "wamp.error.no_available_callee";
// Authorisation.
inline constexpr std::string_view kNotAuthorized = "wamp.error.not_authorized";
inline constexpr std::string_view kAuthorizationFailed = "wamp.error.authorization_failed";
// Authentication and the opening of sessions.
inline constexpr std::string_view kNoSuchRealm = "wamp.error.no_such_realm";
inline constexpr std::string_view kNoSuchRole = "wamp.error.no_such_role";
inline constexpr std::string_view kNoSuchPrincipal = "wamp.error.no_such_principal";
inline constexpr std::string_view kNoAuthMethod = "wamp.error.no_matching_auth_method";
inline constexpr std::string_view kAuthenticationDenied = "wamp.error.authentication_denied";
inline constexpr std::string_view kAuthenticationFailed = "wamp.error.authentication_failed";
inline constexpr std::string_view kAuthenticationRequired = "wamp.error.authentication_required";
inline constexpr std::string_view kProtocolViolation = "wamp.error.protocol_violation";
// The end of sessions.
inline constexpr std::string_view kSystemShutdown = "wamp.close.system_shutdown";
inline constexpr std::string_view kGoodbyeAndOut = "wamp.close.goodbye_and_out";
inline constexpr std::string_view kCloseRealm = "wamp.close.close_realm";
inline constexpr std::string_view kKilled = "wamp.close.killed";
}  // namespace uri

}  // namespace ringcast::wire
