// The steady state of publish, fan-out and receive takes no memory and no lock: the broker runs
// with a library preloaded that counts both, and after a warm-up neither count of a worker may
// move, whichever worker publishes. Its subscribers sit on both workers, so each publication is
// fanned out by the publisher's own and by the other one.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/stress/check_main.h"
#include "tests/stress/clock.h"
#include "tests/stress/fleet.h"
#include "tests/stress/steady_state_counts.h"

namespace ringcast::stress {
namespace {

struct Options {
  std::string broker;
  std::string counter;
  std::uint64_t notes = 100'000;
};

// Each note is acknowledged, and what the speaker gets then lies between events in the log. More
// such pieces than a queue keeps as ranges (SendQueue::kRangesMax) in one turn are folded into a
// copy of its own, which takes memory: that is no steady state.
constexpr std::uint64_t kWindow = 48;
// Small notes as most are, and some that do not fit into what is received at once.
constexpr std::size_t kNoteBytes = 128;
constexpr std::size_t kLargeNoteBytes = 20'000;
constexpr std::uint64_t kLargeEvery = 100;

// A directory for the files of one run, in the environment of the broker that is started meanwhile.
class CountsDirectory {
 public:
  explicit CountsDirectory(const std::string& library) {
    std::string name = (std::filesystem::temp_directory_path() / "ringcast-counts-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail("mkdtemp: {}", std::strerror(errno));
    path_ = name;
    setenv(kCountsDirectory, path_.c_str(), 1);
    setenv("LD_PRELOAD", library.c_str(), 1);
  }
  ~CountsDirectory() {
    unsetenv("LD_PRELOAD");
    unsetenv(kCountsDirectory);
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  CountsDirectory(const CountsDirectory&) = delete;
  CountsDirectory& operator=(const CountsDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The counts of one worker process.
class Counts {
 public:
  Counts(const std::string& directory, pid_t pid) : calls_(trace_file(directory, pid)) {
    const int fd = open(counts_file(directory, pid).c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) fail("worker {} counts nothing: the library was not preloaded", pid);
    void* memory =
        mmap(nullptr, sizeof(SteadyStateCounts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) fail("mmap: {}", std::strerror(errno));
    shared_ = static_cast<SteadyStateCounts*>(memory);
    // It has started, so it has counted.
    if (shared_->allocations == 0) fail("worker {} has allocated nothing at all", pid);
  }
  ~Counts() { munmap(shared_, sizeof(SteadyStateCounts)); }
  Counts(const Counts&) = delete;
  Counts& operator=(const Counts&) = delete;

  void begin() {
    shared_->armed = 1;
    allocations_ = shared_->allocations;
    locks_ = shared_->locks;
  }
  void end() {
    shared_->armed = 0;
    allocations_ = shared_->allocations - allocations_;
    locks_ = shared_->locks - locks_;
  }
  std::uint64_t allocations() const { return allocations_; }
  std::uint64_t locks() const { return locks_; }
  // Who made the first of them.
  std::string calls() const {
    std::ostringstream text;
    text << std::ifstream(calls_).rdbuf();
    return text.str();
  }

 private:
  std::string calls_;
  SteadyStateCounts* shared_ = nullptr;
  std::uint64_t allocations_ = 0;
  std::uint64_t locks_ = 0;
};

class SteadyState {
 public:
  explicit SteadyState(const Options& options)
      : options_(options), directory_(options.counter), fleet_(options.broker, {}) {}

  void run() {
    for (std::size_t w = 0; w < Fleet::kWorkers; ++w) {
      counts_.push_back(std::make_unique<Counts>(directory_.path(), fleet_.broker.worker_pid(w)));
    }
    for (int i = 0; i < 8; ++i) fleet_.open_peer([this] { fleet_.engine.turn(1); });
    for (std::size_t w = 0; w < Fleet::kWorkers; ++w) {
      if (fleet_.count_on(w) < 2) fail("worker {} has got too few connections", w);
    }
    for (std::size_t w = 0; w < Fleet::kWorkers; ++w) publish(*fleet_.any_on(w), options_.notes);
    for (std::size_t w = 0; w < Fleet::kWorkers; ++w) measure(w);
    fleet_.stop();
  }

 private:
  void measure(std::size_t speaking_worker) {
    for (const auto& counts : counts_) counts->begin();
    publish(*fleet_.any_on(speaking_worker), options_.notes);
    for (const auto& counts : counts_) counts->end();
    for (std::size_t w = 0; w < Fleet::kWorkers; ++w) {
      const Counts& counts = *counts_[w];
      fmt::print("{} notes published on worker {}: worker {} has {} allocations, {} locks\n",
                 options_.notes, speaking_worker, w, counts.allocations(), counts.locks());
      if (counts.allocations() != 0 || counts.locks() != 0) {
        fail("worker {} allocates or locks in the steady state; its first calls:\n{}", w,
             counts.calls());
      }
    }
  }

  // At the pace of those who listen; returns when all have heard all.
  void publish(Peer& speaker, std::uint64_t notes) {
    Run run = begin_run(fleet_.world);
    std::uint64_t heard = 0;
    std::int64_t heard_at_ms = now_ms();
    while (heard < notes) {
      while (run.sent < notes && run.sent - heard < kWindow) {
        speaker.speak(run, run.sent % kLargeEvery == 0 ? kLargeNoteBytes : kNoteBytes);
      }
      fleet_.engine.turn(1);
      const std::uint64_t before = std::exchange(heard, fleet_.heard_by_all(run));
      if (heard != before) heard_at_ms = now_ms();
      if (now_ms() >= heard_at_ms + Fleet::kSettleMs) {
        fail("somebody is left at note {} of {} for 30 s", heard, notes);
      }
    }
  }

  const Options options_;
  CountsDirectory directory_;
  Fleet fleet_;
  std::vector<std::unique_ptr<Counts>> counts_;
};

}  // namespace
}  // namespace ringcast::stress

int main(int argc, char** argv) {
  using namespace ringcast::stress;
  Options options;
  CLI::App app("Counts allocations and locks of the broker's workers in the steady state.");
  app.option_defaults()->always_capture_default();
  app.add_option("--broker", options.broker, "the broker's program (default: beside this one)");
  app.add_option("--counter", options.counter, "the counting library")->required();
  app.add_option("--notes", options.notes, "published by each of two workers")
      ->check(CLI::Range(1000, 100'000'000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  return run_check("steady_state_check", [&] { SteadyState(options).run(); });
}
