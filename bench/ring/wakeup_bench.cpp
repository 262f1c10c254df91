// What a push costs beyond the ring: the producer's fence and look at the flag while the consumer
// is awake, and the eventfd when it sleeps.
#include <benchmark/benchmark.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>

#include "ring/descriptor_ring.h"
#include "ring/wakeup.h"

namespace ringcast::ring {
namespace {

void must_wake_an_awake_consumer(benchmark::State& state) {
  SleepingFlag flag;
  for (auto _ : state) benchmark::DoNotOptimize(must_wake(flag));
}
BENCHMARK(must_wake_an_awake_consumer);

// As it is used: behind stores that the fence has to wait for.
void push_pop_with_fence(benchmark::State& state) {
  SleepingFlag flag;
  auto ring = std::make_unique<DescriptorRing>();
  Descriptor in, out;
  for (auto _ : state) {
    ring->push({&in, 1});
    benchmark::DoNotOptimize(must_wake(flag));
    ring->pop({&out, 1});
    benchmark::ClobberMemory();
  }
}
BENCHMARK(push_pop_with_fence);

void announce_sleep_and_awake(benchmark::State& state) {
  SleepingFlag flag;
  for (auto _ : state) {
    announce_sleep(flag);
    announce_awake(flag);
    benchmark::DoNotOptimize(flag);
  }
}
BENCHMARK(announce_sleep_and_awake);

void wake_by_eventfd(benchmark::State& state) {
  const int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  for (auto _ : state) wake(event_fd);
  close(event_fd);
}
BENCHMARK(wake_by_eventfd);

}  // namespace
}  // namespace ringcast::ring
