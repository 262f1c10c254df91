// What a connection costs before its first frame.
#include <benchmark/benchmark.h>

#include <string>

#include "wire/http_upgrade.h"

namespace ringcast::wire {
namespace {

// As a browser sends it.
const std::string kRequest =
    "GET /ws?token=0123456789 HTTP/1.1\r\nHost: broker.example.org:8080\r\nConnection: Upgrade\r\n"
    "Pragma: no-cache\r\nCache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36\r\nUpgrade: websocket\r\nOrigin: https://example.org\r\n"
    "Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate\r\n"
    "Accept-Language: en-US,en;q=0.9\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "Sec-WebSocket-Protocol: wamp.2.msgpack, wamp.2.json\r\n\r\n";

void BM_ParseUpgradeRequest(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(parse_upgrade_request(kRequest));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ParseUpgradeRequest);

// Each byte in a packet of its own: the cost of all the calls up to the last byte.
void BM_ParseDrippedUpgradeRequest(benchmark::State& state) {
  for (auto _ : state) {
    for (std::size_t size = 1; size <= kRequest.size(); ++size)
      benchmark::DoNotOptimize(parse_upgrade_request(Bytes(kRequest).substr(0, size)));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ParseDrippedUpgradeRequest);

void BM_EncodeUpgradeResponse(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(encode_upgrade_response("dGhlIHNhbXBsZSBub25jZQ==", "wamp.2.json"));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_EncodeUpgradeResponse);

}  // namespace
}  // namespace ringcast::wire
