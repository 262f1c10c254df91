// Single members of a serialized dict, for those that are read too seldom to be decoded with their
// message: HELLO.Details.authextra, AUTHENTICATE.Extra, CHALLENGE.Extra, WELCOME.Details.
// Stateless; any thread; off the hot path.
//
// Meant for dicts that a Decoder has checked, but safe with any bytes: what is no dict has no
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

}  // namespace ringcast::wire
