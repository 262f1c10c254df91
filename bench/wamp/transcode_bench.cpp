// A payload for a subscriber of the other serializer, beside the way through the JSON library's
// values.

#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>

#include "payloads.h"
#include "wire/transcode.h"

namespace ringcast::wire::bench {
namespace {

void transcode_from(benchmark::State& state, Serializer from, Serializer to) {
  const std::string bytes = records(from, static_cast<std::size_t>(state.range(0)));
  std::string out;
  for (auto _ : state) {
    out.clear();
    if (!transcode(from, to, bytes, out)) state.SkipWithError("not convertible");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void msgpack_to_json(benchmark::State& state) {
  transcode_from(state, Serializer::msgpack, Serializer::json);
}
BENCHMARK(msgpack_to_json)->Arg(128)->Arg(1024)->Arg(16384);

void msgpack_to_json_by_nlohmann(benchmark::State& state) {
  const std::string bytes = records(Serializer::msgpack, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(nlohmann::json::from_msgpack(bytes).dump());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK(msgpack_to_json_by_nlohmann)->Arg(128)->Arg(1024)->Arg(16384);

void json_to_msgpack(benchmark::State& state) {
  transcode_from(state, Serializer::json, Serializer::msgpack);
}
BENCHMARK(json_to_msgpack)->Arg(128)->Arg(1024)->Arg(16384);

void json_to_msgpack_by_nlohmann(benchmark::State& state) {
  const std::string bytes = records(Serializer::json, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(nlohmann::json::to_msgpack(nlohmann::json::parse(bytes)));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK(json_to_msgpack_by_nlohmann)->Arg(128)->Arg(1024)->Arg(16384);

}  // namespace
}  // namespace ringcast::wire::bench
