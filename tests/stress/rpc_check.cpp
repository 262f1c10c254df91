// Invariant I6 for calls: whatever happens to their callees, to workers, by timeouts and by
// cancels, every call ends exactly once, with its own answer, and when all have left nothing of
// them is left.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "tests/stress/broker_process.h"
#include "tests/stress/callee_process.h"
#include "tests/stress/check_main.h"
#include "tests/stress/clock.h"
#include "tests/stress/memory.h"
#include "tests/stress/rpc_callee.h"
#include "tests/stress/rpc_caller.h"

namespace ringcast::stress {
namespace {

struct Options {
  std::string broker;
  std::uint64_t calls = 100'000;
  std::uint64_t worker_kills = 5;
  std::uint64_t cancels = 10'000;
  std::size_t callers = 24;
  std::size_t callees = 12;
  std::size_t window = 16;
  std::uint64_t seed = 1;
};

constexpr std::size_t kWorkers = 2;
constexpr std::int64_t kSettleMs = 30'000;
// Beyond what the allocator keeps of what was freed.
constexpr std::int64_t kMemoryBytesMax = 32 << 20;

// What one part of the check does.
struct Phase {
  std::string name;
  std::uint64_t calls = 0;
  std::function<CallPlan(std::uint64_t serial)> plan;
  std::int64_t callee_life_ms = 0;  // on average; 0: they stay
  bool provoke_cancels = false;     // when a callee dies
  bool half_open = false;           // some die so, one at a time
  bool callee_processes = false;
  std::uint64_t worker_kills = 0;  // goes on until they are done
};

class RpcCheck {
 public:
  // A half-open callee is found by a ping; one of the check's own answers it in time.
  explicit RpcCheck(const Options& options)
      : options_(options),
        world_(options.seed),
        broker_(options.broker, {"--processes", "2", "--threads", "1", "--ping-interval", "1",
                                 "--ping-timeout", "4"}) {}

  void run() {
    baseline();
    const std::int64_t begin = now_ms();
    run_phase(dying_callees(options_.calls / 10, "callees die, first"));
    const std::int64_t memory_first = memory_bytes(broker_.pids());
    run_phase(dying_callees(options_.calls, "callees die"));
    for (const Race race : {Race::result, Race::death, Race::timeout}) {
      for (const auto mode :
           {wire::CancelMode::skip, wire::CancelMode::kill, wire::CancelMode::killnowait}) {
        run_phase(cancels(race, mode));
      }
    }
    const std::int64_t grown = memory_bytes(broker_.pids()) - memory_first;
    if (kMemoryMeansSomething && grown > kMemoryBytesMax) {
      fail("the broker's memory has grown by {} KiB since the first calls", grown / 1024);
    }
    fmt::print("memory grown                {} KiB\n", grown / 1024);
    Phase kills = dying_callees(options_.calls, "callees and workers die");
    kills.worker_kills = options_.worker_kills;
    run_phase(kills);
    report(now_ms() - begin);
    if (const int code = broker_.stop(busy()); code != 0) fail("the broker exits with {}", code);
  }

 private:
  enum class Race : std::uint8_t { result, death, timeout };

  Phase dying_callees(std::uint64_t calls, std::string name) {
    return {.name = std::move(name),
            .calls = calls,
            .plan = [this](std::uint64_t serial) { return plan_of_any(serial); },
            .callee_life_ms = 200,
            .half_open = true,
            .callee_processes = true};
  }

  CallPlan plan_of_any(std::uint64_t serial) {
    constexpr std::array kWishes = {Wish::answer, Wish::answer, Wish::answer, Wish::answer,
                                    Wish::answer, Wish::answer, Wish::later,  Wish::later,
                                    Wish::fail,   Wish::hold};
    CallPlan plan{.serial = serial, .callee_dies = true, .again = true};
    plan.order.wish = kWishes[world_.random(kWishes.size())];
    if (world_.random(20) == 0) plan.order.wish = Wish::unavailable;
    mix(plan);
    return plan;
  }

  // Progressive results and calls in parts.
  void mix(CallPlan& plan) {
    plan.order.procedure = static_cast<std::uint8_t>(world_.random(kProcedures));
    if (world_.random(5) == 0)
      plan.order.progress = static_cast<std::uint8_t>(1 + world_.random(3));
    if (world_.random(6) == 0) plan.parts = static_cast<std::uint8_t>(2 + world_.random(3));
  }

  Phase cancels(Race race, wire::CancelMode mode) {
    constexpr std::array kRaces = {"result", "callee's death", "timeout"};
    Phase phase{.name = fmt::format("cancel ({}) against {}",
                                    wire::kCancelModeNames[static_cast<std::size_t>(mode)],
                                    kRaces[static_cast<std::size_t>(race)]),
                .calls = options_.cancels,
                .plan = [this, race, mode](std::uint64_t serial) {
                  return plan_of_race(serial, race, mode);
                }};
    if (race == Race::death) phase.callee_life_ms = 50;
    phase.provoke_cancels = race == Race::death;
    return phase;
  }

  CallPlan plan_of_race(std::uint64_t serial, Race race, wire::CancelMode mode) {
    constexpr std::array kMoments = {CancelAt::once_made, CancelAt::once_invoked,
                                     CancelAt::a_moment_later};
    CallPlan plan{.serial = serial, .mode = mode};
    const bool late = world_.random(2) == 0;
    plan.cancel_at = kMoments[world_.random(kMoments.size())];
    plan.order.wish = late ? Wish::later : Wish::answer;
    if (race == Race::death) {
      plan.callee_dies = true;
      plan.order.wish = late ? Wish::hold : Wish::later;
      // So that most are still there when the callee dies, which cancels half of them.
      if (world_.random(4) != 0) plan.cancel_at = CancelAt::a_moment_later;
    } else if (race == Race::timeout) {
      plan.timeout_ms = 1 + world_.random(4);
      plan.order.wish = late ? Wish::hold : Wish::later;
      plan.cancel_at = CancelAt::a_moment_later;
    }
    mix(plan);
    return plan;
  }

  BrokerProcess::Busy busy() {
    return [this] { engine_.turn(1); };
  }
  Link::Target target() {
    return {.port = broker_.port(),
            .source = 0x7F000001 + static_cast<std::uint32_t>(world_.random(200))};
  }

  void run_phase(const Phase& phase) {
    const std::int64_t begin = now_ms();
    const std::uint64_t settled = world_.settled;
    const CounterSets before = broker_.counters(busy());
    const auto endings = world_.endings;
    world_.workers_die = phase.worker_kills != 0;
    made_ = 0;
    keep_peers(phase, now_ms());
    const bool ready = engine_.turn_until(kSettleMs, [this] {
      return std::all_of(callees_.begin(), callees_.end(), [](const auto& callee) {
        return callee->registered() || callee->ended();
      });
    });
    if (!ready) fail("{}: no REGISTERED within 30 s", phase.name);
    while (world_.settled - settled < phase.calls || workers_killed_ < phase.worker_kills) {
      const std::int64_t now = now_ms();
      keep_peers(phase, now);
      for (const auto& callee : callees_) callee->tick(now);
      for (const auto& caller : callers_) {
        caller->tick(now);
        if (caller->welcome() && !caller->ended()) make_calls(phase, *caller);
      }
      look_around(now);
      engine_.turn(1);
    }
    wind_down();
    const CounterSets after = broker_.counters(busy());
    for (std::size_t w = 0; w < kWorkers && !world_.workers_die; ++w) {
      if (after.at(w, "calls") == before.at(w, "calls"))
        fail("{}: no call on worker {}", phase.name, w);
    }
    fmt::print("{}: {} calls in {:.1f} s\n", phase.name, world_.settled - settled,
               static_cast<double>(now_ms() - begin) / 1000);
    for (const auto& [how, count] : world_.endings) {
      const auto earlier = endings.find(how);
      const std::uint64_t now = count - (earlier == endings.end() ? 0 : earlier->second);
      if (now != 0) fmt::print("  {:<40}{}\n", how, now);
    }
    std::fflush(stdout);
  }

  void make_calls(const Phase& phase, Caller& caller) {
    while (caller.open() < options_.window) {
      std::uint64_t serial = 0;
      if (!world_.again.empty()) {
        serial = world_.again.front();
        world_.again.pop_front();
      } else if (made_ < phase.calls || workers_killed_ < phase.worker_kills) {
        ++made_;
        serial = ++serials_;
      } else {
        return;
      }
      caller.call(phase.plan(serial));
    }
  }

  void keep_peers(const Phase& phase, std::int64_t now) {
    std::erase_if(callers_, [](const auto& caller) { return caller->ended(); });
    while (callers_.size() < options_.callers) {
      callers_.push_back(std::make_unique<Caller>(engine_, world_));
      callers_.back()->connect(target());
    }
    std::erase_if(callees_, [now](const auto& callee) { return callee->finished(now); });
    while (callees_.size() < options_.callees) {
      // Every procedure has some, and none has all.
      const auto procedures = static_cast<std::uint32_t>(1 + world_.random(0xFF));
      callees_.push_back(std::make_unique<Callee>(engine_, world_, world_.random(2) == 0,
                                                  callees_.size() < 2 ? 0xFF : procedures));
      callees_.back()->connect(target());
    }
    if (phase.callee_life_ms != 0) kill_callees(phase, now);
    if (phase.callee_processes) keep_processes(now);
    if (workers_killed_ < phase.worker_kills) kill_a_worker(now);
  }

  void kill_callees(const Phase& phase, std::int64_t now) {
    const auto pause = static_cast<std::uint64_t>(2 * phase.callee_life_ms) / options_.callees + 1;
    if (now < next_death_ms_) return;
    next_death_ms_ = now + static_cast<std::int64_t>(world_.random(pause));
    Callee& callee = *callees_[world_.random(callees_.size())];
    if (!callee.registered()) return;
    if (phase.provoke_cancels) callee.provoke_cancels();
    auto how = static_cast<Death>(world_.random(static_cast<std::size_t>(Death::count_)));
    if (how == Death::half_open) {
      if (!phase.half_open || now < next_half_open_ms_)
        how = Death::rst;
      else
        next_half_open_ms_ = now + 9000;
    }
    ++deaths_[static_cast<std::size_t>(how)];
    callee.die(how);
  }

  void keep_processes(std::int64_t now) {
    for (Process& process : processes_) {
      if (now < process.until_ms) continue;
      if (process.callees.running()) ++processes_killed_;
      process.callees.start(broker_.port());
      process.until_ms = now + 200 + static_cast<std::int64_t>(world_.random(400));
    }
  }

  // One after the other: what is told to a worker that is away is lost with it.
  void kill_a_worker(std::int64_t now) {
    broker_.read_log();
    if (now < next_kill_ms_) return;
    if (broker_.worker_starts(victim_) == starts_) return;  // not back yet
    if (next_kill_ms_ != 0) {
      victim_ = world_.random(kWorkers);
      starts_ = broker_.worker_starts(victim_);
      ::kill(broker_.worker_pid(victim_), SIGKILL);
      ++workers_killed_;
    }
    next_kill_ms_ = now + 100 + static_cast<std::int64_t>(world_.random(500));
  }

  void look_around(std::int64_t now) {
    if (now < next_look_ms_) return;
    next_look_ms_ = now + 1000;
    broker_.read_log();
    for (const auto& caller : callers_) caller->expect_answered_within(kSettleMs, now);
    if (!world_.workers_die && !broker_.errors().empty())
      fail("the broker logs: {}", broker_.errors().front());
  }

  // Everyone leaves, callers in order, and then nothing is left.
  void wind_down() {
    for (Process& process : processes_) {
      process.callees.kill();
      process.until_ms = 0;
    }
    for (const auto& caller : callers_) caller->leave();
    const bool left = engine_.turn_until(kSettleMs, [&] {
      return std::all_of(callers_.begin(), callers_.end(),
                         [](const auto& caller) { return caller->ended(); });
    });
    if (!left) fail("callers' connections do not end within 30 s");
    callers_.clear();
    for (const auto& callee : callees_) callee->die(Death::rst);
    callees_.clear();
    world_.forget_given();
    world_.again.clear();
    wait_empty();
  }

  void baseline() {
    wait_empty();
    for (std::size_t w = 0; w < kWorkers; ++w) {
      arena_free_[w] = counters_.at(w, "arena_free_bytes");
    }
  }

  // The workers report these gauges now and then only.
  void wait_empty() {
    static constexpr std::array kGauges = {"connections",   "sessions",     "calls_open",
                                           "registrations", "arena_frames", "subscriptions"};
    const std::int64_t deadline = now_ms() + kSettleMs;
    for (;;) {
      counters_ = broker_.counters(busy());
      std::string left;
      for (const char* gauge : kGauges) {
        if (const auto n = counters_.sum(gauge)) left += fmt::format("{} is {}; ", gauge, n);
      }
      for (std::size_t w = 0; w < kWorkers; ++w) {
        const std::uint64_t free = counters_.at(w, "arena_free_bytes");
        if (free == 0 || (arena_free_[w] != 0 && free != arena_free_[w])) {
          left +=
              fmt::format("worker {}'s arena has {} bytes free of {}; ", w, free, arena_free_[w]);
        }
      }
      if (left.empty()) break;
      if (now_ms() >= deadline) fail("30 s after all have left {}", left);
      engine_.turn(20);
    }
    for (const char* counter :
         {"corrupt_descriptors_dropped", "corrupt_frames_dropped", "protocol_violations"}) {
      if (const auto n = counters_.sum(counter)) fail("{} is {}, expected 0", counter, n);
    }
  }

  void report(std::int64_t ms) {
    fmt::print("calls                       {} in {:.1f} s, each ended once\n", world_.calls,
               static_cast<double>(ms) / 1000);
    fmt::print("  answered                  {}\n", world_.answers);
    fmt::print("  lost with their caller    {}\n", world_.lost_with_connection);
    fmt::print("progressive results         {}\n", world_.progressive);
    fmt::print("parts                       {}, and {} after the end\n", world_.parts,
               world_.late_parts);
    fmt::print("cancels                     {}, interrupts {}\n", world_.cancels,
               world_.interrupts);
    fmt::print("callees                     {}; deaths by kind:", world_.callees);
    for (const std::uint64_t deaths : deaths_) fmt::print(" {}", deaths);
    fmt::print("\nprocesses killed            {}, workers {}\n", processes_killed_,
               workers_killed_);
    for (const char* counter : {"stale_frames_dropped", "stale_descriptors_dropped", "ring_full",
                                "arena_full", "publishers_paused"}) {
      fmt::print("{:<28}{}\n", counter, counters_.sum(counter));
    }
  }

  struct Process {
    CalleeProcess callees;
    std::int64_t until_ms = 0;
  };

  const Options options_;
  Engine engine_;
  RpcWorld world_;
  BrokerProcess broker_;
  std::vector<std::unique_ptr<Caller>> callers_;
  std::vector<std::unique_ptr<Callee>> callees_;
  std::array<Process, 2> processes_;
  CounterSets counters_;
  std::array<std::uint64_t, kWorkers> arena_free_{};
  std::uint64_t serials_ = 0;  // given last
  std::uint64_t made_ = 0;     // new ones in this phase
  std::int64_t next_death_ms_ = 0;
  std::int64_t next_half_open_ms_ = 0;
  std::int64_t next_kill_ms_ = 0;
  std::int64_t next_look_ms_ = 0;
  std::size_t victim_ = 0;
  unsigned starts_ = 0;  // of the victim, when it was killed
  std::array<std::uint64_t, static_cast<std::size_t>(Death::count_)> deaths_{};
  std::uint64_t processes_killed_ = 0;
  std::uint64_t workers_killed_ = 0;
};

}  // namespace
}  // namespace ringcast::stress

int main(int argc, char** argv) {
  using namespace ringcast::stress;
  Options options;
  std::uint16_t act_as_callees_of = 0;
  CLI::App app("Checks that every call ends once, while callees, callers and workers come and go.");
  app.option_defaults()->always_capture_default();
  app.add_option("--broker", options.broker, "the broker's program (default: beside this one)");
  app.add_option("--calls", options.calls, "calls while callees die");
  app.add_option("--worker-kills", options.worker_kills, "and as many while workers are killed");
  app.add_option("--cancels", options.cancels,
                 "calls that are canceled, in each mode, of each race");
  app.add_option("--callers", options.callers, "sessions that call")->check(CLI::Range(2, 1000));
  app.add_option("--callees", options.callees, "sessions that are called")
      ->check(CLI::Range(2, 1000));
  app.add_option("--window", options.window, "open calls of a caller")->check(CLI::Range(1, 1000));
  app.add_option("--seed", options.seed, "of what is drawn at random");
  app.add_option("--act-as-callees", act_as_callees_of,
                 "used by the check itself: a broker's port");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  return run_check("rpc_check", [&] {
    if (act_as_callees_of != 0) act_as_callees(act_as_callees_of);
    RpcCheck(options).run();
  });
}
