#include "client/bench/load.h"

#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "client/bench/board.h"
#include "client/bench/churn.h"
#include "client/bench/clock.h"
#include "client/bench/followers.h"
#include "client/bench/interrupt.h"
#include "client/bench/monitor.h"
#include "client/bench/process_run.h"
#include "client/bench/server_watch.h"

namespace ringcast::bench {
namespace {

using client::Failure;

// Between the last handshake and the load. Linux takes a socket that answers what it receives, as
// in a handshake of several steps, for an interactive one, and delays its ACKs until a delayed one
// has been due (40 ms) or for as long as data keeps coming. Without a pause the ACKs of a whole run
// would depend on how many steps a protocol's handshake has.
constexpr useconds_t kPauseUs = 100'000;
// After the last delivery: long enough for a duplicate of it to show up.
constexpr std::int64_t kLingerNs = 100'000'000;
// How late the leader may notice what the other processes do.
constexpr std::int64_t kWatchNs = 5'000'000;

std::uint32_t random_run() {
  std::uint32_t run = 0;
  if (::getrandom(&run, sizeof run, 0) != sizeof run) run = static_cast<std::uint32_t>(now_ns());
  return run;
}

// Everything that is counted between the two ends of the measured interval, of all processes.
struct Sample {
  std::int64_t at_ns = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t publications = 0;
  CpuSample server;
  std::uint64_t own_cpu_ns = 0;
  std::int64_t idle_ns = 0;
};

// The process that sets the phases, watches the server and makes the report.
class Leader {
 public:
  Leader(const FanoutOptions& options, Mode mode)
      : options_(options),
        mode_(mode),
        run_(random_run()),
        board_(options.processes, options.lanes(), options.topics),
        followers_(options, board_),
        watch_(options.server_pids),
        monitor_(mode, options.duration_s, options.server_pids, options.progress) {}

  std::variant<RunResult, Failure> run() {
    if (auto failure = watch_.check()) return std::move(*failure);
    watch_.before_connections();
    if (auto failure = followers_.start(run_)) return std::move(*failure);
    part_.emplace(options_, 0, board_, run_);
    const std::int64_t begun = now_ns();
    if (auto failure = connect()) return std::move(*failure);
    result_.setup_s = static_cast<double>(now_ns() - begun) / 1e9;
    result_.congestion = part_->congestion();
    watch_.after_connections();
    ::usleep(kPauseUs);
    if (options_.churn_rate > 0) churn_.emplace(options_, board_, run_);
    load();
    if (failure_) return std::move(*failure_);
    return std::move(result_);
  }

 private:
  std::optional<Failure> connect() {
    if (auto failure = part_->connect()) return failure;
    for (std::uint32_t p = 1; p < options_.processes; ++p) {
      while (!board_.tally(p).ready.load(std::memory_order_acquire)) {
        if (auto failure = followers_.failure()) return failure;
        ::usleep(200);
      }
    }
    return std::nullopt;
  }

  void load() {
    Control& control = board_.control();
    const std::int64_t start = now_ns();
    const std::int64_t measure_from = start + ns_of(options_.warmup_s);
    control.started_ns = start;
    control.measured_from_ns = control.measured_to_ns = measure_from;
    control.phase.store(Phase::running, std::memory_order_release);
    last_watch_ns_ = start;
    monitor_.begin(start, totals(), latency());
    run_until(measure_from);
    const Sample before = sample();
    // Only what is meant to be sent from here on is measured: the sample itself took time.
    const std::int64_t measure_to = before.at_ns + ns_of(options_.duration_s);
    control.measured_from_ns = before.at_ns;
    control.measured_to_ns = std::numeric_limits<std::int64_t>::max();
    monitor_.begin_measured(before.at_ns, totals(), latency());
    bytes_max_ = options_.bytes_max == 0 ? 0 : published_bytes() + options_.bytes_max;
    run_until(bytes_max_ == 0 ? measure_to : std::numeric_limits<std::int64_t>::max());
    const Sample after = sample();
    control.measured_to_ns = after.at_ns;
    monitor_.end(after.at_ns, totals(), latency());
    control.phase.store(Phase::draining, std::memory_order_release);
    drain();
    finish(before, after);
  }

  bool over() const { return interrupted() || stalled_ || failure_ || !alive(); }

  // A side that has no connection left has nothing to do.
  bool alive() const {
    std::uint64_t publishers = 0;
    std::uint64_t subscribers = 0;
    for (std::uint32_t p = 0; p < options_.processes; ++p) {
      publishers += board_.tally(p).live_publishers;
      subscribers += board_.tally(p).live_subscribers;
    }
    return publishers > 0 && (subscribers > 0 || options_.subscribers == 0);
  }

  void turn(std::int64_t wake_at) {
    if (churn_) churn_->turn();
    part_->turn(churn_ ? std::min(wake_at, churn_->next_due_ns()) : wake_at);
  }

  void run_until(std::int64_t end) {
    for (std::int64_t now = now_ns(); now < end && !over(); now = now_ns()) {
      // Others deliver without waking us.
      turn(options_.processes > 1 ? std::min(end, now + kWatchNs) : end);
      if (now - last_watch_ns_ >= kWatchNs) watch(now);
      if (now >= monitor_.due_ns()) monitor_.take(now, totals(), latency());
      if (bytes_max_ != 0 && published_bytes() >= bytes_max_) return;
    }
  }

  void watch(std::int64_t now) {
    last_watch_ns_ = now;
    if (options_.windowed() && now - last_progress_ns() > ns_of(options_.stall_s)) stalled_ = true;
    if (auto failure = followers_.failure()) failure_ = std::move(failure);
  }

  void drain() {
    const std::int64_t begun = now_ns();
    std::int64_t settled_at = 0;
    while (!failure_) {
      part_->turn(0);
      const std::int64_t now = now_ns();
      watch_followers();
      if (!settled()) {
        settled_at = 0;
        if (stalled_ || now - std::max(begun, last_progress_ns()) > ns_of(options_.stall_s)) {
          stalled_ = true;
          return;
        }
      } else {
        if (settled_at == 0) settled_at = now;
        if (now - settled_at > kLingerNs) return;
      }
    }
  }

  void watch_followers() {
    if (auto failure = followers_.failure()) failure_ = std::move(failure);
  }

  bool settled() {
    for (std::uint32_t p = 0; p < options_.processes; ++p) {
      if (!board_.tally(p).settled.load(std::memory_order_acquire)) return false;
    }
    return true;
  }

  std::int64_t last_progress_ns() {
    std::int64_t last = 0;
    for (std::uint32_t p = 0; p < options_.processes; ++p)
      last = std::max(last, board_.tally(p).last_progress_ns);
    return last;
  }

  std::uint64_t published_bytes() {
    std::uint64_t bytes = 0;
    for (std::uint32_t p = 0; p < options_.processes; ++p) bytes += board_.tally(p).published_bytes;
    return bytes;
  }

  Totals totals() {
    Totals totals;
    std::uint64_t due = 0;
    for (std::uint32_t p = 0; p < options_.processes; ++p) {
      const Tally& tally = board_.tally(p);
      totals.deliveries += tally.deliveries;
      totals.publications += publications(tally);
      totals.errors += tally.counts.sum() + tally.disconnects;
      due += options_.subscribers > 0 ? tally.due - tally.given_up : tally.published;
    }
    const std::uint64_t come = options_.subscribers > 0 ? totals.deliveries : totals.publications;
    totals.in_flight = due > come ? due - come : 0;
    return totals;
  }

  const Histogram& latency() {
    if (options_.processes == 1) return board_.tally(0).latency;
    latency_ = Histogram();
    for (std::uint32_t p = 0; p < options_.processes; ++p) latency_.add(board_.tally(p).latency);
    return latency_;
  }

  // Without subscribers those count that the server has shown to have taken.
  std::uint64_t publications(const Tally& tally) const {
    return options_.subscribers > 0 ? tally.published : tally.confirmed;
  }

  Sample sample() {
    Sample sample;
    sample.at_ns = now_ns();
    for (std::uint32_t p = 0; p < options_.processes; ++p) {
      const Tally& tally = board_.tally(p);
      sample.deliveries += tally.deliveries;
      sample.publications += publications(tally);
      sample.idle_ns += tally.idle_ns;
    }
    sample.own_cpu_ns = own_cpu_ns() + cpu_of(followers_.pids()).ns;
    sample.server = watch_.cpu();
    return sample;
  }

  // The CPU time that load took: without what spinning burned in turns that found nothing.
  std::uint64_t busy_cpu_ns(const Sample& before, const Sample& after) const {
    const auto used = static_cast<double>(after.own_cpu_ns - before.own_cpu_ns);
    if (!options_.spin || after.at_ns == before.at_ns) return static_cast<std::uint64_t>(used);
    // By share: a process may have been off the CPU in idle and busy turns alike.
    const double idle = static_cast<double>(after.idle_ns - before.idle_ns) /
                        static_cast<double>(after.at_ns - before.at_ns) / options_.processes;
    return static_cast<std::uint64_t>(used * std::clamp(1 - idle, 0.0, 1.0));
  }

  void finish(const Sample& before, const Sample& after) {
    if (options_.stalled > 0) result_.stalled_readers = part_->judge_stalled();
    watch_.at_end();
    if (churn_) churn_->finish();
    board_.control().phase.store(Phase::over, std::memory_order_release);
    part_->finish();
    if (auto failure = followers_.wait_until_done()) failure_ = std::move(failure);
    result_.mode = mode_;
    result_.connections =
        std::size_t{options_.subscribers} + options_.publishers + options_.stalled;
    result_.interval_s = static_cast<double>(after.at_ns - before.at_ns) / 1e9;
    result_.deliveries = after.deliveries - before.deliveries;
    result_.publications = after.publications - before.publications;
    result_.own_cpu_ns = busy_cpu_ns(before, after);
    if (after.server.processes > 0) {
      // Processes that ended in between took their time with them.
      result_.server_cpu_ns = after.server.ns - std::min(before.server.ns, after.server.ns);
      result_.server_processes = after.server.processes;
    }
    result_.server_memory = watch_.memory();
    result_.timeline = monitor_.timeline();
    for (std::uint32_t p = 0; p < options_.processes; ++p) merge(board_.tally(p));
    result_.stalled = stalled_;
    result_.interrupted = interrupted();
  }

  void merge(const Tally& tally) {
    result_.latency.add(tally.latency);
    result_.counts.add(tally.counts);
    result_.checked += tally.deliveries + tally.churned_deliveries;
    result_.disconnects += tally.disconnects;
    if (result_.first_disconnect.empty()) result_.first_disconnect = tally.first_disconnect;
  }

  const FanoutOptions& options_;
  const Mode mode_;
  const std::uint32_t run_;
  mutable Board board_;
  Followers followers_;
  ServerWatch watch_;
  Monitor monitor_;
  std::optional<ProcessRun> part_;
  std::optional<Churn> churn_;
  RunResult result_;
  std::optional<Failure> failure_;
  std::uint64_t bytes_max_ = 0;  // of payload published so far, that end the run
  Histogram latency_;            // of all processes
  std::int64_t last_watch_ns_ = 0;
  bool stalled_ = false;
};

}  // namespace

std::variant<RunResult, Failure> run_load(const FanoutOptions& options, Mode mode) {
  catch_interrupts();
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // send times are kept to the microsecond
  return Leader(options, mode).run();
}

}  // namespace ringcast::bench
