#include "client/bench/connect_load.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/bench/clock.h"
#include "client/bench/cpu_usage.h"
#include "client/bench/handshake.h"
#include "client/bench/interrupt.h"
#include "client/bench/link_pool.h"
#include "client/bench/monitor.h"
#include "client/bench/server_watch.h"
#include "client/bench/stream_scan.h"

namespace ringcast::bench {
namespace {

using client::Failure;

constexpr std::int64_t kTickNs = 50'000'000;

// A LinkPool sink: each place opens a connection, and when it is ready says goodbye; when the
// server has answered that, the place is free for the next.
class ConnectLoad {
 public:
  ConnectLoad(const FanoutOptions& options, LinkPool& pool, Handshake& handshake, MaskSource& masks)
      : options_(options), pool_(pool), handshake_(handshake), masks_(masks) {}

  std::uint64_t count() const { return count_; }
  const std::optional<Failure>& failure() const { return failure_; }
  std::int64_t last_ns() const { return last_ns_; }

  void start() {
    last_ns_ = now_ns();
    for (std::size_t i = 0; i < pool_.size() && !failure_; ++i) open(pool_.at(i));
  }
  // Opens what has become free. Not at once where it was closed: events of the old connection may
  // still wait in the same batch.
  void reopen() {
    freed_.swap(opening_);
    for (Link* link : opening_) {
      if (!failure_) open(*link);
    }
    opening_.clear();
  }

  std::size_t on_bytes(Link& link, wire::Bytes bytes, std::int64_t now) {
    if (link.state != Link::State::ready) {
      std::optional<Failure> failure;
      const std::size_t taken = handshake_.take(link, bytes, failure);
      if (failure) fail(std::move(*failure));
      if (link.state == Link::State::ready) say_goodbye(link, now);
      return taken;
    }
    const auto result =
        link.frames.scan(bytes.data(), bytes.size(), [&](wire::Opcode opcode, wire::Bytes) {
          if (opcode == wire::Opcode::close) free(link);
          return link.fd >= 0;
        });
    return result.consumed;
  }
  void on_writable(Link& link) {
    if (link.state == Link::State::connecting) {
      if (auto failure = handshake_.begin(link)) return fail(std::move(*failure));
    }
    link.flush();
  }
  // The link is closed already.
  void on_gone(Link& link, const std::string& why) {
    if (leaving(link)) return freed(link);
    fail({Failure::Kind::network, "a connection failed before it was ready: " + why,
          "the server's log has the details; see its limits of connections"});
  }
  void on_wakeup() {}

 private:
  // A link that is ready says goodbye at once.
  bool leaving(const Link& link) const { return leaving_[link.index]; }

  void open(Link& link) {
    link.reset();
    leaving_[link.index] = false;
    if (auto failure = pool_.connect(link.index)) fail(std::move(*failure));
  }
  void say_goodbye(Link& link, std::int64_t now) {
    ++count_;
    last_ns_ = now;
    leaving_[link.index] = true;
    if (options_.protocol == Protocol::mqtt)
      link.send_frame(wire::Opcode::binary, kMqttGoodbye, masks_.next());
    link.send_frame(wire::Opcode::close, wire::close_payload(1000, {}), masks_.next());
    link.flush();
  }
  // A reset: local ports would be used up by TIME_WAIT otherwise. The server has said its last.
  void free(Link& link) {
    link.abort();
    freed(link);
  }
  void freed(Link& link) { freed_.push_back(&link); }
  void fail(Failure failure) {
    if (!failure_) failure_ = std::move(failure);
  }

  const FanoutOptions& options_;
  LinkPool& pool_;
  Handshake& handshake_;
  MaskSource& masks_;
  std::vector<bool> leaving_ = std::vector<bool>(pool_.size(), false);
  std::vector<Link*> freed_;
  std::vector<Link*> opening_;
  std::optional<Failure> failure_;
  std::uint64_t count_ = 0;  // connections that were ready
  std::int64_t last_ns_ = 0;
};

struct Sample {
  std::int64_t at_ns = 0;
  std::uint64_t count = 0;
  CpuSample server;
  std::uint64_t own_cpu_ns = 0;
  std::int64_t idle_ns = 0;
};

class ConnectRun {
 public:
  ConnectRun(const FanoutOptions& options, LinkPool& pool, ConnectLoad& load,
             const ServerWatch& watch)
      : options_(options),
        pool_(pool),
        load_(load),
        watch_(watch),
        monitor_(Mode::connect, options.duration_s, options.server_pids, options.progress) {
    monitor_.begin(now_ns(), totals(), latency_);
  }

  // Until `end`; false if it ended before.
  bool run_until(std::int64_t end) {
    for (std::int64_t now = now_ns(); now < end; now = now_ns()) {
      if (interrupted() || load_.failure()) return false;
      if (now - load_.last_ns() > ns_of(options_.stall_s)) {
        stalled_ = true;
        return false;
      }
      const bool arrived = pool_.poll(options_.spin ? 0 : std::min(end - now, kTickNs), load_);
      load_.reopen();
      if (!arrived) idle_ns_ += now_ns() - now;
      if (now >= monitor_.due_ns()) monitor_.take(now, totals(), latency_);
    }
    return true;
  }

  Sample begin_measured() {
    const Sample before = sample();
    monitor_.begin_measured(before.at_ns, totals(), latency_);
    return before;
  }
  Sample end_measured() {
    const Sample after = sample();
    monitor_.end(after.at_ns, totals(), latency_);
    return after;
  }
  const std::vector<TimelinePoint>& timeline() const { return monitor_.timeline(); }
  bool stalled() const { return stalled_; }

 private:
  Sample sample() const { return {now_ns(), load_.count(), watch_.cpu(), own_cpu_ns(), idle_ns_}; }
  Totals totals() const {
    Totals totals;
    totals.connects = load_.count();
    return totals;
  }

  const FanoutOptions& options_;
  LinkPool& pool_;
  ConnectLoad& load_;
  const ServerWatch& watch_;
  Monitor monitor_;
  Histogram latency_;         // stays empty
  std::int64_t idle_ns_ = 0;  // in turns that found nothing to do
  bool stalled_ = false;
};

void fill(RunResult& result, const FanoutOptions& options, const Sample& before,
          const Sample& after) {
  const auto interval_ns = static_cast<double>(after.at_ns - before.at_ns);
  result.interval_s = interval_ns / 1e9;
  result.connects = Connects{after.count - before.count};
  const auto used = static_cast<double>(after.own_cpu_ns - before.own_cpu_ns);
  const double idle = options.spin && interval_ns > 0
                          ? static_cast<double>(after.idle_ns - before.idle_ns) / interval_ns
                          : 0;
  result.own_cpu_ns = static_cast<std::uint64_t>(used * std::clamp(1 - idle, 0.0, 1.0));
  if (after.server.processes > 0) {
    result.server_cpu_ns = after.server.ns - std::min(before.server.ns, after.server.ns);
    result.server_processes = after.server.processes;
  }
}

}  // namespace

std::variant<RunResult, Failure> run_connect(const FanoutOptions& options) {
  catch_interrupts();
  ServerWatch watch(options.server_pids);
  if (auto failure = watch.check()) return std::move(*failure);
  FanoutOptions places = options;  // whoever connects publishes nothing and subscribes to nothing
  places.subscribers = 0;
  places.publishers = options.concurrency;
  MaskSource masks;
  LinkPool pool(places, 0, kNoWakeup);
  Handshake handshake(places, masks);
  if (auto failure = pool.resolve()) return std::move(*failure);
  ConnectLoad load(places, pool, handshake, masks);
  ConnectRun run(options, pool, load, watch);
  load.start();
  RunResult result;
  result.mode = Mode::connect;
  result.connections = options.concurrency;
  result.congestion = pool.at(0).congestion();
  const bool warm = run.run_until(now_ns() + ns_of(options.warmup_s));
  const Sample before = run.begin_measured();
  if (warm) run.run_until(before.at_ns + ns_of(options.duration_s));
  if (load.failure()) return *load.failure();
  fill(result, options, before, run.end_measured());
  result.timeline = run.timeline();
  result.stalled = run.stalled();
  result.interrupted = interrupted();
  return result;
}

}  // namespace ringcast::bench
