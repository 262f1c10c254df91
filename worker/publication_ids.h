// Publication ids: random numbers from 1 to 2^53 - 1, as WAMP has them ("Global Scope IDs"). They
// need to be unlikely to meet, not hard to guess. Owned by one worker thread.
//
// SplitMix64: a word of state and four multiplications and shifts. The standard library's generator
// of that quality keeps 2.5 KiB of state, which every publication would draw through the cache.
#pragma once

#include <cstdint>

namespace ringcast::worker {

class PublicationIds {
 public:
  explicit PublicationIds(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t word = state_;
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9u;
    word = (word ^ word >> 27) * 0x94D049BB133111EBu;
    return (word ^ word >> 31) >> 11 | 1;
  }

 private:
  std::uint64_t state_;
};

}  // namespace ringcast::worker
