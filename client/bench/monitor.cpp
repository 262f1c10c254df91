#include "client/bench/monitor.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "client/bench/clock.h"
#include "client/bench/cpu_usage.h"

namespace ringcast::bench {
namespace {

// Fifty points make a curve; a short run has intervals of no less than a tenth of a second, a long
// one of no more than a second.
constexpr double kPoints = 50;
constexpr double kIntervalMinS = 0.1;
constexpr double kIntervalMaxS = 1;
constexpr std::int64_t kShowNs = 1'000'000'000;

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

// What happened between two marks.
struct Change {
  double seconds = 0;
  std::optional<double> server_cores;
  std::optional<double> p99_us;

  double per_s(std::uint64_t before, std::uint64_t after) const {
    return seconds > 0 ? static_cast<double>(after - before) / seconds : 0;
  }
};

template <typename Mark>
Change change(const Mark& from, const Mark& to) {
  Change change;
  change.seconds = static_cast<double>(to.at_ns - from.at_ns) / 1e9;
  // A process that ended took its time with it: such an interval has no figure.
  if (from.server_ns && to.server_ns && *to.server_ns >= *from.server_ns && change.seconds > 0) {
    change.server_cores =
        static_cast<double>(*to.server_ns - *from.server_ns) / 1e9 / change.seconds;
  }
  if (to.latency.count() > from.latency.count()) {
    change.p99_us = static_cast<double>(to.latency.since(from.latency).percentile(99)) / 1e3;
  }
  return change;
}

}  // namespace

Monitor::Monitor(Mode mode, double duration_s, const std::vector<pid_t>& server_pids, bool live)
    : mode_(mode),
      interval_ns_(ns_of(std::clamp(duration_s / kPoints, kIntervalMinS, kIntervalMaxS))),
      server_pids_(server_pids),
      live_(live),
      server_processes_(process_tree(server_pids)) {}

std::optional<std::uint64_t> Monitor::server_ns() {
  if (server_pids_.empty()) return std::nullopt;
  CpuSample sample = cpu_of(server_processes_);
  if (sample.processes < server_processes_.size()) {
    server_processes_ = process_tree(server_pids_);
    sample = cpu_of(server_processes_);
  }
  if (sample.processes == 0) return std::nullopt;
  return sample.ns;
}

Monitor::Mark Monitor::mark(std::int64_t now, const Totals& totals, const Histogram& latency) {
  return {now, totals, server_ns(), latency};
}

void Monitor::begin(std::int64_t now, const Totals& totals, const Histogram& latency) {
  begun_ns_ = now;
  last_ = shown_ = mark(now, totals, latency);
  due_ns_ = now + interval_ns_;
  show_due_ns_ = now + kShowNs;
}

void Monitor::begin_measured(std::int64_t now, const Totals& totals, const Histogram& latency) {
  measuring_ = true;
  measured_from_ns_ = now;
  last_ = mark(now, totals, latency);
  due_ns_ = now + interval_ns_;
}

void Monitor::take(std::int64_t now, const Totals& totals, const Histogram& latency) {
  if (now < due_ns_) return;
  before_last_ = last_;
  last_ = mark(now, totals, latency);
  if (measuring_) add_point();
  while (due_ns_ <= now) due_ns_ += interval_ns_;
  if (live_ && now >= show_due_ns_) show(last_);
}

void Monitor::end(std::int64_t now, const Totals& totals, const Histogram& latency) {
  if (live_) fmt::print(stderr, "\r\x1b[K");
  if (now == last_.at_ns) return;
  // A short rest would be an outlier among the points: it is counted with the interval before.
  if (now - last_.at_ns < interval_ns_ / 2 && !timeline_.empty()) {
    timeline_.pop_back();
    last_ = before_last_;
  }
  before_last_ = last_;
  last_ = mark(now, totals, latency);
  add_point();
  measuring_ = false;
}

void Monitor::add_point() {
  const Change last = change(before_last_, last_);
  const Totals& from = before_last_.totals;
  const Totals& to = last_.totals;
  timeline_.push_back({static_cast<double>(last_.at_ns - measured_from_ns_) / 1e9,
                       last.per_s(from.deliveries, to.deliveries),
                       last.per_s(from.publications, to.publications),
                       last.per_s(from.connects, to.connects), last.server_cores, last.p99_us});
}

void Monitor::show(const Mark& now) {
  const Change last = change(shown_, now);
  LiveLine line;
  line.mode = mode_;
  line.t_s = static_cast<double>(now.at_ns - begun_ns_) / 1e9;
  line.measuring = measuring_;
  line.deliveries_per_s = last.per_s(shown_.totals.deliveries, now.totals.deliveries);
  line.publications_per_s = last.per_s(shown_.totals.publications, now.totals.publications);
  line.connects_per_s = last.per_s(shown_.totals.connects, now.totals.connects);
  line.server_cores = last.server_cores;
  line.p99_us = last.p99_us;
  line.totals = now.totals;
  fmt::print(stderr, "\r\x1b[K{}", as_text(line, terminal_columns()));
  std::fflush(stderr);
  shown_ = now;
  while (show_due_ns_ <= now.at_ns) show_due_ns_ += kShowNs;
}

}  // namespace ringcast::bench
