#include "client/bench/idle.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "client/bench/clock.h"
#include "client/bench/connector.h"
#include "client/bench/cpu_usage.h"
#include "client/bench/handshake.h"
#include "client/bench/interrupt.h"
#include "client/bench/link_pool.h"
#include "client/bench/server_watch.h"

namespace ringcast::bench {
namespace {

using client::Failure;

constexpr std::int64_t kTickNs = 50'000'000;

// A LinkPool sink that answers pings and counts whom the server leaves.
class Waiting {
 public:
  Waiting(Handshake& handshake, RunResult& result) : handshake_(handshake), result_(result) {}

  std::size_t on_bytes(Link& link, wire::Bytes bytes, std::int64_t) {
    std::optional<Failure> failure;
    const std::size_t taken = handshake_.take(link, bytes, failure);
    if (failure) {
      link.close();
      on_gone(link, failure->cause);
    }
    return taken;
  }
  void on_writable(Link& link) { link.flush(); }
  void on_gone(Link& link, const std::string& why) {
    if (++result_.disconnects == 1) {
      result_.first_disconnect = "subscriber " + std::to_string(link.index) + ": " + why;
    }
  }
  void on_wakeup() {}

 private:
  Handshake& handshake_;
  RunResult& result_;
};

// Until `end`, or until the user has enough.
void wait_until(std::int64_t end, LinkPool& pool, Waiting& waiting) {
  for (std::int64_t now = now_ns(); now < end && !interrupted(); now = now_ns())
    pool.poll(std::min(end - now, kTickNs), waiting);
}

}  // namespace

std::variant<RunResult, Failure> run_idle(const FanoutOptions& options) {
  catch_interrupts();
  ServerWatch watch(options.server_pids);
  if (auto failure = watch.check()) return std::move(*failure);
  RunResult result;
  result.mode = Mode::idle;
  MaskSource masks;
  LinkPool pool(options, 0, kNoWakeup);
  Handshake handshake(options, masks);
  Waiting waiting(handshake, result);
  watch.before_connections();
  if (auto failure = pool.resolve()) return std::move(*failure);
  const std::int64_t begun = now_ns();
  if (auto failure = Connector(options, pool, handshake).run()) return std::move(*failure);
  result.setup_s = static_cast<double>(now_ns() - begun) / 1e9;
  result.connections = pool.size();
  result.congestion = pool.at(0).congestion();

  // What the server does on account of the connections being made is over by then.
  wait_until(now_ns() + ns_of(options.warmup_s), pool, waiting);
  watch.after_connections();
  const std::int64_t from = now_ns();
  const CpuSample before = watch.cpu();
  const std::uint64_t own_before = own_cpu_ns();
  wait_until(from + ns_of(options.duration_s), pool, waiting);
  const CpuSample after = watch.cpu();
  result.interval_s = static_cast<double>(now_ns() - from) / 1e9;
  result.own_cpu_ns = own_cpu_ns() - own_before;
  if (after.processes > 0) {
    result.server_cpu_ns = after.ns - std::min(before.ns, after.ns);
    result.server_processes = after.processes;
  }
  watch.at_end();
  result.server_memory = watch.memory();
  result.interrupted = interrupted();
  pool.close_all(masks);
  return result;
}

}  // namespace ringcast::bench
