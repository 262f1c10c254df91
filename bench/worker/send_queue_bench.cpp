// Fan-out without the kernel: an event is written into the log once and queued by reference for
// every subscriber; then each queue is gathered for one send and consumed by its completion. An
// item is a delivery, so the figures stand beside the whole system's CPU per delivery.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "wire/frame_writer.h"
#include "worker/fanout_log.h"
#include "worker/send_queue.h"

namespace ringcast::worker {
namespace {

constexpr std::size_t kLogBytes = 16u << 20;
constexpr std::size_t kPieces = 16;
constexpr std::size_t kSendBytesMax = 1u << 20;

LogRange write_event(FanoutLog& log, const std::string& event) {
  const std::size_t header = wire::frame_header_size(event.size());
  const std::size_t size = header + event.size();
  // Nobody is behind at the end of a round: what is overwritten is not referred to any more.
  if (const std::uint64_t floor = log.floor_needed(size); floor > log.floor()) {
    log.raise_floor(floor);
  }
  char* out = log.write_pointer(size);
  out = wire::write_frame_header(out, wire::Opcode::binary, event.size());
  std::copy(event.begin(), event.end(), out);
  return log.commit(size);
}

void gather_and_consume(SendQueue& queue, const FanoutLog& log) {
  std::array<iovec, kPieces> pieces;
  const std::size_t count = queue.gather(log, pieces.data(), pieces.size(), kSendBytesMax);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes += pieces[i].iov_len;
  benchmark::DoNotOptimize(pieces[0].iov_base);
  queue.consume(bytes, log);
}

// Rounds of `range(1)` events of 145 bytes to `range(0)` subscribers. Adjacent ranges merge: the
// work per delivery is to extend the last range.
void fan_out(benchmark::State& state) {
  FanoutLog log(kLogBytes);
  std::vector<SendQueue> queues(static_cast<std::size_t>(state.range(0)));
  const std::string event(145, 'e');
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(1); ++i) {
      const LogRange range = write_event(log, event);
      for (SendQueue& queue : queues) queue.append(range, log);
    }
    for (SendQueue& queue : queues) gather_and_consume(queue, log);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * state.range(1));
}
BENCHMARK(fan_out)->ArgNames({"subscribers", "events"})->ArgsProduct({{100, 1000}, {1, 8, 64}});

// Two groups of subscribers whose events alternate in the log, so that no ranges merge: what
// subscribers of different topics cost. At 64 ranges a queue is folded into a private copy.
void fan_out_interleaved(benchmark::State& state) {
  FanoutLog log(kLogBytes);
  std::vector<SendQueue> groups[2] = {std::vector<SendQueue>(50), std::vector<SendQueue>(50)};
  const std::string event(145, 'e');
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      for (auto& group : groups) {
        const LogRange range = write_event(log, event);
        for (SendQueue& queue : group) queue.append(range, log);
      }
    }
    for (auto& group : groups) {
      for (SendQueue& queue : group) {
        while (!queue.empty()) gather_and_consume(queue, log);
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * 100 * state.range(0));
}
BENCHMARK(fan_out_interleaved)->ArgName("events")->Arg(1)->Arg(8)->Arg(32)->Arg(128);

// What a connection pays for falling behind: its backlog becomes its own copy.
void make_private(benchmark::State& state) {
  FanoutLog log(kLogBytes);
  const std::string event(145, 'e');
  const auto events = static_cast<std::size_t>(state.range(0));
  LogRange backlog = write_event(log, event);
  for (std::size_t i = 1; i < events; ++i) backlog.end = write_event(log, event).end;
  for (auto _ : state) {
    SendQueue queue;
    queue.append(backlog, log);
    queue.make_private(log);
    benchmark::DoNotOptimize(queue.bytes());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(backlog.size()));
}
BENCHMARK(make_private)->ArgName("events")->Arg(1)->Arg(64)->Arg(4096);

}  // namespace
}  // namespace ringcast::worker
