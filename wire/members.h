// Single members of serialized dicts and lists, for those that are read too seldom to be decoded
// with their message: HELLO.Details.authextra, AUTHENTICATE.Extra, CHALLENGE.Extra,
// WELCOME.Details, and what a procedure has answered to the router itself. Stateless; any thread;
// off the hot path.
//
// Meant for what a Decoder has checked, but safe with any bytes: what is no dict or list has no
// members. Of a member that comes twice the last counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/serializer.h"

namespace ringcast::wire {

// Nothing if there is no such member, or if it is of another type, null included.
std::optional<std::string> text_member(Serializer serializer, Bytes dict, Bytes name);
std::optional<std::uint64_t> integer_member(Serializer serializer, Bytes dict, Bytes name);

// The member as it is written, a view of `dict`; empty if there is none, or if it is null.
Bytes raw_member(Serializer serializer, Bytes dict, Bytes name);

// The first element of a list as it is written; empty if there is none, or if it is null.
Bytes first_element(Serializer serializer, Bytes list);

// A value as it is written; nothing if it is of another type, or none.
std::optional<bool> as_boolean(Serializer serializer, Bytes value);
std::optional<std::string> as_text(Serializer serializer, Bytes value);
bool is_dict(Serializer serializer, Bytes value);

}  // namespace ringcast::wire
