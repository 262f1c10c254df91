// Session ids: the permutation there and back.
#include <benchmark/benchmark.h>

#include "ring/session_id.h"

namespace ringcast::ring {
namespace {

constexpr SessionKey kKey{0x0123456789ABCDEF, 0xFEDCBA9876543210};

void session_id_from_connection(benchmark::State& state) {
  ConnectionId id{.worker = 1, .slot = 2, .generation = 3};
  for (auto _ : state) {
    id.generation = next_generation(id.generation);
    benchmark::DoNotOptimize(session_id_of(id, kKey));
  }
}
BENCHMARK(session_id_from_connection);

void connection_from_session_id(benchmark::State& state) {
  std::uint64_t session = 1;
  for (auto _ : state) {
    benchmark::DoNotOptimize(connection_of_session(session++, kKey));
  }
}
BENCHMARK(connection_from_session_id);

}  // namespace
}  // namespace ringcast::ring
