#include <benchmark/benchmark.h>

#include <string>

#include "wire/utf8.h"

namespace ringcast::wire {
namespace {

std::string repeated(Bytes unit, std::int64_t size) {
  std::string out;
  while (out.size() + unit.size() <= static_cast<std::size_t>(size)) out.append(unit);
  return out;
}

void validate(benchmark::State& state, Bytes unit) {
  const std::string text = repeated(unit, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(utf8_valid(text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void BM_Utf8ValidAscii(benchmark::State& state) { validate(state, "a"); }
BENCHMARK(BM_Utf8ValidAscii)->Arg(16)->Arg(128)->Arg(1024)->Arg(65536);

void BM_Utf8ValidMixed(benchmark::State& state) {
  validate(state, "Gr\xC3\xBC\xC3\x9F Gott, \xE2\x82\xAC ");
}
BENCHMARK(BM_Utf8ValidMixed)->Arg(128)->Arg(1024)->Arg(65536);

void BM_Utf8ValidCjk(benchmark::State& state) { validate(state, "\xE6\x97\xA5"); }
BENCHMARK(BM_Utf8ValidCjk)->Arg(128)->Arg(1024)->Arg(65536);

void BM_Utf8Incremental(benchmark::State& state) {
  const std::string text = repeated("a", state.range(0));
  for (auto _ : state) {
    Utf8Validator validator;
    benchmark::DoNotOptimize(validator.feed(text));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Utf8Incremental)->Arg(16)->Arg(128)->Arg(1024)->Arg(65536);

}  // namespace
}  // namespace ringcast::wire
