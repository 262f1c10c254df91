// What the WebSocket layer costs per message: reading a masked frame, unmasking alone, writing a
// header.
#include <benchmark/benchmark.h>

#include <string>

#include "wire/frame_reader.h"
#include "wire/frame_writer.h"
#include "wire/mask.h"

namespace ringcast::wire {
namespace {

constexpr std::uint32_t kMask = 0x3D21FA37;

std::string masked_frame(Opcode opcode, std::size_t size) {
  std::string out;
  append_masked_frame(out, opcode, true, std::string(size, 'x'), kMask);
  return out;
}

// Whole frames as a busy connection receives them: several in one buffer.
void read_frames(benchmark::State& state, Opcode opcode) {
  const auto size = static_cast<std::size_t>(state.range(0));
  constexpr std::int64_t kFrames = 16;
  std::string stream;
  for (std::int64_t i = 0; i < kFrames; ++i) stream += masked_frame(opcode, size);
  FrameStatePool pool;
  const FrameLimits limits;
  FrameReader reader(Role::server, limits, pool);
  for (auto _ : state) {
    Bytes input = stream;
    while (true) {
      const FrameEvent event = reader.read(input);
      if (event.kind == FrameEvent::Kind::need_more) break;
      benchmark::DoNotOptimize(event.payload.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * kFrames);
  state.SetBytesProcessed(state.iterations() * kFrames * state.range(0));
}

void BM_ReadBinaryFrame(benchmark::State& state) { read_frames(state, Opcode::binary); }
BENCHMARK(BM_ReadBinaryFrame)->Arg(16)->Arg(128)->Arg(1024)->Arg(65536);

void BM_ReadTextFrame(benchmark::State& state) { read_frames(state, Opcode::text); }
BENCHMARK(BM_ReadTextFrame)->Arg(16)->Arg(128)->Arg(1024)->Arg(65536);

// One message from and back to idle, which takes the parser state from the pool and gives it back.
void BM_ReadOneFrameFromIdle(benchmark::State& state) {
  const std::string stream = masked_frame(Opcode::binary, 128);
  FrameStatePool pool;
  const FrameLimits limits;
  FrameReader reader(Role::server, limits, pool);
  for (auto _ : state) {
    Bytes input = stream;
    benchmark::DoNotOptimize(reader.read(input).payload.data());
    reader.rest();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ReadOneFrameFromIdle);

void BM_Unmask(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::string in(size, 'x');
  std::string out(size, '\0');
  for (auto _ : state) {
    mask_bytes(out.data(), in.data(), size, kMask, 0);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Unmask)->Arg(16)->Arg(128)->Arg(1024)->Arg(65536);

void BM_WriteFrameHeader(benchmark::State& state) {
  auto size = static_cast<std::size_t>(state.range(0));
  char header[kServerFrameHeaderMax];
  for (auto _ : state) {
    benchmark::DoNotOptimize(size);
    benchmark::DoNotOptimize(write_frame_header(header, Opcode::binary, size));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_WriteFrameHeader)->Arg(16)->Arg(1024)->Arg(65536);

}  // namespace
}  // namespace ringcast::wire
