// Invariant I8: one of two worker processes is killed in the middle of a broadcast, again and
// again. The other's clients miss nothing, the dead one's are disconnected, it comes back, and
// every byte of both arenas is free again when all is quiet.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "tests/stress/broker_process.h"
#include "tests/stress/check_main.h"
#include "tests/stress/clock.h"
#include "tests/stress/pub_sub_peer.h"

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

constexpr std::size_t kWorkers = 2;
constexpr std::int64_t kSettleMs = 30'000;

class KillCheck {
 public:
  explicit KillCheck(const Options& options)
      : options_(options),
        random_(options.seed),
        broker_(options.broker, {"--processes", "2", "--threads", "1"}) {}

  void run() {
    const std::int64_t begin = now_ms();
    for (std::size_t i = 0; i < kWorkers * options_.peers_per_worker; ++i) open_peer();
    for (std::size_t w = 0; w < kWorkers; ++w) {
      if (count_on(w) < 2) fail("worker {} has got {} of the connections", w, count_on(w));
    }
    wait_arenas();
    for (std::size_t w = 0; w < kWorkers; ++w) free_before_[w] = counters_.at(w, kFree);
    for (round_ = 1; round_ <= options_.rounds; ++round_) one_round(random_() % kWorkers);
    report(now_ms() - begin);
    const int code = broker_.stop([this] {
      for (const auto& peer : peers_) peer->expect_end();
      engine_.turn(1);
    });
    if (code != 0) fail("the broker exits with {}", code);
  }

 private:
  static constexpr const char* kFree = "arena_free_bytes";

  BrokerProcess::Busy busy() {
    return [this] { turn(); };
  }

  // Publishers that have a run go on with it, whatever else is waited for.
  void turn() {
    for (std::size_t w = 0; w < kWorkers; ++w) {
      if (speakers_[w] == nullptr || !speaking_[w] || speakers_[w]->ended()) continue;
      const std::uint64_t behind = runs_[w]->sent - heard_by_all(*runs_[w]);
      for (std::uint64_t i = behind; i < options_.window; ++i) {
        speakers_[w]->speak(*runs_[w], sizeof(Note) + random_() % 1000);
      }
    }
    engine_.turn(1);
  }

  // The pace is that of those who listen: an acknowledgement says nothing of them, and whoever is a
  // megabyte behind is a slow reader.
  std::uint64_t heard_by_all(const Run& run) const {
    std::uint64_t least = run.acknowledged;
    for (const auto& peer : peers_) {
      if (peer->ended() || !peer->expects(run)) continue;
      least = std::min(least, peer->heard(run));
    }
    return least;
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

  std::size_t count_on(std::size_t worker) const {
    return static_cast<std::size_t>(std::count_if(
        peers_.begin(), peers_.end(), [&](const auto& peer) { return peer->worker == worker; }));
  }

  // Which worker took it shows in the workers' counts of sessions; that it dies with that worker,
  // and not with the other, shows when one is killed.
  void open_peer() {
    const CounterSets before = broker_.counters(busy());
    Peer& peer = *peers_.emplace_back(std::make_unique<Peer>(engine_, world_));
    peer.connect({.port = broker_.port()});
    if (!turn_until(kSettleMs, [&] { return peer.welcome(); })) fail("no WELCOME within 30 s");
    const CounterSets after = broker_.counters(busy());
    for (std::size_t w = 0; w < kWorkers; ++w) {
      if (after.at(w, "sessions") == before.at(w, "sessions") + 1) peer.worker = w;
    }
    if (peer.worker == SIZE_MAX) fail("no worker counts the new session");
    peer.join();
    if (!turn_until(kSettleMs, [&] { return peer.subscribed(); })) fail("no SUBSCRIBED in 30 s");
  }

  void begin_run(std::size_t worker) {
    const auto speaker = std::find_if(peers_.begin(), peers_.end(),
                                      [&](const auto& peer) { return peer->worker == worker; });
    speakers_[worker] = speaker->get();
    runs_[worker] = std::make_unique<Run>(stress::begin_run(world_));
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
    std::erase_if(peers_, [](const auto& peer) { return peer->ended(); });
    acknowledged_by_dead_ += last_words->acknowledged;

    const std::size_t missing = options_.peers_per_worker;
    for (std::size_t i = 0; i < 2 * missing && count_on(victim) < missing; ++i) open_peer();
    if (count_on(victim) < 2) fail("{}", where("no new connection reaches the new worker"));
    begin_run(victim);
    const auto said_enough = [&] { return runs_[victim]->acknowledged >= 200; };
    if (!turn_until(kSettleMs, said_enough))
      fail("{}", where("the new worker acknowledges little"));
    for (std::size_t w = 0; w < kWorkers; ++w) speaking_[w] = false;
    wait_delivered(survivor, *last_words);
    wait_arenas();
    judge_counters();
    std::erase_if(peers_, [this](const auto& peer) { return surplus(*peer); });
    if (round_ % 10 == 0) fmt::print("  {} rounds, {} events checked\n", round_, world_.events);
    std::fflush(stdout);
  }

  // Connections that went to the survivor while new ones were sought.
  bool surplus(Peer& peer) {
    if (count_on(peer.worker) <= options_.peers_per_worker) return false;
    peer.worker = SIZE_MAX;
    return true;
  }

  std::string where(const char* what) const {
    return fmt::format("round {}: {} within {} s", round_, what, kSettleMs / 1000);
  }

  void kill_worker(std::size_t victim) {
    for (const auto& peer : peers_) {
      if (peer->worker == victim) peer->expect_end();
    }
    const unsigned starts = broker_.worker_starts(victim);
    const std::int64_t killed = now_ms();
    kill(broker_.worker_pid(victim), SIGKILL);
    const auto gone = [&] {
      return std::all_of(peers_.begin(), peers_.end(),
                         [&](const auto& peer) { return peer->worker != victim || peer->ended(); });
    };
    if (!turn_until(options_.gone_within_ms, gone)) {
      fail("round {}: clients of the killed worker {} are still connected after {} ms", round_,
           victim, options_.gone_within_ms);
    }
    gone_ms_max_ = std::max(gone_ms_max_, now_ms() - killed);
    const auto back = [&] {
      broker_.read_log();
      return broker_.worker_starts(victim) > starts;
    };
    if (!turn_until(options_.back_within_ms - (now_ms() - killed), back)) {
      fail("round {}: worker {} is not back within {} ms", round_, victim, options_.back_within_ms);
    }
    back_ms_max_ = std::max(back_ms_max_, now_ms() - killed);
  }

  // Everything acknowledged, and everyone has everything of both publishers that live; of the dead
  // one's, the survivor's clients all have the same, and no less than was acknowledged.
  void wait_delivered(std::size_t survivor, const Run& last_words) {
    const auto complete = [&] {
      for (std::size_t w = 0; w < kWorkers; ++w) {
        if (speakers_[w]->unacknowledged() != 0) return false;
        for (const auto& peer : peers_) {
          if (peer.get() != speakers_[w] && peer->heard(*runs_[w]) != runs_[w]->sent) return false;
        }
      }
      return true;
    };
    if (!turn_until(kSettleMs, complete)) fail("{}", where("notes have not reached everyone"));
    std::uint64_t heard = 0;
    for (const auto& peer : peers_) {
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

  void wait_arenas() {
    const std::int64_t deadline = now_ms() + kSettleMs;
    for (;;) {
      counters_ = broker_.counters(busy());
      bool whole = counters_.sum("arena_frames") == 0;
      for (std::size_t w = 0; w < kWorkers; ++w) {
        const std::uint64_t free = counters_.at(w, kFree);
        whole = whole && free != 0 && (free_before_[w] == 0 || free == free_before_[w]);
      }
      if (whole) return;
      if (now_ms() >= deadline) break;
      engine_.turn(20);
    }
    fail(
        "round {}: the arenas have {} and {} free bytes and hold {} frames when all is quiet; "
        "they had {} and {} free at first",
        round_, counters_.at(0, kFree), counters_.at(1, kFree), counters_.sum("arena_frames"),
        free_before_[0], free_before_[1]);
  }

  void judge_counters() {
    for (const char* counter :
         {"corrupt_descriptors_dropped", "corrupt_frames_dropped", "slow_readers_closed"}) {
      if (const auto n = counters_.sum(counter)) fail("round {}: {} is {}", round_, counter, n);
    }
  }

  void report(std::int64_t ms) {
    fmt::print("rounds                      {} in {:.1f} s\n", options_.rounds,
               static_cast<double>(ms) / 1000);
    fmt::print("events checked              {}, each once and in order\n", world_.events);
    fmt::print("publishers' runs            {}\n", world_.sent.size());
    fmt::print("of killed workers' runs     {} notes acknowledged, {} heard\n",
               acknowledged_by_dead_, heard_of_dead_);
    fmt::print("clients gone after          {} ms at most\n", gone_ms_max_);
    fmt::print("worker back after           {} ms at most\n", back_ms_max_);
    for (std::size_t w = 0; w < kWorkers; ++w) {
      fmt::print("arena_free_bytes worker {}   {} before, {} after\n", w, free_before_[w],
                 counters_.at(w, kFree));
    }
    for (const char* counter :
         {"arena_frames", "connections_lost", "stale_frames_dropped", "stale_descriptors_dropped",
          "corrupt_descriptors_dropped", "corrupt_frames_dropped", "ring_full"}) {
      fmt::print("{:<28}{}\n", counter, counters_.sum(counter));
    }
  }

  const Options options_;
  Engine engine_;
  std::mt19937_64 random_;
  PeerWorld world_;
  BrokerProcess broker_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::array<Peer*, kWorkers> speakers_{};  // by worker
  std::array<std::unique_ptr<Run>, kWorkers> runs_;
  std::array<bool, kWorkers> speaking_{};
  std::array<std::uint64_t, kWorkers> free_before_{};
  unsigned round_ = 0;
  std::int64_t gone_ms_max_ = 0;
  std::int64_t back_ms_max_ = 0;
  std::uint64_t acknowledged_by_dead_ = 0;
  std::uint64_t heard_of_dead_ = 0;
  CounterSets counters_;
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
