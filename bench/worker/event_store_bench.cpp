// What a topic with history costs its home worker: an event appended where the history is full, so
// that another one goes; and what a client that recovers asks for.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "worker/event_store.h"

namespace ringcast::worker {
namespace {

constexpr std::size_t kRoom = std::size_t{1} << 30;

// 128 bytes of payload to `range(0)` histories in turn, each full with a thousand.
void append_event(benchmark::State& state) {
  const auto histories = static_cast<std::uint32_t>(state.range(0));
  EventStore store(kRoom);
  const std::string payload(128, 'p');
  Event event;
  event.topic = "com.example.market.quotes.symbol1";
  event.payload.args = payload;
  for (std::uint32_t i = 0; i < histories; ++i) store.open(i, {});
  const auto append_next = [&] {
    ++event.publication;
    ++event.time_ms;
    return store.append(static_cast<std::uint32_t>(event.publication % histories), event);
  };
  for (std::uint32_t i = 0; i < histories * 1000; ++i) append_next();
  for (auto _ : state) benchmark::DoNotOptimize(append_next());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(append_event)->Arg(1)->Arg(1000);

// The last ten of a history of `range(0)` events, by the publication seen last.
void query_last_ten(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  EventStore store(kRoom);
  store.open(1, {.events_max = count, .bytes_max = kRoom});
  Event event;
  event.topic = "com.example.market.quotes.symbol1";
  for (std::uint32_t i = 1; i <= count; ++i) {
    event.publication = i;
    store.append(1, event);
  }
  std::size_t visited = 0;
  for (auto _ : state) {
    store.query(1, {.after_publication = count - 10}, 0, [&visited](const Event& found) {
      benchmark::DoNotOptimize(found.payload.args.data());
      ++visited;
      return true;
    });
  }
  state.counters["visited"] =
      benchmark::Counter(static_cast<double>(visited), benchmark::Counter::kAvgIterations);
}
BENCHMARK(query_last_ten)->Arg(1000)->Arg(100'000);

}  // namespace
}  // namespace ringcast::worker
