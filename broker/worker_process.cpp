#include "broker/worker_process.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <sstream>
#include <system_error>
#include <thread>

#include "broker/exit_code.h"
#include "ring/segment.h"
#include "worker/worker.h"

namespace ringcast::broker {
namespace {

std::vector<int> numbers_of(const std::string& text) {
  std::vector<int> numbers;
  std::istringstream stream(text);
  for (std::string one; std::getline(stream, one, ',');) numbers.push_back(std::stoi(one));
  return numbers;
}

std::string text_of(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : ",") + std::to_string(number);
  return text;
}

// The supervisor decides when workers end: an interrupt from the terminal goes to it as well, and
// is for it.
void set_signals() {
  signal(SIGINT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGUSR1, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

int run_thread(worker::WorkerSetup setup) {
  const std::uint32_t index = setup.index;
  try {
    auto made = worker::Worker::create(std::move(setup));
    if (const auto* error = std::get_if<worker::IoRingError>(&made)) {
      spdlog::error("worker {} cannot start: {}", index, error->message);
      return kExitIoUring;
    }
    std::get<std::unique_ptr<worker::Worker>>(made)->run();
    return kExitDone;
  } catch (const std::system_error& error) {
    spdlog::error("worker {} cannot start: {}", index, error.what());
    return kExitInternal;
  }
}

}  // namespace

std::string WorkerProcessChannels::to_text() const {
  return std::to_string(process) + ";" + std::to_string(segment_fd) + ";" +
         std::to_string(config_fd) + ";" + text_of(wake_fds) + ";" + text_of(control_sockets);
}

std::optional<WorkerProcessChannels> WorkerProcessChannels::from_environment() {
  const char* text = std::getenv(kVariable);
  if (text == nullptr) return std::nullopt;
  std::istringstream stream(text);
  std::string process, segment, config, wakes, controls;
  std::getline(stream, process, ';');
  std::getline(stream, segment, ';');
  std::getline(stream, config, ';');
  std::getline(stream, wakes, ';');
  std::getline(stream, controls, ';');
  return WorkerProcessChannels{.process = static_cast<std::uint32_t>(std::stoul(process)),
                               .segment_fd = std::stoi(segment),
                               .config_fd = std::stoi(config),
                               .wake_fds = numbers_of(wakes),
                               .control_sockets = numbers_of(controls)};
}

int run_worker_process(const Config& config, const WorkerProcessChannels& channels) {
  set_signals();
  ring::Segment::Result attached = ring::Segment::attach(channels.segment_fd);
  if (const auto* error = std::get_if<ring::SegmentError>(&attached)) {
    spdlog::error("worker process {} cannot start: {}", channels.process, error->message);
    return kExitInternal;
  }
  auto& segment = *std::get<std::unique_ptr<ring::Segment>>(attached);
  worker::WorkerOptions options = config.worker;
  options.log = [](worker::LogLevel level, const std::string& line) {
    spdlog::log(level == worker::LogLevel::warn ? spdlog::level::warn : spdlog::level::info, "{}",
                line);
  };
  options.connections_max = segment.header().sizes.slots_per_worker - kRefusalSlots;

  std::atomic<int> exit_code{kExitDone};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < config.threads; ++t) {
    worker::WorkerSetup setup{.segment = &segment,
                              .index = channels.process * config.threads + t,
                              .wake_fds = channels.wake_fds,
                              .control_socket = channels.control_sockets[t],
                              .options = options};
    threads.emplace_back([&exit_code, setup = std::move(setup)]() mutable {
      const int code = run_thread(std::move(setup));
      if (code == kExitDone) return;
      // One thread that can't start takes its process with it, so that the supervisor sees it.
      exit_code.store(code);
      _exit(code);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return exit_code.load();
}

}  // namespace ringcast::broker
