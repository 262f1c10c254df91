// Invariant I8: one of two worker processes is killed in the middle of a broadcast, again and
// again. The other's clients miss nothing, the dead one's are disconnected, it comes back, and
// every byte of both arenas is free again when all is quiet.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "tests/stress/check_main.h"
#include "tests/stress/clock.h"
#include "tests/stress/fleet.h"

namespace ringcast::stress {
namespace {

struct Options {
  std::string broker;
  unsigned rounds = 5;
  std::size_t peers_per_worker = 8;
  std::uint64_t window = 128;  // notes of a publisher under way
  std::int64_t gone_within_ms = 1000;
  std::int64_t back_within_ms = 2000;
  std::uint64_t seed = 1;
};

constexpr std::size_t kWorkers = Fleet::kWorkers;
constexpr std::int64_t kSettleMs = Fleet::kSettleMs;

class KillCheck {
 public:
  explicit KillCheck(const Options& options)
      : options_(options), random_(options.seed), fleet_(options.broker, {}) {}

  void run() {
    const std::int64_t begin = now_ms();
    for (std::size_t i = 0; i < kWorkers * options_.peers_per_worker; ++i) fleet_.open_peer(busy());
    for (std::size_t w = 0; w < kWorkers; ++w) {
      if (fleet_.count_on(w) < 2)
        fail("worker {} has got {} of the connections", w, fleet_.count_on(w));
    }
    fleet_.wait_quiet(busy());
    for (round_ = 1; round_ <= options_.rounds; ++round_) one_round(random_() % kWorkers);
    report(now_ms() - begin);
    fleet_.stop();
  }

 private:
  BrokerProcess::Busy busy() {
    return [this] { turn(); };
  }

  // Publishers that have a run go on with it, whatever else is waited for.
  void turn() {
    for (std::size_t w = 0; w < kWorkers; ++w) {
      if (speakers_[w] == nullptr || !speaking_[w] || speakers_[w]->ended()) continue;
      const std::uint64_t behind = runs_[w]->sent - fleet_.heard_by_all(*runs_[w]);
      for (std::uint64_t i = behind; i < options_.window; ++i) {
        speakers_[w]->speak(*runs_[w], sizeof(Note) + random_() % 1000);
      }
    }
    fleet_.engine.turn(1);
  }

  template <typename Done>
  bool turn_until(std::int64_t timeout_ms, Done&& done) {
    const std::int64_t deadline = now_ms() + timeout_ms;
    while (!done()) {
      if (now_ms() >= deadline) return false;
      turn();
    }
    return true;
  }

  void begin_run(std::size_t worker) {
    speakers_[worker] = fleet_.any_on(worker);
    runs_[worker] = std::make_unique<Run>(stress::begin_run(fleet_.world));
    speaking_[worker] = true;
  }

  void one_round(std::size_t victim) {
    const std::size_t survivor = 1 - victim;
    for (std::size_t w = 0; w < kWorkers; ++w) begin_run(w);
    const std::uint64_t notes = 50 + random_() % 1000;
    if (!turn_until(kSettleMs, [&] { return runs_[survivor]->acknowledged >= notes; })) {
      fail("{}", where("publishing does not get on"));
    }
    turn();  // so that notes of both are under way
    kill_worker(victim);
    // What its last publisher sent and has been acknowledged counts as delivered.
    std::unique_ptr<Run> last_words = std::move(runs_[victim]);
    speaking_[victim] = false;
    speakers_[victim] = nullptr;
    std::erase_if(fleet_.peers, [](const auto& peer) { return peer->ended(); });
    acknowledged_by_dead_ += last_words->acknowledged;

    const std::size_t missing = options_.peers_per_worker;
    for (std::size_t i = 0; i < 2 * missing && fleet_.count_on(victim) < missing; ++i)
      fleet_.open_peer(busy());
    if (fleet_.count_on(victim) < 2) fail("{}", where("no new connection reaches the new worker"));
    begin_run(victim);
    const auto said_enough = [&] { return runs_[victim]->acknowledged >= 200; };
    if (!turn_until(kSettleMs, said_enough))
      fail("{}", where("the new worker acknowledges little"));
    for (std::size_t w = 0; w < kWorkers; ++w) speaking_[w] = false;
    wait_delivered(survivor, *last_words);
    fleet_.wait_quiet(busy());
    drop_surplus(survivor);
    if (round_ % 10 == 0)
      fmt::print("  {} rounds, {} events checked\n", round_, fleet_.world.events);
    std::fflush(stdout);
  }

  // Connections that went to the survivor while new ones were sought.
  void drop_surplus(std::size_t worker) {
    while (fleet_.count_on(worker) > options_.peers_per_worker) {
      const Peer* surplus = fleet_.any_on(worker);
      std::erase_if(fleet_.peers, [&](const auto& peer) { return peer.get() == surplus; });
    }
  }

  std::string where(const char* what) const {
    return fmt::format("round {}: {} within {} s", round_, what, kSettleMs / 1000);
  }

  void kill_worker(std::size_t victim) {
    for (const auto& peer : fleet_.peers) {
      if (peer->worker == victim) peer->expect_end();
    }
    const unsigned starts = fleet_.broker.worker_starts(victim);
    const std::int64_t killed = now_ms();
    kill(fleet_.broker.worker_pid(victim), SIGKILL);
    const auto gone = [&] {
      return std::all_of(fleet_.peers.begin(), fleet_.peers.end(),
                         [&](const auto& peer) { return peer->worker != victim || peer->ended(); });
    };
    // Waited for beyond the limit, so that a failure can tell late from never.
    const bool all_gone = turn_until(kSettleMs, gone);
    const std::int64_t gone_ms = now_ms() - killed;
    gone_ms_max_ = std::max(gone_ms_max_, gone_ms);
    if (!all_gone || gone_ms > options_.gone_within_ms) {
      fail("round {}: the last client of the killed worker {} is {} after {} ms, allowed are {}",
           round_, victim, all_gone ? "disconnected" : "still connected", gone_ms,
           options_.gone_within_ms);
    }
    const auto back = [&] {
      fleet_.broker.read_log();
      return fleet_.broker.worker_starts(victim) > starts;
    };
    const bool is_back = turn_until(kSettleMs, back);
    const std::int64_t back_ms = now_ms() - killed;
    back_ms_max_ = std::max(back_ms_max_, back_ms);
    if (!is_back || back_ms > options_.back_within_ms) {
      fail("round {}: worker {} is {} after {} ms, allowed are {}", round_, victim,
           is_back ? "back" : "not back", back_ms, options_.back_within_ms);
    }
  }

  // Everything acknowledged, and everyone has everything of both publishers that live; of the dead
  // one's, the survivor's clients all have the same, and no less than was acknowledged.
  void wait_delivered(std::size_t survivor, const Run& last_words) {
    const auto complete = [&] {
      for (std::size_t w = 0; w < kWorkers; ++w) {
        if (speakers_[w]->unacknowledged() != 0) return false;
        for (const auto& peer : fleet_.peers) {
          if (peer.get() != speakers_[w] && peer->heard(*runs_[w]) != runs_[w]->sent) return false;
        }
      }
      return true;
    };
    if (!turn_until(kSettleMs, complete)) fail("{}", where("notes have not reached everyone"));
    std::uint64_t heard = 0;
    for (const auto& peer : fleet_.peers) {
      if (peer->worker != survivor || peer->heard(last_words) == 0) continue;
      if (heard == 0) heard = peer->heard(last_words);
      if (peer->heard(last_words) != heard || heard < last_words.acknowledged) {
        fail(
            "round {}: the killed worker's publisher has acknowledgements up to note {}; one "
            "client of the other worker has heard up to {}, another up to {}",
            round_, last_words.acknowledged, heard, peer->heard(last_words));
      }
    }
    heard_of_dead_ += heard;
  }

  void report(std::int64_t ms) {
    fmt::print("rounds                      {} in {:.1f} s\n", options_.rounds,
               static_cast<double>(ms) / 1000);
    fmt::print("events checked              {}, each once and in order\n", fleet_.world.events);
    fmt::print("publishers' runs            {}\n", fleet_.world.sent.size());
    fmt::print("of killed workers' runs     {} notes acknowledged, {} heard\n",
               acknowledged_by_dead_, heard_of_dead_);
    fmt::print("clients gone after          {} ms at most\n", gone_ms_max_);
    fmt::print("worker back after           {} ms at most\n", back_ms_max_);
    for (std::size_t w = 0; w < kWorkers; ++w) {
      fmt::print("arena_free_bytes worker {}   {} before, {} after\n", w,
                 fleet_.arena_free_at_first(w), fleet_.counters.at(w, "arena_free_bytes"));
    }
    for (const char* counter :
         {"arena_frames", "connections_lost", "stale_frames_dropped", "stale_descriptors_dropped",
          "corrupt_descriptors_dropped", "corrupt_frames_dropped", "ring_full"}) {
      fmt::print("{:<28}{}\n", counter, fleet_.counters.sum(counter));
    }
  }

  const Options options_;
  std::mt19937_64 random_;
  Fleet fleet_;
  std::array<Peer*, kWorkers> speakers_{};  // by worker
  std::array<std::unique_ptr<Run>, kWorkers> runs_;
  std::array<bool, kWorkers> speaking_{};
  unsigned round_ = 0;
  std::int64_t gone_ms_max_ = 0;
  std::int64_t back_ms_max_ = 0;
  std::uint64_t acknowledged_by_dead_ = 0;
  std::uint64_t heard_of_dead_ = 0;
};

}  // namespace
}  // namespace ringcast::stress

int main(int argc, char** argv) {
  using namespace ringcast::stress;
  Options options;
  CLI::App app("Kills worker processes in the middle of broadcasts and checks what it costs.");
  app.option_defaults()->always_capture_default();
  app.add_option("--broker", options.broker, "the broker's program (default: beside this one)");
  app.add_option("--rounds", options.rounds, "how often one is killed");
  app.add_option("--peers", options.peers_per_worker, "sessions on each worker")
      ->check(CLI::Range(2, 1000));
  app.add_option("--window", options.window, "notes of a publisher under way")
      ->check(CLI::PositiveNumber);
  app.add_option("--gone-within-ms", options.gone_within_ms, "for the killed worker's clients");
  app.add_option("--back-within-ms", options.back_within_ms, "for the killed worker");
  app.add_option("--seed", options.seed, "of what is drawn at random");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  return run_check("kill_check", [&] { KillCheck(options).run(); });
}
