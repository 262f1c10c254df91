// Finding a publication's topic: the keyed hash of its URI, and the lookup among as many topics as
// a worker may know.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "ring/segment.h"
#include "worker/topics.h"

namespace ringcast::worker {
namespace {

constexpr std::uint64_t kSeed = 0x2545F4914F6CDD1D;

std::vector<std::string> uris(std::size_t count) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(fmt::format("com.example.market.quotes.symbol{}", i));
  }
  return result;
}

void hash_of_uri(benchmark::State& state) {
  const std::string uri(static_cast<std::size_t>(state.range(0)), 'u');
  for (auto _ : state) benchmark::DoNotOptimize(topic_hash(kSeed, 0, uri));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(hash_of_uri)->Arg(16)->Arg(36)->Arg(128);

// Each lookup takes another topic, by a stride that is coprime to the count: with many topics this
// shows the cache misses that publishing to all of them costs.
void find_topic(benchmark::State& state, bool present) {
  const auto count = static_cast<std::size_t>(state.range(0));
  auto made =
      ring::Segment::create({.workers = 1, .slots_per_worker = 16, .arena_bytes = 1u << 20});
  auto* segment = std::get_if<std::unique_ptr<ring::Segment>>(&made);
  if (segment == nullptr) return state.SkipWithError("no segment");
  Topics topics(**segment, 0);
  const std::vector<std::string> known = uris(count);
  for (const std::string& uri : known) {
    topics.find_or_create({topic_hash(kSeed, 0, uri), 0, uri});
  }
  const std::uint16_t realm = present ? 0 : 1;
  std::size_t next = 0;
  for (auto _ : state) {
    const std::string& uri = known[next];
    next = (next + 7919) % count;
    benchmark::DoNotOptimize(topics.find({topic_hash(kSeed, realm, uri), realm, uri}));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(find_topic, present, true)->Arg(1)->Arg(1000)->Arg(100'000);
BENCHMARK_CAPTURE(find_topic, absent, false)->Arg(1)->Arg(1000)->Arg(100'000);

}  // namespace
}  // namespace ringcast::worker
