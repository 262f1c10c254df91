// Descriptors through a ring: on one thread the bare work, between two pinned threads what the
// cache lines' way from core to core costs, one at a time and in batches. The unit is one
// descriptor (items_per_second).
#include <benchmark/benchmark.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "ring/descriptor_ring.h"

namespace ringcast::ring {
namespace {

std::vector<Descriptor> batch_of(std::size_t count) {
  std::vector<Descriptor> batch(count);
  for (std::size_t i = 0; i < count; ++i) {
    batch[i].token = i;
    seal(batch[i]);
  }
  return batch;
}

void push_pop_on_one_thread(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  auto ring = std::make_unique<DescriptorRing>();
  const std::vector<Descriptor> in = batch_of(size);
  std::vector<Descriptor> out(size);
  for (auto _ : state) {
    ring->push(in);
    benchmark::DoNotOptimize(ring->pop(out));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(push_pop_on_one_thread)->Arg(1)->Arg(8)->Arg(32)->Arg(128);

// False where there is no second core for the other side: then the figure would be the scheduler's.
bool pin_to_core(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  return pthread_setaffinity_np(pthread_self(), sizeof cores, &cores) == 0;
}

// One iteration moves kPerIteration descriptors; the consumer pops on core 1, this thread pushes on
// core 0.
constexpr std::size_t kPerIteration = 32 * kRingCapacity;

void push_pop_between_cores(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  auto ring = std::make_unique<DescriptorRing>();
  const std::vector<Descriptor> in = batch_of(size);
  std::atomic<std::size_t> popped{0};
  std::atomic<bool> stop{false}, pinned{true};
  cpu_set_t before;
  pthread_getaffinity_np(pthread_self(), sizeof before, &before);
  std::thread consumer([&] {
    if (!pin_to_core(1)) pinned = false;
    std::vector<Descriptor> out(size);
    while (!stop.load(std::memory_order_relaxed)) {
      const std::size_t got = ring->pop(out);
      if (got == 0) continue;
      benchmark::DoNotOptimize(out.data());
      popped.store(popped.load(std::memory_order_relaxed) + got, std::memory_order_release);
    }
  });
  if (!pin_to_core(0)) pinned = false;
  std::size_t pushed = 0;
  for (auto _ : state) {
    const std::size_t goal = pushed + kPerIteration;
    while (pushed < goal) pushed += ring->push({in.data(), std::min(size, goal - pushed)});
    while (popped.load(std::memory_order_acquire) < pushed) {
    }
  }
  stop = true;
  consumer.join();
  pthread_setaffinity_np(pthread_self(), sizeof before, &before);
  if (!pinned) state.SkipWithError("needs cores 0 and 1");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPerIteration));
}
BENCHMARK(push_pop_between_cores)->Arg(1)->Arg(32)->UseRealTime()->Unit(benchmark::kMicrosecond);

void seal_and_check(benchmark::State& state) {
  Descriptor descriptor;
  for (auto _ : state) {
    ++descriptor.token;
    seal(descriptor);
    benchmark::DoNotOptimize(descriptor);
    benchmark::DoNotOptimize(descriptor_intact(descriptor));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(seal_and_check);

}  // namespace
}  // namespace ringcast::ring
