#include "tests/stress/fleet.h"

#include <algorithm>

#include "tests/stress/clock.h"
#include "tests/stress/verdict.h"

namespace ringcast::stress {
namespace {

std::vector<std::string> with_two_processes(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--processes", "2", "--threads", "1"});
  return arguments;
}

template <typename Done>
void wait(const BrokerProcess::Busy& busy, const char* what, Done&& done) {
  const std::int64_t deadline = now_ms() + Fleet::kSettleMs;
  while (!done()) {
    if (now_ms() >= deadline) fail("no {} within 30 s", what);
    busy();
  }
}

}  // namespace

Fleet::Fleet(const std::string& broker_binary, std::vector<std::string> arguments)
    : broker(broker_binary, with_two_processes(std::move(arguments))) {}

Peer& Fleet::open_peer(const BrokerProcess::Busy& busy, const Link::Target& target) {
  const CounterSets before = broker.counters(busy);
  Peer& peer = *peers.emplace_back(std::make_unique<Peer>(engine, world));
  Link::Target to_broker = target;
  to_broker.port = broker.port();
  peer.connect(to_broker);
  wait(busy, "WELCOME", [&] { return peer.welcome(); });
  const CounterSets after = broker.counters(busy);
  for (std::size_t w = 0; w < kWorkers; ++w) {
    if (after.at(w, "sessions") == before.at(w, "sessions") + 1) peer.worker = w;
  }
  if (peer.worker == SIZE_MAX) fail("no worker counts the new session");
  peer.join();
  wait(busy, "SUBSCRIBED", [&] { return peer.subscribed(); });
  return peer;
}

std::size_t Fleet::count_on(std::size_t worker) const {
  return static_cast<std::size_t>(std::count_if(
      peers.begin(), peers.end(), [&](const auto& peer) { return peer->worker == worker; }));
}

Peer* Fleet::any_on(std::size_t worker) const {
  const auto found = std::find_if(peers.begin(), peers.end(),
                                  [&](const auto& peer) { return peer->worker == worker; });
  return found == peers.end() ? nullptr : found->get();
}

std::uint64_t Fleet::heard_by_all(const Run& run) const {
  std::uint64_t least = run.acknowledged;
  for (const auto& peer : peers) {
    if (!peer->ended() && peer->expects(run)) least = std::min(least, peer->heard(run));
  }
  return least;
}

bool Fleet::arenas_whole() const {
  for (std::size_t w = 0; w < kWorkers; ++w) {
    const std::uint64_t free = counters.at(w, "arena_free_bytes");
    if (free == 0 || (free_at_first_[w] != 0 && free != free_at_first_[w])) return false;
  }
  return counters.sum("arena_frames") == 0;
}

void Fleet::wait_quiet(const BrokerProcess::Busy& busy) {
  const std::int64_t deadline = now_ms() + kSettleMs;
  // The workers report these gauges now and then only.
  for (counters = broker.counters(busy); !arenas_whole(); counters = broker.counters(busy)) {
    if (now_ms() >= deadline) {
      fail(
          "the arenas have {} and {} free bytes and hold {} frames when all has been quiet for 30 "
          "s; they had {} and {} free at first",
          counters.at(0, "arena_free_bytes"), counters.at(1, "arena_free_bytes"),
          counters.sum("arena_frames"), free_at_first_[0], free_at_first_[1]);
    }
    engine.turn(20);
  }
  for (std::size_t w = 0; w < kWorkers; ++w) free_at_first_[w] = counters.at(w, "arena_free_bytes");
  for (const char* counter : {"corrupt_descriptors_dropped", "corrupt_frames_dropped"}) {
    if (const auto n = counters.sum(counter)) fail("{} is {}, expected 0", counter, n);
  }
}

void Fleet::stop() {
  for (const auto& peer : peers) peer->expect_end();
  if (const int code = broker.stop([this] { engine.turn(1); }); code != 0) {
    fail("the broker exits with {}", code);
  }
}

}  // namespace ringcast::stress
