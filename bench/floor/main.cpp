// floor_bench: what the kernel alone asks for a fan-out. A bare io_uring loop sends the same bytes
// in the same batches to as many loopback sockets as a broker would: `--window` frames per send,
// one send per socket, one submission for all sockets. The next round goes out when the one before
// has been received, as a broker's next publications come when the ones before have been delivered.
// Its receiver, which reads and looks at nothing, is the floor of the load generator.
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <system_error>

#include "bench/floor/receiver.h"
#include "bench/floor/sender.h"
#include "bench/floor/socket_pairs.h"
#include "client/bench/clock.h"
#include "client/bench/cpu_usage.h"

namespace ringcast::floor_bench {
namespace {

using bench::now_ns;
using bench::ns_of;
using bench::own_cpu_ns;

struct Options {
  std::uint32_t subscribers = 100;
  std::uint32_t payload_bytes = 128;
  std::uint32_t overhead_bytes = 4;
  std::uint32_t window = 1;
  double duration_s = 3;
  double warmup_s = 0.5;
  int sender_core = -1;
  int receiver_core = -1;
  bool spin = false;
  bool json = false;

  std::size_t send_bytes() const { return std::size_t{payload_bytes + overhead_bytes} * window; }
};

struct Result {
  std::uint64_t rounds = 0;
  double interval_s = 0;
  double cpu_s = 0;
  double receiver_cpu_s = 0;  // without polls that found nothing
  std::string congestion;
};

void pin(int core) {
  if (core < 0) return;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<std::size_t>(core), &cores);
  if (::sched_setaffinity(0, sizeof cores, &cores) != 0) {
    throw std::system_error(errno, std::generic_category(), fmt::format("no core {}", core));
  }
}

// The receiving process, and the memory in which it counts.
struct Receiver {
  pid_t pid = 0;
  std::atomic<std::int64_t>* idle_ns = nullptr;

  std::uint64_t cpu_ns() const { return bench::cpu_of({pid}).ns; }
};

Result measure(const Options& options, const std::vector<int>& sockets, int rounds,
               const Receiver& receiver) {
  Sender sender(sockets, rounds, options.send_bytes());
  const auto run_for = [&sender](double seconds) {
    std::uint64_t count = 0;
    for (const std::int64_t end = now_ns() + ns_of(seconds); now_ns() < end; ++count) {
      sender.round();
    }
    return count;
  };
  run_for(options.warmup_s);
  Result result;
  const std::int64_t begun = now_ns();
  const std::uint64_t cpu = own_cpu_ns();
  const std::uint64_t receiver_cpu = receiver.cpu_ns();
  const std::int64_t idle = *receiver.idle_ns;
  result.rounds = run_for(options.duration_s);
  result.cpu_s = static_cast<double>(own_cpu_ns() - cpu) / 1e9;
  result.interval_s = static_cast<double>(now_ns() - begun) / 1e9;
  // By share: it may have been off the CPU in either kind of poll.
  const double idle_s = static_cast<double>(*receiver.idle_ns - idle) / 1e9;
  const double busy = options.spin ? std::max(1 - idle_s / result.interval_s, 0.0) : 1;
  result.receiver_cpu_s = busy * static_cast<double>(receiver.cpu_ns() - receiver_cpu) / 1e9;
  result.congestion = congestion_of(sockets.front());
  return result;
}

// In the child; never returns.
[[noreturn]] void run_receiver(const Options& options, const Listener& listener, int rounds,
                               std::atomic<std::int64_t>& idle_ns) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it ends with the sender, however that ends
  ::close(listener.socket);
  try {
    pin(options.receiver_core);
    receive_rounds(connect_all(listener.port, options.subscribers), rounds,
                   options.send_bytes() * options.subscribers, options.spin, idle_ns);
  } catch (const std::exception& error) {
    fmt::print(stderr, "floor_bench: receiver: {}\n", error.what());
    ::_exit(1);
  }
  ::_exit(0);
}

Result run(const Options& options) {
  const Listener listener = listen_on_loopback();
  int rounds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rounds) != 0) {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }
  void* const shared = ::mmap(nullptr, sizeof(std::atomic<std::int64_t>), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  Receiver receiver;
  receiver.idle_ns = new (shared) std::atomic<std::int64_t>(0);
  receiver.pid = ::fork();
  if (receiver.pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (receiver.pid == 0) {
    ::close(rounds[0]);
    run_receiver(options, listener, rounds[1], *receiver.idle_ns);
  }
  ::close(rounds[1]);
  std::vector<int> sockets = accept_all(listener.socket, options.subscribers);
  ::close(listener.socket);
  pin(options.sender_core);
  Result result = measure(options, sockets, rounds[0], receiver);
  ::close(rounds[0]);
  ::waitpid(receiver.pid, nullptr, 0);
  close_all(sockets);
  return result;
}

void print(const Options& options, const Result& result) {
  const double deliveries =
      static_cast<double>(result.rounds) * options.subscribers * options.window;
  const double us_per_delivery = deliveries > 0 ? result.cpu_s * 1e6 / deliveries : 0;
  const double receiver_us = deliveries > 0 ? result.receiver_cpu_s * 1e6 / deliveries : 0;
  const double cores = result.cpu_s / result.interval_s;
  if (!options.json) {
    fmt::print("floor: {} sockets, {} frames of {} + {} bytes per send, TCP {}\n",
               options.subscribers, options.window, options.payload_bytes, options.overhead_bytes,
               result.congestion);
    fmt::print("deliveries      {:.0f}/s\n", deliveries / result.interval_s);
    fmt::print("sender CPU      {:.3f} µs per delivery, {:.0f} % of a core\n", us_per_delivery,
               100 * cores);
    fmt::print("receiver CPU    {:.3f} µs per delivery\n", receiver_us);
    return;
  }
  nlohmann::ordered_json json;
  json["program"] = "floor_bench";
  json["version"] = RINGCAST_VERSION;
  json["config"] = {{"subscribers", options.subscribers},
                    {"payload_bytes", options.payload_bytes},
                    {"overhead_bytes", options.overhead_bytes},
                    {"window", options.window},
                    {"duration_s", options.duration_s},
                    {"warmup_s", options.warmup_s},
                    {"spin", options.spin},
                    {"tcp_congestion", result.congestion}};
  json["interval_s"] = result.interval_s;
  json["rounds"] = result.rounds;
  json["deliveries"] = deliveries;
  json["deliveries_per_s"] = deliveries / result.interval_s;
  json["sender_cpu"] = {{"us_per_delivery", us_per_delivery},
                        {"us_per_send", us_per_delivery * options.window},
                        {"cores", cores}};
  json["receiver_cpu"] = {{"us_per_delivery", receiver_us}};
  fmt::print("{}\n", json.dump(2));
}

void add_options(CLI::App& app, Options& options) {
  constexpr std::uint32_t kMostSockets = 16'384;
  app.add_option("--subscribers,-S", options.subscribers, "sockets that are sent to")
      ->capture_default_str()
      ->check(CLI::Range(1u, kMostSockets));
  app.add_option("--payload,-B", options.payload_bytes, "bytes of each message")
      ->capture_default_str()
      ->check(CLI::Range(1u, 1u << 24));
  app.add_option("--overhead", options.overhead_bytes, "bytes of protocol around each message")
      ->capture_default_str()
      ->check(CLI::Range(0u, 4096u));
  app.add_option("--window,-K", options.window, "frames per send")
      ->capture_default_str()
      ->check(CLI::Range(1u, 4096u));
  app.add_option("--duration", options.duration_s, "seconds that are measured")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--warmup", options.warmup_s, "seconds of load before")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--sender-core", options.sender_core, "the core that the sender runs on");
  app.add_option("--receiver-core", options.receiver_core, "the core that the receiver runs on");
  app.add_flag("--spin", options.spin,
               "the receiver polls without sleeping: the sender never pays for waking it");
  app.add_flag("--json", options.json, "write the result as one JSON object");
}

int main(int argc, char** argv) {
  CLI::App app("Measures what a bare io_uring loop needs to fan out.", "floor_bench");
  Options options;
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    print(options, run(options));
  } catch (const std::exception& error) {
    fmt::print(stderr, "floor_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace ringcast::floor_bench

int main(int argc, char** argv) { return ringcast::floor_bench::main(argc, argv); }
