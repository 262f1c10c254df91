// The receiving process: reads and throws away, and says when a round has arrived whole, as the
// load generator's next publication says it to a broker.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace ringcast::floor_bench {

// Reads from `sockets` until `rounds` (a socket) ends. Each time all of them together have brought
// `round_bytes`, it writes one byte to `rounds`. With `spin` it never sleeps; `idle_ns` counts the
// time of polls that found nothing. Throws std::system_error.
void receive_rounds(const std::vector<int>& sockets, int rounds, std::uint64_t round_bytes,
                    bool spin, std::atomic<std::int64_t>& idle_ns);

}  // namespace ringcast::floor_bench
