// A publication with an eligible or exclude list: what the list costs once, and each receiver.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "worker/receiver_filter.h"

namespace ringcast::worker {
namespace {

// Half of the receivers below are in the list.
ReceiverLists lists_of(std::size_t count, bool by_name) {
  ReceiverLists lists;
  std::vector<std::uint64_t> sessions;
  std::vector<std::string> authids;
  for (std::size_t i = 0; i < count; ++i) {
    sessions.push_back(i * 2 * 0x9E3779B97F4A7C15u >> 11);
    authids.push_back("user" + std::to_string(i * 2));
  }
  if (by_name) {
    lists.exclude_authid = std::move(authids);
  } else {
    lists.exclude = std::move(sessions);
  }
  return lists;
}

// As many receivers as the list has elements; an item is a receiver.
void allow_receivers(benchmark::State& state, bool by_name) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::string bytes = write_receiver_filter(lists_of(count, by_name));
  const auto filter = ReceiverFilter::parse(bytes);
  std::vector<std::pair<std::uint64_t, std::string>> receivers;
  for (std::size_t i = 0; i < count; ++i)
    receivers.emplace_back(i * 0x9E3779B97F4A7C15u >> 11, "user" + std::to_string(i));
  std::size_t allowed = 0;
  for (auto _ : state) {
    for (const auto& [session, authid] : receivers)
      allowed += filter->allows(session, authid, "role") ? 1 : 0;
  }
  benchmark::DoNotOptimize(allowed);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(allow_receivers, sessions, false)->Arg(1)->Arg(100)->Arg(10'000);
BENCHMARK_CAPTURE(allow_receivers, authids, true)->Arg(1)->Arg(100)->Arg(10'000);

void write_filter(benchmark::State& state) {
  const ReceiverLists lists = lists_of(static_cast<std::size_t>(state.range(0)), false);
  for (auto _ : state) benchmark::DoNotOptimize(write_receiver_filter(lists));
}
BENCHMARK(write_filter)->Arg(1)->Arg(10'000);

void parse_filter(benchmark::State& state) {
  const std::string bytes =
      write_receiver_filter(lists_of(static_cast<std::size_t>(state.range(0)), false));
  for (auto _ : state) benchmark::DoNotOptimize(ReceiverFilter::parse(bytes));
}
BENCHMARK(parse_filter)->Arg(1)->Arg(10'000);

}  // namespace
}  // namespace ringcast::worker
