// Single values of serialized arguments, for the few calls that the router answers itself.
// Stateless; any thread; off the hot path. Members of dicts: wire/members.h.
//
// Meant for arguments that a Decoder has checked, but safe with any bytes: what is no list has no
// elements, and what is no single value is of no kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/scan.h"
#include "wire/serializer.h"

namespace ringcast::wire {

// The elements of a list as they are written, views of `list`; no more than the first `count_max`.
std::vector<Bytes> list_elements(Serializer serializer, Bytes list, std::size_t count_max);

// What a serialized value is by its first byte: an integer may be told as any number. `absent` for
// empty bytes too.
ValueKind value_kind(Serializer serializer, Bytes value);

// Nothing if the value is of another type.
std::optional<std::string> text_value(Serializer serializer, Bytes value);
std::optional<std::uint64_t> integer_value(Serializer serializer, Bytes value);

}  // namespace ringcast::wire
