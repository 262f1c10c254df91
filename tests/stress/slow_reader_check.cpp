// Invariants I7 and I4. First a subscriber that never reads, beside others that do: they miss
// nothing, the broker's memory stays within the bounds, the one that does not read is closed by
// policy. Then a worker process that stands still while a publisher on the other one publishes as
// fast as it is let: nothing is lost, nothing grows without bound.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "tests/stress/check_main.h"
#include "tests/stress/clock.h"
#include "tests/stress/fleet.h"
#include "tests/stress/memory.h"

namespace ringcast::stress {
namespace {

struct Options {
  std::string broker;
  std::uint64_t megabytes = 40;
  std::size_t healthy = 20;
  std::int64_t stop_ms = 2000;
};

constexpr std::int64_t kMebibyte = 1 << 20;
constexpr std::int64_t kArenaBytes = 16 * kMebibyte;
constexpr std::int64_t kQueueBytes = kMebibyte;  // the broker's default bound of a connection
constexpr std::int64_t kSettleMs = Fleet::kSettleMs;
constexpr std::int64_t kSampleMs = 50;
constexpr std::size_t kNoteBytes = 4096;
// Half of a connection's bound may be under way, so that nobody who reads is ever a slow reader.
constexpr std::uint64_t kWindow = kQueueBytes / 2 / kNoteBytes;
// Enough to have touched every page of the arenas and the fan-out logs once.
constexpr std::uint64_t kWarmUpBytes = 48 * kMebibyte;

double mebibytes(std::int64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(kMebibyte);
}

// The highest use of memory since begin(), above what it was then.
class MemoryWatch {
 public:
  explicit MemoryWatch(const BrokerProcess& broker) : broker_(broker) {}
  void begin() { first_ = highest_ = memory_bytes(broker_.pids()); }
  void sample() {
    if (now_ms() < next_ms_) return;
    next_ms_ = now_ms() + kSampleMs;
    highest_ = std::max(highest_, memory_bytes(broker_.pids()));
  }
  std::int64_t first() const { return first_; }
  std::int64_t growth() const { return highest_ - first_; }
  void judge(const char* when) const {
    const std::int64_t allowed = kQueueBytes + kArenaBytes;
    fmt::print("memory {:<22}{:.1f} MiB at first, {:.2f} MiB more at most (bound {:.0f} MiB)\n",
               when, mebibytes(first_), mebibytes(growth()), mebibytes(allowed));
    if (kMemoryMeansSomething && growth() > allowed) {
      fail("the broker's memory has grown by {:.1f} MiB ({}), allowed are {:.0f}",
           mebibytes(growth()), when, mebibytes(allowed));
    }
  }

 private:
  const BrokerProcess& broker_;
  std::int64_t first_ = 0;
  std::int64_t highest_ = 0;
  std::int64_t next_ms_ = 0;
};

template <typename Done>
void turn_until(Fleet& fleet, const char* what, Done&& done) {
  if (!fleet.engine.turn_until(kSettleMs, done)) fail("{} within 30 s", what);
}

// Publishes `bytes` as one run, at the pace of those who listen; returns when they have heard all.
template <typename EachTurn>
Run publish_paced(Fleet& fleet, Peer& speaker, std::uint64_t bytes, EachTurn&& each_turn) {
  Run run = begin_run(fleet.world);
  const std::uint64_t notes = bytes / kNoteBytes;
  std::uint64_t heard = 0;
  std::int64_t heard_at_ms = now_ms();
  while (heard < notes) {
    while (run.sent < notes && run.sent - heard < kWindow) speaker.speak(run, kNoteBytes);
    fleet.engine.turn(1);
    each_turn();
    const std::uint64_t before = std::exchange(heard, fleet.heard_by_all(run));
    if (heard != before) heard_at_ms = now_ms();
    if (now_ms() >= heard_at_ms + kSettleMs) {
      fail("somebody is left at note {} of {} for 30 s", heard, notes);
    }
  }
  return run;
}

class SlowReader {
 public:
  explicit SlowReader(const Options& options)
      : options_(options), fleet_(options.broker, {}), memory_(fleet_.broker) {}

  void run() {
    for (std::size_t i = 0; i < options_.healthy + 1; ++i) fleet_.open_peer(busy());
    for (std::size_t w = 0; w < Fleet::kWorkers; ++w) {
      if (fleet_.count_on(w) < 2) fail("worker {} has got too few connections", w);
    }
    // Both arenas and logs.
    for (std::size_t w = 0; w < Fleet::kWorkers; ++w) {
      publish_paced(fleet_, *fleet_.any_on(w), kWarmUpBytes, [] {});
    }
    fleet_.wait_quiet(busy());
    Peer& slow = open_slow();
    memory_.begin();
    // From the worker that has not got the slow one, so that its frames go through the arena.
    Peer& speaker = *fleet_.any_on(1 - slow_worker_);
    const std::int64_t begin = now_ms();
    publish_paced(fleet_, speaker, options_.megabytes * 1'000'000, [&] { each_turn(slow); });
    const std::int64_t ms = now_ms() - begin;
    memory_.judge("while one never reads");
    see_policy(slow);
    fleet_.wait_quiet(busy());
    report(slow, ms);
    fleet_.stop();
  }

 private:
  BrokerProcess::Busy busy() {
    return [this] { fleet_.engine.turn(1); };
  }

  Peer& open_slow() {
    Peer& slow = fleet_.open_peer(busy(), {.receive_buffer_bytes = 4096});
    slow_worker_ = slow.worker;
    // No longer one of those whom the others wait for.
    slow_ = std::move(fleet_.peers.back());
    fleet_.peers.pop_back();
    slow.expect_end();
    slow.stop_reading();
    return slow;
  }

  void each_turn(Peer& slow) {
    memory_.sample();
    if (now_ms() < next_look_ms_) return;
    next_look_ms_ = now_ms() + 250;
    look(slow);
  }

  // Once its policy has been applied it looks at what there is to read.
  void look(Peer& slow) {
    if (closed_) return;
    closed_ = fleet_.broker.counters(busy()).sum("slow_readers_closed") != 0;
    if (closed_) slow.resume_reading();
  }

  void see_policy(Peer& slow) {
    look(slow);
    if (!closed_) fail("the subscriber that never reads has not been closed");
    if (!slow.ended()) {
      turn_until(fleet_, "the connection of the slow reader does not end",
                 [&] { return slow.ended(); });
    }
    // The close frame may have been given up with the connection, if it had no room for long.
    if (slow.close_code() != 0 && slow.close_code() != 1008) {
      fail("the slow reader is closed with code {}, expected 1008", slow.close_code());
    }
  }

  void report(const Peer& slow, std::int64_t ms) {
    const std::uint64_t closed = fleet_.counters.sum("slow_readers_closed");
    fmt::print("published                   {} MB to {} healthy subscribers in {:.1f} s\n",
               options_.megabytes, options_.healthy, static_cast<double>(ms) / 1000);
    fmt::print("events checked              {}, each once and in order\n", fleet_.world.events);
    fmt::print(
        "slow_readers_closed         {}; its end: {}\n", closed,
        slow.close_code() == 0 ? "end of stream" : fmt::format("close code {}", slow.close_code()));
    fmt::print("log_evacuations             {}\n", fleet_.counters.sum("log_evacuations"));
    if (closed != 1) fail("slow_readers_closed is {}, expected 1", closed);
  }

  const Options options_;
  Fleet fleet_;
  std::unique_ptr<Peer> slow_;
  std::size_t slow_worker_ = 0;
  MemoryWatch memory_;
  bool closed_ = false;
  std::int64_t next_look_ms_ = 0;
};

class StoppedWorker {
 public:
  // A connection's bound is above what an arena can hold: here it is the ring that must push back.
  explicit StoppedWorker(const Options& options)
      : options_(options),
        fleet_(options.broker, {"--queue-bytes-max", "67108864"}),
        memory_(fleet_.broker) {}

  void run() {
    for (int i = 0; i < 8; ++i) fleet_.open_peer(busy());
    Peer* const speaker = fleet_.any_on(0);
    if (speaker == nullptr || fleet_.count_on(1) == 0) fail("a worker has got no connections");
    publish_paced(fleet_, *speaker, kWarmUpBytes, [] {});
    fleet_.wait_quiet(busy());

    Run run = begin_run(fleet_.world);
    const pid_t stopped = fleet_.broker.worker_pid(1);
    memory_.begin();
    kill(stopped, SIGSTOP);
    publish_into_the_stop(run, *speaker);
    const std::uint64_t sent = run.sent;
    const std::uint64_t acknowledged = run.acknowledged;
    kill(stopped, SIGCONT);
    turn_until(fleet_, "what was published during the stop does not reach everyone",
               [&] { return fleet_.heard_by_all(run) == sent; });
    fleet_.wait_quiet(busy());
    report(sent, acknowledged);
    fleet_.stop();
  }

 private:
  BrokerProcess::Busy busy() {
    return [this] { fleet_.engine.turn(1); };
  }

  // As fast as the socket takes it, for the time of the stop and until the push-back was seen.
  void publish_into_the_stop(Run& run, Peer& speaker) {
    const std::int64_t begin = now_ms();
    std::int64_t look_ms = begin + options_.stop_ms / 2;
    while (now_ms() < begin + options_.stop_ms || paused_ == 0) {
      while (speaker.unsent() < 64 * kNoteBytes) speaker.speak(run, kNoteBytes);
      fleet_.engine.turn(1);
      memory_.sample();
      if (now_ms() >= look_ms) {
        look_ms = now_ms() + 200;
        paused_ = std::max(paused_, fleet_.broker.counters(busy()).sum("publishers_paused"));
      }
      // The supervisor ends a worker that stands still for ten seconds.
      if (now_ms() >= begin + options_.stop_ms + 5000) fail("publishers_paused stays 0");
    }
  }

  void report(std::uint64_t sent, std::uint64_t acknowledged) {
    fmt::print("worker stopped for          {} ms\n", options_.stop_ms);
    fmt::print(
        "published meanwhile         {} notes of {} bytes taken by the socket, {} of them "
        "acknowledged\n",
        sent, kNoteBytes, acknowledged);
    fmt::print("events checked              {}, each once and in order\n", fleet_.world.events);
    fmt::print("publishers_paused           {} seen, {} at the end\n", paused_,
               fleet_.counters.sum("publishers_paused"));
    fmt::print("ring_full, arena_full       {}, {}\n", fleet_.counters.sum("ring_full"),
               fleet_.counters.sum("arena_full"));
    memory_.judge("while a worker stands");
    for (const char* counter : {"publishers_paused", "slow_readers_closed", "connections_lost"}) {
      if (const auto n = fleet_.counters.sum(counter)) fail("{} is {}, expected 0", counter, n);
    }
    for (std::size_t w = 0; w < Fleet::kWorkers; ++w) {
      if (fleet_.broker.worker_starts(w) != 1) fail("worker {} was started again", w);
    }
  }

  const Options options_;
  Fleet fleet_;
  MemoryWatch memory_;
  std::uint64_t paused_ = 0;
};

}  // namespace
}  // namespace ringcast::stress

int main(int argc, char** argv) {
  using namespace ringcast::stress;
  Options options;
  CLI::App app("Checks what a subscriber that never reads costs, and a worker that stands still.");
  app.option_defaults()->always_capture_default();
  app.add_option("--broker", options.broker, "the broker's program (default: beside this one)");
  app.add_option("--megabytes", options.megabytes, "published beside the slow reader")
      ->check(CLI::Range(10, 100000));
  app.add_option("--healthy", options.healthy, "subscribers that read")->check(CLI::Range(4, 1000));
  app.add_option("--stop-ms", options.stop_ms, "for which a worker stands still")
      ->check(CLI::Range(100, 4000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  return run_check("slow_reader_check", [&] {
    SlowReader(options).run();
    StoppedWorker(options).run();
  });
}
