// The bounds that every decoded message is held to.
#pragma once

#include <cstddef>

namespace ringcast::wire {

struct DecodeLimits {
  std::size_t depth_max = 64;           // nested lists and dicts, the message itself being 1
  std::size_t elements_max = 1u << 20;  // list elements and dict entries of one message in total
};

// A larger depth_max counts as this: what was decoded must also be convertible (wire/transcode.h).
inline constexpr std::size_t kDepthCeiling = 1024;

}  // namespace ringcast::wire
