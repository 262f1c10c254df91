#include "client/bench/rpc_load.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "client/bench/clock.h"
#include "client/bench/connector.h"
#include "client/bench/cpu_usage.h"
#include "client/bench/interrupt.h"
#include "client/bench/link_pool.h"
#include "client/bench/monitor.h"
#include "client/bench/rpc_callees.h"
#include "client/bench/rpc_traffic.h"
#include "client/bench/server_watch.h"

namespace ringcast::bench {
namespace {

using client::Failure;

// As in load.cpp: between the last handshake and the load, and after the last answer.
constexpr useconds_t kPauseUs = 100'000;
constexpr std::int64_t kLingerNs = 100'000'000;
constexpr std::int64_t kTickNs = 20'000'000;
constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();

struct Sample {
  std::int64_t at_ns = 0;
  std::uint64_t answered = 0;
  CpuSample server;
  std::uint64_t own_cpu_ns = 0;
  std::int64_t idle_ns = 0;
};

FanoutOptions places_of(const FanoutOptions& options) {
  FanoutOptions places = options;
  places.subscribers = 0;
  places.publishers = options.callers + (options.callees_apart ? 0 : options.callees);
  return places;
}

class RpcRun {
 public:
  explicit RpcRun(const FanoutOptions& options)
      : options_(options),
        run_(static_cast<std::uint32_t>(now_ns() ^ ::getpid())),
        places_(places_of(options)),
        watch_(options.server_pids),
        monitor_(Mode::rpc, options.duration_s, options.server_pids, options.progress) {}

  std::variant<RunResult, Failure> run() {
    if (auto failure = watch_.check()) return *std::move(failure);
    watch_.before_connections();
    if (options_.callees_apart) {
      callees_.emplace(options_, run_);
      if (auto failure = callees_->start()) return *std::move(failure);
    }
    pool_.emplace(places_, 0, kNoWakeup);  // after the fork, which would have shared its epoll
    if (auto failure = set_up()) return *std::move(failure);
    watch_.after_connections();
    ::usleep(kPauseUs);
    load();
    return finish();
  }

 private:
  std::optional<Failure> set_up() {
    if (auto failure = pool_->resolve()) return failure;
    const std::int64_t begun = now_ns();
    Handshake handshake(places_, masks_);
    Connector connector(places_, *pool_, handshake);
    if (auto failure = connector.run()) return failure;
    traffic_.emplace(options_, *pool_, masks_, options_.callers,
                     options_.callees_apart ? 0 : options_.callees, run_);
    traffic_->register_procedures();
    const std::int64_t deadline = begun + ns_of(options_.connect_timeout_s);
    while (!traffic_->registered() && !traffic_->failure() && traffic_->disconnects() == 0) {
      pool_->poll(kTickNs, *traffic_);
      if (now_ns() > deadline) {
        return Failure{Failure::Kind::timeout, "the server did not answer all registrations",
                       "see whether it is alive, or give a longer --connect-timeout"};
      }
    }
    if (traffic_->disconnects() > 0) {
      return Failure{Failure::Kind::network, traffic_->first_disconnect(),
                     "the server's log has the details"};
    }
    result_.setup_s = static_cast<double>(now_ns() - begun) / 1e9;
    return traffic_->failure();
  }

  void load() {
    const std::int64_t start = now_ns();
    monitor_.begin(start, totals(), traffic_->latency());
    traffic_->start(start);
    run_until(start + ns_of(options_.warmup_s));
    before_ = sample();
    traffic_->measure(before_.at_ns, kEver);
    monitor_.begin_measured(before_.at_ns, totals(), traffic_->latency());
    run_until(before_.at_ns + ns_of(options_.duration_s));
    after_ = sample();
    traffic_->measure(before_.at_ns, after_.at_ns);
    monitor_.end(after_.at_ns, totals(), traffic_->latency());
    traffic_->stop();
    drain();
  }

  bool over() const { return interrupted() || stalled_ || !traffic_->alive(); }

  void turn(std::int64_t end) {
    traffic_->call_due();
    const std::int64_t now = now_ns();
    const std::int64_t wake_at = std::min({end, now + kTickNs, traffic_->next_due_ns()});
    const std::int64_t wait = options_.spin ? 0 : std::max<std::int64_t>(0, wake_at - now);
    const bool idle = !pool_->poll(wait, *traffic_);
    if (idle) idle_ns_ += now_ns() - now;
  }

  void run_until(std::int64_t end) {
    for (std::int64_t now = now_ns(); now < end && !over(); now = now_ns()) {
      turn(end);
      if (now - traffic_->last_progress_ns() > ns_of(options_.stall_s) && !traffic_->settled())
        stalled_ = true;
      if (now >= monitor_.due_ns()) monitor_.take(now, totals(), traffic_->latency());
    }
  }

  // Until all is answered or nothing comes any more; then a moment for what comes twice.
  void drain() {
    const std::int64_t begun = now_ns();
    while (!traffic_->settled() && !stalled_) {
      turn(now_ns() + kTickNs);
      stalled_ = now_ns() - std::max(begun, traffic_->last_progress_ns()) > ns_of(options_.stall_s);
    }
    const std::int64_t end = now_ns() + kLingerNs;
    while (now_ns() < end) turn(end);
  }

  Sample sample() {
    Sample sample{now_ns(), traffic_->answered(), watch_.cpu(), own_cpu_ns(), idle_ns_};
    if (callees_) sample.own_cpu_ns += cpu_of({callees_->pid()}).ns;
    return sample;
  }

  Totals totals() const {
    Totals totals;
    totals.deliveries = traffic_->answered();
    totals.in_flight = traffic_->open();
    totals.errors = traffic_->counts().sum() + traffic_->errors() + traffic_->disconnects();
    return totals;
  }

  std::variant<RunResult, Failure> finish() {
    watch_.at_end();
    traffic_->finish();
    result_.mode = Mode::rpc;
    result_.connections = std::size_t{options_.callers} + options_.callees;
    result_.congestion = pool_->at(0).congestion();
    result_.disconnects = traffic_->disconnects();
    result_.first_disconnect = traffic_->first_disconnect();
    result_.counts = traffic_->counts();
    pool_->close_all(masks_);
    if (callees_) {
      if (auto failure = callees_->stop()) return *std::move(failure);
      result_.counts.add(callees_->counts());
      result_.disconnects += callees_->disconnects();
      if (result_.first_disconnect.empty()) result_.first_disconnect = callees_->first_disconnect();
    }
    result_.interval_s = static_cast<double>(after_.at_ns - before_.at_ns) / 1e9;
    result_.deliveries = after_.answered - before_.answered;
    result_.calls = Calls{result_.deliveries, traffic_->errors(), traffic_->first_error()};
    result_.checked = traffic_->answered();
    result_.latency = traffic_->latency();
    result_.own_cpu_ns = busy_cpu_ns();
    if (after_.server.processes > 0) {
      result_.server_cpu_ns = after_.server.ns - std::min(before_.server.ns, after_.server.ns);
      result_.server_processes = after_.server.processes;
    }
    result_.server_memory = watch_.memory();
    result_.timeline = monitor_.timeline();
    result_.stalled = stalled_;
    result_.interrupted = interrupted();
    return std::move(result_);
  }

  // Without what spinning burned in turns that found nothing.
  std::uint64_t busy_cpu_ns() const {
    const auto used = static_cast<double>(after_.own_cpu_ns - before_.own_cpu_ns);
    const std::int64_t interval = after_.at_ns - before_.at_ns;
    if (!options_.spin || interval == 0) return static_cast<std::uint64_t>(used);
    const double idle =
        static_cast<double>(after_.idle_ns - before_.idle_ns) / static_cast<double>(interval);
    return static_cast<std::uint64_t>(used * std::clamp(1 - idle, 0.0, 1.0));
  }

  const FanoutOptions& options_;
  const std::uint32_t run_;
  const FanoutOptions places_;
  ServerWatch watch_;
  Monitor monitor_;
  MaskSource masks_;
  std::optional<RpcCallees> callees_;  // if they are apart
  std::optional<LinkPool> pool_;
  std::optional<RpcTraffic> traffic_;
  RunResult result_;
  Sample before_;
  Sample after_;
  std::int64_t idle_ns_ = 0;  // in turns that found nothing to do
  bool stalled_ = false;
};

}  // namespace

std::variant<RunResult, Failure> run_rpc(const FanoutOptions& options) {
  catch_interrupts();
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // calls are made at their time to the microsecond
  return RpcRun(options).run();
}

}  // namespace ringcast::bench
