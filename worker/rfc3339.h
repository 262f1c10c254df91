// Points in time as RFC 3339 writes them, in milliseconds since 1970. Stateless; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringcast::worker {

// "2026-11-21T20:02:45.123Z". REQUIRES: from year 0 to 9999.
std::string to_rfc3339(std::int64_t time_ms);

// Nothing if the text is no date-time of RFC 3339, section 5.6, or is beyond the years 0 to 9999.
// Of a second's fraction the first three digits count. A leap second is the one that follows it.
std::optional<std::int64_t> from_rfc3339(std::string_view text);

}  // namespace ringcast::worker
