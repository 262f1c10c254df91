#include "client/bench/fanout.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <limits>

#include "client/bench/clock.h"
#include "client/bench/connector.h"
#include "client/bench/cpu_usage.h"
#include "client/bench/handshake.h"
#include "client/bench/link_pool.h"
#include "client/bench/monitor.h"
#include "client/bench/traffic.h"

namespace ringcast::bench {
namespace {

using client::Failure;

// After the last delivery: long enough for a duplicate of it to show up.
constexpr std::int64_t kLingerNs = 100'000'000;
constexpr std::int64_t kTickNs = 50'000'000;

// All that a signal handler can reach.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
volatile std::sig_atomic_t stop_requested = 0;

void request_stop(int) { stop_requested = 1; }

// Everything that is counted between the two ends of the measured interval.
struct Sample {
  std::int64_t at_ns = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t publications = 0;
  CpuSample server;
  std::uint64_t own_cpu_ns = 0;
  std::int64_t idle_ns = 0;  // spent in turns that found nothing to do
};

class FanoutRun {
 public:
  FanoutRun(const FanoutOptions& options, LinkPool& pool, const Handshake& handshake,
            MaskSource& masks)
      : options_(options),
        pool_(pool),
        traffic_(options, pool, handshake, masks),
        monitor_(options.subscribers > 0 ? Mode::fanout : Mode::ingest, options.duration_s,
                 options.server_pids, options.progress) {}

  RunResult run() {
    const std::int64_t start = now_ns();
    const std::int64_t measure_from = start + ns_of(options_.warmup_s);
    std::int64_t measure_to = measure_from + ns_of(options_.duration_s);
    traffic_.measure(measure_from, measure_to);
    traffic_.start(start);
    monitor_.begin(start, totals(), traffic_.latency());

    run_until(measure_from);
    const Sample before = sample();
    // The sample itself took time that belongs to nobody's measurement.
    traffic_.measure(before.at_ns, before.at_ns + (measure_to - measure_from));
    measure_to += before.at_ns - measure_from;
    monitor_.begin_measured(before.at_ns, totals(), traffic_.latency());
    run_until(measure_to);
    const Sample after = sample();
    monitor_.end(after.at_ns, totals(), traffic_.latency());
    traffic_.measure(before.at_ns, after.at_ns);
    traffic_.stop();
    drain();
    return result(before, after);
  }

 private:
  // False if there was nothing to do.
  bool turn(std::int64_t wake_at) {
    const std::uint64_t published = traffic_.published();
    traffic_.publish_due();
    std::int64_t timeout = 0;
    if (!options_.spin && !traffic_.has_work()) {
      const std::int64_t now = now_ns();
      timeout =
          std::clamp(std::min(traffic_.next_due_ns(), wake_at) - now, std::int64_t{0}, kTickNs);
    }
    return pool_.poll(timeout, traffic_) || traffic_.published() != published;
  }

  bool over() const { return stop_requested != 0 || stalled_ || !traffic_.alive(); }

  void run_until(std::int64_t end) {
    bool idle = false;
    for (std::int64_t now = now_ns(), last = now; now < end && !over(); now = now_ns()) {
      if (idle) idle_ns_ += now - last;
      last = now;
      idle = !turn(end);
      if (now >= monitor_.due_ns()) monitor_.take(now, totals(), traffic_.latency());
      const bool by_window = options_.rate_per_s <= 0;
      if (by_window && now - traffic_.last_progress_ns() > ns_of(options_.stall_s)) stalled_ = true;
    }
  }

  void drain() {
    const std::int64_t begun = now_ns();
    std::int64_t settled_at = 0;
    for (;;) {
      pool_.poll(kTickNs / 10, traffic_);
      traffic_.publish_due();  // sends what is queued
      const std::int64_t now = now_ns();
      if (!traffic_.settled()) {
        settled_at = 0;
        const std::int64_t progress = std::max(begun, traffic_.last_progress_ns());
        if (stalled_ || now - progress > ns_of(options_.stall_s)) {
          stalled_ = true;
          return;
        }
      } else {
        if (settled_at == 0) settled_at = now;
        if (now - settled_at > kLingerNs) return;
      }
    }
  }

  Sample sample() const {
    Sample sample;
    sample.at_ns = now_ns();
    sample.deliveries = traffic_.deliveries();
    sample.publications = traffic_.publications();
    sample.own_cpu_ns = own_cpu_ns();
    sample.idle_ns = idle_ns_;
    if (!options_.server_pids.empty()) sample.server = cpu_of(process_tree(options_.server_pids));
    return sample;
  }

  Totals totals() const {
    const CheckCounts& c = traffic_.counts();
    return {traffic_.deliveries(), traffic_.publications(), 0, traffic_.in_flight(),
            c.sum() + traffic_.disconnects()};
  }

  // The CPU time that load took: without what spinning burned in empty turns.
  std::uint64_t busy_cpu_ns(const Sample& before, const Sample& after) const {
    const auto used = static_cast<double>(after.own_cpu_ns - before.own_cpu_ns);
    if (!options_.spin || after.at_ns == before.at_ns) return static_cast<std::uint64_t>(used);
    // By share: the process may have been off the CPU in idle and busy turns alike.
    const double idle = static_cast<double>(after.idle_ns - before.idle_ns) /
                        static_cast<double>(after.at_ns - before.at_ns);
    return static_cast<std::uint64_t>(used * (1 - idle));
  }

  RunResult result(const Sample& before, const Sample& after) const {
    RunResult result;
    result.mode = options_.subscribers > 0 ? Mode::fanout : Mode::ingest;
    result.connections = pool_.size();
    result.interval_s = static_cast<double>(after.at_ns - before.at_ns) / 1e9;
    result.deliveries = after.deliveries - before.deliveries;
    result.publications = after.publications - before.publications;
    result.own_cpu_ns = busy_cpu_ns(before, after);
    if (after.server.processes > 0) {
      // Processes that ended in between took their time with them.
      result.server_cpu_ns = after.server.ns - std::min(before.server.ns, after.server.ns);
      result.server_processes = after.server.processes;
    }
    result.latency = traffic_.latency();
    result.timeline = monitor_.timeline();
    result.counts = traffic_.final_counts();
    result.checked = traffic_.deliveries();
    result.disconnects = traffic_.disconnects();
    result.first_disconnect = traffic_.first_disconnect();
    result.stalled = stalled_;
    result.interrupted = stop_requested != 0;
    return result;
  }

  const FanoutOptions& options_;
  LinkPool& pool_;
  Traffic traffic_;
  Monitor monitor_;
  std::int64_t idle_ns_ = 0;
  bool stalled_ = false;
};

std::string congestion_of(const Link& link) {
  char name[32] = {};
  socklen_t size = sizeof name - 1;
  if (::getsockopt(link.fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) != 0) return "unknown";
  return name;
}

std::optional<Failure> check_pids(const FanoutOptions& options) {
  if (options.server_pids.empty() || !process_tree(options.server_pids).empty()) {
    return std::nullopt;
  }
  return Failure{Failure::Kind::input, "there is no process with the given --pid",
                 "give the pid of the running server"};
}

}  // namespace

std::variant<RunResult, Failure> run_fanout(const FanoutOptions& options) {
  if (auto failure = check_pids(options)) return std::move(*failure);
  struct sigaction action {};
  action.sa_handler = request_stop;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // send times are kept to the microsecond

  MaskSource masks;
  LinkPool pool(options);
  Handshake handshake(options, masks);
  if (auto failure = pool.resolve()) return std::move(*failure);
  const std::int64_t begun = now_ns();
  if (auto failure = Connector(options, pool, handshake, masks).run()) return std::move(*failure);
  const double setup_s = static_cast<double>(now_ns() - begun) / 1e9;

  FanoutRun run(options, pool, handshake, masks);
  const std::string congestion = congestion_of(pool.at(0));
  RunResult result = run.run();
  result.setup_s = setup_s;
  result.congestion = congestion;
  pool.close_all(masks);
  return result;
}

}  // namespace ringcast::bench
