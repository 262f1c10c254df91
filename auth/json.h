// JSON documents that strangers wrote, read strictly. Private to auth/; stateless.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace ringcast::auth {

inline constexpr std::size_t kJsonDepthMax = 16;

// An object, or nothing: for text that is not JSON or not UTF-8, for a document that is no object,
// for nesting beyond kJsonDepthMax, and where an object names a member twice, which two readers
// may understand differently (RFC 7519 section 4). `text` is bounded by the caller.
std::optional<nlohmann::json> parse_json_object(std::string_view text);

// The member, if it is there and a string.
const std::string* string_member(const nlohmann::json& object, const char* name);

}  // namespace ringcast::auth
