// The scanners beside the libraries' own ways of checking a text without building its value.
// simdjson and msgpack-cxx are what a scanner of our own has to be justified against: simdjson
// needs padded input and writes a tape (memory in proportion to the text), msgpack-cxx's visitor
// keeps its stack on the heap, and neither says where a value ends inside a larger text in the same
// pass.

#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <msgpack.hpp>
#include <nlohmann/json.hpp>

#include "payloads.h"
#include "wire/json_scanner.h"
#include "wire/msgpack_scanner.h"

namespace ringcast::wire::bench {
namespace {

std::string input(const benchmark::State& state, Serializer serializer) {
  return records(serializer, static_cast<std::size_t>(state.range(0)));
}

void set_bytes(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

template <class Scanner>
void scan(benchmark::State& state, Serializer serializer) {
  const std::string bytes = input(state, serializer);
  Scanner scanner{DecodeLimits{}};
  for (auto _ : state) {
    scanner.reset(bytes);
    if (!scanner.skip()) state.SkipWithError("the payload was refused");
  }
  set_bytes(state, bytes.size());
}

void json_scanner(benchmark::State& state) { scan<JsonScanner>(state, Serializer::json); }
BENCHMARK(json_scanner)->Arg(128)->Arg(1024)->Arg(16384)->Arg(262144);

void json_nlohmann_accept(benchmark::State& state) {
  const std::string bytes = input(state, Serializer::json);
  for (auto _ : state) {
    if (!nlohmann::json::accept(bytes)) state.SkipWithError("the payload was refused");
  }
  set_bytes(state, bytes.size());
}
BENCHMARK(json_nlohmann_accept)->Arg(128)->Arg(1024)->Arg(16384)->Arg(262144);

void json_simdjson_dom(benchmark::State& state) {
  const simdjson::padded_string bytes(input(state, Serializer::json));
  simdjson::dom::parser parser;
  for (auto _ : state) {
    if (parser.parse(bytes).error() != simdjson::SUCCESS)
      state.SkipWithError("the payload was refused");
  }
  set_bytes(state, bytes.size());
}
BENCHMARK(json_simdjson_dom)->Arg(128)->Arg(1024)->Arg(16384)->Arg(262144);

void msgpack_scanner(benchmark::State& state) { scan<MsgpackScanner>(state, Serializer::msgpack); }
BENCHMARK(msgpack_scanner)->Arg(128)->Arg(1024)->Arg(16384)->Arg(262144);

void msgpack_cxx_visitor(benchmark::State& state) {
  const std::string bytes = input(state, Serializer::msgpack);
  for (auto _ : state) {
    msgpack::null_visitor visitor;
    if (!msgpack::parse(bytes.data(), bytes.size(), visitor))
      state.SkipWithError("the payload was refused");
  }
  set_bytes(state, bytes.size());
}
BENCHMARK(msgpack_cxx_visitor)->Arg(128)->Arg(1024)->Arg(16384)->Arg(262144);

}  // namespace
}  // namespace ringcast::wire::bench
