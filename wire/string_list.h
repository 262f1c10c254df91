// A serialized list of strings, such as HELLO.Details.authmethods, to values. Stateless; any
// thread; off the hot path.
#pragma once

#include <string>
#include <vector>

#include "wire/serializer.h"

namespace ringcast::wire {

// The strings of a list that a Decoder has checked; elements of other types are left out.
std::vector<std::string> decode_string_list(Serializer serializer, Bytes list);

}  // namespace ringcast::wire
