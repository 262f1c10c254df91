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

namespace uri {
inline constexpr std::string_view kInvalidUri = "wamp.error.invalid_uri";
inline constexpr std::string_view kNoSuchRealm = "wamp.error.no_such_realm";
inline constexpr std::string_view kNoSuchSubscription = "wamp.error.no_such_subscription";
inline constexpr std::string_view kNoSuchProcedure = "wamp.error.no_such_procedure";
inline constexpr std::string_view kNoSuchRegistration = "wamp.error.no_such_registration";
inline constexpr std::string_view kProtocolViolation = "wamp.error.protocol_violation";
inline constexpr std::string_view kNotAuthorized = "wamp.error.not_authorized";
inline constexpr std::string_view kNoAuthMethod = "wamp.error.no_matching_auth_method";
inline constexpr std::string_view kOptionNotAllowed = "wamp.error.option_not_allowed";
inline constexpr std::string_view kNetworkFailure = "wamp.error.network_failure";
inline constexpr std::string_view kSystemShutdown = "wamp.close.system_shutdown";
inline constexpr std::string_view kGoodbyeAndOut = "wamp.close.goodbye_and_out";
inline constexpr std::string_view kCloseRealm = "wamp.close.close_realm";
}  // namespace uri

}  // namespace ringcast::wire
