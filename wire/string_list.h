// A serialized list of strings, such as HELLO.Details.authmethods, to values. Stateless; any
// thread; off the hot path, where ListReader (wire/list_reader.h) is for the same.
#pragma once

#include <string>
#include <vector>

#include "wire/serializer.h"

namespace ringcast::wire {

// The strings of a list that a Decoder has checked to be one of strings; empty bytes are an empty
// list.
std::vector<std::string> decode_string_list(Serializer serializer, Bytes list);

}  // namespace ringcast::wire
