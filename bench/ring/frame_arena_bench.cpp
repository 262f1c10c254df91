// A frame's life on one thread: allocate, write, commit, read, release. With a reclaim after each
// frame the arena starts at its beginning again, which stays in the cache; without it, as under
// load, it goes round through all of its memory.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <string>

#include "ring/frame_arena.h"
#include "ring/segment.h"

namespace ringcast::ring {
namespace {

constexpr std::uint64_t kHolder = 1u << 1;

void frame_life(benchmark::State& state, bool reclaim_each) {
  const auto size = static_cast<std::size_t>(state.range(0));
  auto made = Segment::create({.workers = 2, .slots_per_worker = 16, .arena_bytes = 16u << 20});
  auto* owned = std::get_if<std::unique_ptr<Segment>>(&made);
  if (owned == nullptr) return state.SkipWithError("no segment");
  Segment& segment = **owned;
  FrameArena arena(segment.arena(0), segment.arena_bytes());
  const std::string bytes(size, 'x');
  std::memset(segment.arena(0), 0, segment.arena_bytes());  // page faults are not what is measured
  for (auto _ : state) {
    const auto slot = arena.allocate(size);
    std::memcpy(slot->data, bytes.data(), size);
    arena.commit(*slot, size, kHolder);
    benchmark::DoNotOptimize(read_frame(segment.arena(0), segment.arena_bytes(), slot->offset,
                                        static_cast<std::uint32_t>(size)));
    release_frame(segment.arena(0), slot->offset, 1);
    if (reclaim_each) arena.reclaim();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(frame_life, reclaimed_at_once, true)->Arg(128)->Arg(1024)->Arg(65536);
BENCHMARK_CAPTURE(frame_life, around_the_arena, false)->Arg(128)->Arg(1024)->Arg(65536);

}  // namespace
}  // namespace ringcast::ring
