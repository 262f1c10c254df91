// Invariants I2 and I6 under churn: connections come and end in every way there is, slots and
// descriptors are reused all the time, broadcasts and acknowledged publications go on, and not one
// frame reaches a session that it was not meant for.
#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "tests/stress/broker_process.h"
#include "tests/stress/check_main.h"
#include "tests/stress/churner.h"
#include "tests/stress/clock.h"

namespace ringcast::stress {
namespace {

struct Options {
  std::string broker;
  std::uint64_t frames = 1'000'000;
  unsigned processes = 2;
  std::size_t subscribers = 100;
  std::size_t churners = 300;
  std::uint64_t sessions_per_second = 1500;
  std::uint64_t window = 800;  // notes that the slowest steady subscriber may be behind
  std::uint64_t seed = 1;
};

constexpr std::size_t kGossipListeners = 8;
constexpr std::int64_t kSettleMs = 30'000;

class ChurnCheck {
 public:
  explicit ChurnCheck(const Options& options)
      : options_(options),
        world_(options.seed),
        broker_(options.broker, {"--processes", std::to_string(options.processes), "--threads", "1",
                                 "--log-level", "info"}) {}

  void run() {
    const std::int64_t begin = now_ms();
    open_steady();
    while (Session::frames_checked() < options_.frames) {
      publish_due();
      churn();
      engine_.turn(1);
      if ((++turns_ & 0xFFF) == 0) report_progress(begin);
    }
    const std::int64_t ms = std::max<std::int64_t>(now_ms() - begin, 1);
    wind_down();
    report(ms);
    judge();
  }

 private:
  Link::Target target(std::uint64_t uid) const {
    return {.port = broker_.port(), .source = 0x7F000001 + static_cast<std::uint32_t>(uid % 200)};
  }
  BrokerProcess::Busy busy() {
    return [this] { engine_.turn(1); };
  }

  void open_steady() {
    for (std::size_t i = 0; i < kPublishers + options_.subscribers; ++i) {
      Steady& steady = *steady_.emplace_back(std::make_unique<Steady>(engine_, world_));
      steady.connect(target(steady.uid()));
      const auto ready = [&] { return steady.welcome() && steady.all_subscribed(); };
      if (!engine_.turn_until(kSettleMs, [&] { return steady.welcome(); })) fail("no WELCOME");
      steady.join(kPrivate);
      for (std::uint32_t topic = 0; topic < kSharedTopics; ++topic) steady.join(topic);
      if (i >= kPublishers && i < kPublishers + kGossipListeners) steady.join(kGossip);
      if (!engine_.turn_until(kSettleMs, ready)) fail("no SUBSCRIBED");
    }
  }

  // The furthest that a steady session is behind what was published.
  std::uint64_t behind() const {
    std::uint64_t most = 0;
    for (const auto& steady : steady_) {
      most = std::max(most, steady->shared_due() - steady->shared_received());
    }
    return most;
  }

  void publish_due() {
    const std::uint64_t now_behind = behind();
    if (now_behind >= options_.window) return;
    for (std::uint64_t i = now_behind; i < options_.window; ++i) {
      const std::size_t p = i % kPublishers;
      Steady& publisher = *steady_[p];
      if (publisher.unacknowledged() > options_.window) continue;
      const auto topic = static_cast<std::uint32_t>(world_.random(kSharedTopics));
      publisher.tell(topic, world_.next_sequence(p, topic), world_.random(4) == 0);
      if (world_.random(8) == 0) publish_privately();
    }
  }

  void publish_privately() {
    Member& addressee = *world_.addressees[world_.random(world_.addressees.size())];
    Steady& publisher = *steady_[addressee.private_publisher()];
    if (&addressee != &publisher) publisher.tell_privately(addressee, world_.random(2) == 0);
  }

  void churn() {
    const std::int64_t now = now_ms();
    if (churn_begin_ms_ == 0) churn_begin_ms_ = now;
    const std::uint64_t due =
        static_cast<std::uint64_t>(now - churn_begin_ms_) * options_.sessions_per_second / 1000;
    const std::int64_t life_ms =
        static_cast<std::int64_t>(2000 * options_.churners / options_.sessions_per_second + 1);
    std::erase_if(churners_, [](const auto& churner) { return churner->ended(); });
    while (connections_ < due && churners_.size() < options_.churners) {
      Churner& churner =
          *churners_.emplace_back(std::make_unique<Churner>(engine_, world_, now, life_ms));
      churner.connect(target(churner.uid()));
      ++connections_;
    }
    alive_max_ = std::max(alive_max_, churners_.size());
    for (const auto& churner : churners_) churner->tick(now);
  }

  void report_progress(std::int64_t begin) {
    broker_.read_log();
    const std::int64_t now = now_ms();
    if (now < next_report_ms_) return;
    if (next_report_ms_ != 0) {
      fmt::print("  {} frames checked after {} s, {} sessions\n", Session::frames_checked(),
                 (now - begin) / 1000, world_.last_uid());
      std::fflush(stdout);
    }
    next_report_ms_ = now + 10'000;
  }

  // Everyone ends; the steady ones only when they have got everything.
  void wind_down() {
    const bool churners_gone = engine_.turn_until(kSettleMs, [&] {
      std::erase_if(churners_, [](const auto& churner) { return churner->ended(); });
      for (const auto& churner : churners_) churner->tick(now_ms());
      return churners_.empty();
    });
    if (!churners_gone) fail("{} connections do not end within 30 s", churners_.size());
    const auto quiet = [&] {
      return behind() == 0 && steady_[0]->unacknowledged() == 0 &&
             steady_[1]->unacknowledged() == 0;
    };
    if (!engine_.turn_until(kSettleMs, quiet)) {
      fail("{} notes are missing at a steady session after 30 s, {} and {} unacknowledged",
           behind(), steady_[0]->unacknowledged(), steady_[1]->unacknowledged());
    }
    for (const auto& steady : steady_) {
      steady->begin_end();
      steady->close_frame();
    }
    const bool all_gone = engine_.turn_until(kSettleMs, [&] {
      return std::all_of(steady_.begin(), steady_.end(), [](const auto& s) { return s->ended(); });
    });
    if (!all_gone) fail("the broker does not finish the closing handshake within 30 s");
    settle_gauges();
  }

  // Gauges are set now and then, so they may take a moment to be seen.
  void settle_gauges() {
    const std::int64_t deadline = now_ms() + kSettleMs;
    for (;;) {
      counters_ = broker_.counters(busy());
      std::uint64_t left = counters_.sum("arena_frames");
      for (const char* gauge : kGauges) left += counters_.sum(gauge);
      if (left == 0 || now_ms() >= deadline) return;
      engine_.turn(20);
    }
  }

  void report(std::int64_t ms) {
    const std::uint64_t frames = Session::frames_checked();
    fmt::print("frames checked      {} in {:.1f} s: {:.0f} per second\n", frames,
               static_cast<double>(ms) / 1000,
               static_cast<double>(frames) * 1000 / static_cast<double>(ms));
    fmt::print("  broadcasts {}, private {}, gossip {}, replies {}\n",
               Member::checked(Member::kShared), Member::checked(Member::kPrivates),
               Member::checked(Member::kGossips), Member::checked(Member::kReplies));
    fmt::print("misdelivered        0\n");
    fmt::print("published           {} broadcast notes to {} steady sessions\n",
               world_.published(0) + world_.published(1), steady_.size());
    fmt::print("sessions            {} on {} connections, at most {} in churn at once\n",
               world_.last_uid(), connections_ + steady_.size(), alive_max_);
    for (std::size_t i = 0; i < kEndings; ++i) {
      const auto ending = static_cast<Ending>(i);
      fmt::print("  {:<18}{}\n", ending_name(ending), Churner::endings(ending));
    }
    for (const char* counter :
         {"connections_accepted", "connections_closed", "stale_frames_dropped",
          "stale_completions_dropped", "stale_descriptors_dropped", "corrupt_descriptors_dropped",
          "corrupt_frames_dropped", "protocol_violations", "slow_readers_closed", "ring_full",
          "arena_full", "log_evacuations"}) {
      fmt::print("{:<28}{}\n", counter, counters_.sum(counter));
    }
    for (const char* gauge : kGauges) fmt::print("{:<28}{}\n", gauge, counters_.sum(gauge));
  }

  void judge() {
    for (const char* gauge : kGauges) {
      if (const auto left = counters_.sum(gauge)) {
        fail("{} is {} after all have left, expected 0", gauge, left);
      }
    }
    for (const char* counter : {"corrupt_descriptors_dropped", "corrupt_frames_dropped",
                                "slow_readers_closed", "protocol_violations", "arena_frames"}) {
      if (const auto n = counters_.sum(counter)) fail("{} is {}, expected 0", counter, n);
    }
    if (options_.processes > 1 && counters_.sum("stale_frames_dropped") == 0) {
      fail("stale_frames_dropped is 0: the churn has provoked nothing");
    }
    for (std::size_t worker = 0; worker < broker_.workers(); ++worker) {
      if (broker_.worker_starts(worker) != 1) fail("worker {} was started again", worker);
    }
    if (!broker_.errors().empty()) fail("the broker logs: {}", broker_.errors().front());
    if (const int code = broker_.stop(busy()); code != 0) fail("the broker exits with {}", code);
  }

  static constexpr std::array kGauges = {"connections", "sessions",    "subscriptions",
                                         "topics",      "home_topics", "publishers_paused"};

  const Options options_;
  Engine engine_;
  World world_;
  BrokerProcess broker_;
  std::vector<std::unique_ptr<Steady>> steady_;  // the publishers first
  std::vector<std::unique_ptr<Churner>> churners_;
  std::uint64_t connections_ = 0;
  std::size_t alive_max_ = 0;
  std::int64_t churn_begin_ms_ = 0;
  std::int64_t next_report_ms_ = 0;
  std::uint64_t turns_ = 0;
  CounterSets counters_;
};

}  // namespace
}  // namespace ringcast::stress

int main(int argc, char** argv) {
  using namespace ringcast::stress;
  Options options;
  CLI::App app("Checks that no frame reaches a session it is not meant for, while sessions churn.");
  app.option_defaults()->always_capture_default();
  app.add_option("--broker", options.broker, "the broker's program (default: beside this one)");
  app.add_option("--frames", options.frames, "frames to check");
  app.add_option("--processes", options.processes, "worker processes")->check(CLI::Range(1, 64));
  app.add_option("--subscribers", options.subscribers, "sessions that stay")
      ->check(CLI::Range(8, 10000));
  app.add_option("--churners", options.churners, "connections that come and go, at once");
  app.add_option("--sessions-per-second", options.sessions_per_second, "new ones, at most")
      ->check(CLI::PositiveNumber);
  app.add_option("--window", options.window, "notes under way")->check(CLI::Range(1, 8000));
  app.add_option("--seed", options.seed, "of what is drawn at random");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  return run_check("churn_check", [&] { ChurnCheck(options).run(); });
}
