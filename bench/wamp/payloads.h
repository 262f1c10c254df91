// The payloads that the WAMP benchmarks measure: a list of records as a feed sends them, of about
// the size asked for, in either serializer.
#pragma once

#include <cstddef>
#include <string>

#include "wire/serializer.h"

namespace ringcast::wire::bench {

// Records of short strings, integers and floats.
std::string records(Serializer serializer, std::size_t size);
// One long string.
std::string text(Serializer serializer, std::size_t size);

}  // namespace ringcast::wire::bench
