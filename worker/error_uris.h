// Errors of Ringcast's own, beside those of the WAMP specification (wire/uri.h).
#pragma once

#include <string_view>

namespace ringcast::worker {

// A bound of this broker's is reached; the message says which.
inline constexpr std::string_view kLimitExceeded = "ringcast.error.limit_exceeded";
// A payload has no form in the serializer of the session that is to get it.
inline constexpr std::string_view kPayloadNotTranscodable =
    "ringcast.error.payload_not_transcodable";

// A query of a history refers to a publication that is not in it (any more).
inline constexpr std::string_view kUnknownPublication = "ringcast.error.unknown_publication";
// A session ends because the token that let it in has: GOODBYE.
inline constexpr std::string_view kIdentityExpired = "ringcast.close.identity_expired";

}  // namespace ringcast::worker
