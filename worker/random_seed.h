// Numbers that nobody can guess, for what begins at random. Any thread.
#pragma once

#include <cstdint>
#include <random>

namespace ringcast::worker {

inline std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) ^ device();
}

}  // namespace ringcast::worker
