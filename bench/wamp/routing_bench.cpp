// What the broker does with each publication: decode PUBLISH to views, size and write the EVENT.

#include <benchmark/benchmark.h>

#include "payloads.h"
#include "wire/decode.h"
#include "wire/encode.h"

namespace ringcast::wire::bench {
namespace {

Serializer serializer_of(const benchmark::State& state) {
  return static_cast<Serializer>(state.range(0));
}

std::string publish(Serializer serializer, const std::string& args) {
  std::string out;
  append_publish(out, serializer, 4711, {true, true}, "com.example.flights.delays", {args, {}});
  return out;
}

void set_figures(benchmark::State& state, std::size_t size) {
  state.SetLabel(std::string(subprotocol_name(serializer_of(state))));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

void decode_publish(benchmark::State& state) {
  const Serializer serializer = serializer_of(state);
  const auto size = static_cast<std::size_t>(state.range(1));
  const std::string bytes = publish(serializer, records(serializer, size));
  Decoder decoder(serializer);
  for (auto _ : state) benchmark::DoNotOptimize(decoder.decode(bytes));
  set_figures(state, bytes.size());
}
BENCHMARK(decode_publish)->ArgsProduct({{0, 1}, {1, 128, 1024, 16384, 262144}});

void decode_publish_of_text(benchmark::State& state) {
  const Serializer serializer = serializer_of(state);
  const auto size = static_cast<std::size_t>(state.range(1));
  const std::string bytes = publish(serializer, text(serializer, size));
  Decoder decoder(serializer);
  for (auto _ : state) benchmark::DoNotOptimize(decoder.decode(bytes));
  set_figures(state, bytes.size());
}
BENCHMARK(decode_publish_of_text)->ArgsProduct({{0, 1}, {128, 1024, 16384}});

void write_event_of(benchmark::State& state) {
  const Serializer serializer = serializer_of(state);
  const std::string args = records(serializer, static_cast<std::size_t>(state.range(1)));
  const Payload payload{args, {}};
  std::string out(args.size() + 64, '\0');
  for (auto _ : state) {
    benchmark::DoNotOptimize(event_size(serializer, 1234567, kIdMax - 5, payload));
    benchmark::DoNotOptimize(write_event(out.data(), serializer, 1234567, kIdMax - 5, payload));
    benchmark::ClobberMemory();
  }
  set_figures(state, args.size());
}
BENCHMARK(write_event_of)->ArgsProduct({{0, 1}, {128, 1024, 16384}});

}  // namespace
}  // namespace ringcast::wire::bench
