// Values of every type, and which of them pass for what: what the tests put where something else
// must be.
#pragma once

#include <vector>

#include "samples.h"

namespace ringcast::wire::test {

std::vector<Json> values_of_every_type(Serializer serializer);

// An integer from `lowest` to 2^53.
bool is_id(const Json& value, std::uint64_t lowest);
// null, or what stands for `undefined` in MessagePack.
bool is_absent(const Json& value);

}  // namespace ringcast::wire::test
