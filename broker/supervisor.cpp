#include "broker/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "broker/config_source.h"
#include "broker/exit_code.h"
#include "broker/worker_process.h"
#include "ring/wakeup.h"
#include "worker/control.h"
#include "worker/io_ring.h"

namespace ringcast::broker {
namespace {

using worker::TimeMs;

constexpr TimeMs kBackoffFirstMs = 50;
constexpr TimeMs kBackoffMaxMs =
    1000;                             // a worker is back within two seconds, however often it dies
constexpr TimeMs kStableMs = 10'000;  // after which earlier deaths are forgotten
constexpr TimeMs kAliveTimeoutMs = 10'000;      // without a turn of its loop a worker is killed
constexpr std::uint32_t kStartFailuresMax = 5;  // before anything was ready: give up
constexpr std::uint64_t kConnectionsMin = 16;   // fewer than that is a misconfiguration
constexpr std::uint64_t kConnectionsDefaultMax = 65536;

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) return std::string("killed by signal ") + strsignal(WTERMSIG(status));
  return "exited with code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Supervisor::Supervisor(Config config, std::vector<std::string> arguments, std::string config_text)
    : config_(std::move(config)),
      arguments_(std::move(arguments)),
      config_text_(std::move(config_text)),
      processes_(config_.processes),
      threads_(config_.workers()) {}

Supervisor::~Supervisor() {
  acceptor_.reset();
  for (const int fd : wake_fds_) close(fd);
  for (const Thread& thread : threads_) {
    if (thread.control >= 0) close(thread.control);
    if (thread.control_worker >= 0) close(thread.control_worker);
  }
  if (signal_fd_ >= 0) close(signal_fd_);
  if (config_fd_ >= 0) close(config_fd_);
}

int Supervisor::run() {
  if (const int code = prepare_limits(); code != 0) return code;
  auto probed = worker::probe_io_ring();
  if (const auto* error = std::get_if<worker::IoRingError>(&probed)) {
    spdlog::error("{}", error->message);
    return error->cause == worker::IoRingError::Cause::descriptors ? kExitDescriptors
                                                                   : kExitIoUring;
  }
  auto opened = open_listeners(config_);
  if (const auto* error = std::get_if<ListenError>(&opened)) {
    spdlog::error("{}", error->message);
    return error->exit_code;
  }
  if (const int code = keep_config(); code != 0) return code;
  if (const int code = make_segment(); code != 0) return code;
  if (const int code = make_channels(); code != 0) return code;
  if (const int code = start_acceptor(std::get<std::vector<Listener>>(std::move(opened)));
      code != 0) {
    return code;
  }
  loop();
  return exit_code_;
}

// Every connection is a direct descriptor, and their table is bounded by RLIMIT_NOFILE in each
// worker.
int Supervisor::prepare_limits() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  const std::uint64_t own = 3 * config_.workers() + config_.listen.size() + 32;
  const std::uint64_t wanted =
      config_.worker_connections_max != 0 ? config_.worker_connections_max : kConnectionsMin;
  const std::uint64_t needed = std::max(own, wanted + kRefusalSlots);
  if (limit.rlim_cur < needed) {
    spdlog::error(
        "too few file descriptors: the limit (RLIMIT_NOFILE) is {}, {} workers with {} connections "
        "each need {}; raise it (ulimit -n {}, LimitNOFILE={}) or ask for fewer",
        limit.rlim_cur, config_.workers(), wanted, needed, needed, needed);
    return kExitDescriptors;
  }
  if (config_.worker_connections_max == 0) {
    config_.worker_connections_max = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(limit.rlim_cur - kRefusalSlots, kConnectionsDefaultMax));
  }
  return 0;
}

int Supervisor::keep_config() {
  if (config_.file.empty()) return 0;
  const auto kept = seal_text(config_text_);
  if (!kept) {
    spdlog::error("{}; {}", kept.failure().cause, kept.failure().remedy);
    return kExitInternal;
  }
  config_fd_ = *kept;
  config_text_.clear();
  return 0;
}

int Supervisor::make_segment() {
  auto created =
      ring::Segment::create({.workers = config_.workers(),
                             .slots_per_worker = config_.worker_connections_max + kRefusalSlots,
                             .arena_bytes = config_.arena_bytes()});
  if (const auto* error = std::get_if<ring::SegmentError>(&created)) {
    spdlog::error("{}", error->message);
    return kExitInternal;
  }
  segment_ = std::get<std::unique_ptr<ring::Segment>>(std::move(created));
  return 0;
}

int Supervisor::make_channels() {
  const auto failed = [](const char* call) {
    const int error = errno;
    spdlog::error("{}: {}", call, std::strerror(error));
    return error == EMFILE || error == ENFILE ? kExitDescriptors : kExitInternal;
  };
  for (Thread& thread : threads_) {
    const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0) return failed("eventfd");
    wake_fds_.push_back(wake_fd);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
      return failed("socketpair");
    thread.control = ends[0];
    thread.control_worker = ends[1];
  }
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD, SIGUSR1, SIGHUP}) sigaddset(&signals, signal);
  // Blocked in every thread that comes after; the loop reads them.
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal_fd_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  return signal_fd_ < 0 ? failed("signalfd") : 0;
}

int Supervisor::start_acceptor(std::vector<Listener> listeners) {
  for (const Listener& listener : listeners) {
    listen_text_ += (listen_text_.empty() ? "ws://" : ",ws://") + listener.address +
                    config_.worker.websocket_path;
  }
  std::vector<int> controls;
  for (const Thread& thread : threads_) controls.push_back(thread.control);
  acceptor_ = std::make_unique<Acceptor>(*segment_, std::move(listeners), std::move(controls));
  if (const std::string failure = acceptor_->start(); !failure.empty()) {
    spdlog::error("the acceptor cannot start: {}", failure);
    return kExitIoUring;
  }
  return 0;
}

void Supervisor::loop() {
  std::vector<pollfd> watched;
  watched.push_back({.fd = signal_fd_, .events = POLLIN, .revents = 0});
  for (const Thread& thread : threads_) {
    watched.push_back({.fd = thread.control, .events = POLLIN, .revents = 0});
  }
  for (;;) {
    const TimeMs now = worker::now_ms();
    if (stopping_) {
      if (stop_finished(now)) return;
    } else {
      start_due(now);
      check_alive(now);
      if (exit_code_ != 0) begin_stop();
    }
    poll(watched.data(), watched.size(), 20);
    if (watched[0].revents != 0) handle_signals();
    for (std::uint32_t w = 0; w < threads_.size(); ++w) {
      if (watched[w + 1].revents != 0) handle_live(w);
    }
  }
}

void Supervisor::handle_signals() {
  signalfd_siginfo info{};
  while (read(signal_fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (info.ssi_signo) {
      case SIGCHLD:
        reap();
        break;
      case SIGUSR1:
        log_counters();
        break;
      case SIGHUP:
        reload();
        break;
      default:
        if (stopping_) {
          stop_deadline_ms_ = 0;  // asked twice: at once
        } else {
          spdlog::info("stopping, at most {} ms for what is queued",
                       config_.worker.drain_timeout_ms);
          begin_stop();
        }
    }
  }
}

void Supervisor::handle_live(std::uint32_t worker) {
  for (;;) {
    const worker::ReceivedControl received = worker::receive_control(threads_[worker].control);
    if (received.result != worker::ControlResult::done) return;
    const ring::StateWord state = segment_->state(worker);
    // A word from an incarnation that has died since is no longer news.
    if (received.message.kind != worker::ControlKind::live ||
        received.message.argument != state.epoch) {
      continue;
    }
    threads_[worker].announced = true;
    spdlog::info("worker ready worker={} pid={}", worker, processes_[worker / config_.threads].pid);
    log_ready_once();
  }
}

void Supervisor::log_ready_once() {
  if (ready_logged_) return;
  for (const Thread& thread : threads_) {
    if (!thread.announced) return;
  }
  ready_logged_ = true;
  spdlog::info("ready pid={} workers={} listen={}", getpid(), config_.workers(), listen_text_);
}

void Supervisor::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    for (std::uint32_t p = 0; p < processes_.size(); ++p) {
      if (processes_[p].pid == pid) bury(p, describe_end(status));
    }
    // It could not even begin, and nothing has ever been served: the cause was logged and will not
    // go away.
    if (!ready_logged_ && WIFEXITED(status) && WEXITSTATUS(status) == kExitIoUring) {
      exit_code_ = kExitIoUring;
    }
  }
}

// The process is gone for certain: nothing of it writes to the segment any more.
void Supervisor::bury(std::uint32_t index, const std::string& how) {
  Process& process = processes_[index];
  const TimeMs now = worker::now_ms();
  if (now - process.started_ms >= kStableMs) process.failures = 0;
  const TimeMs backoff =
      std::min(kBackoffFirstMs << std::min(process.failures, 10u), kBackoffMaxMs);
  ++process.failures;
  if (!stopping_) {
    spdlog::warn("worker process {} pid={} {}; starting it again in {} ms", index, process.pid, how,
                 backoff);
  }
  process.pid = 0;
  process.start_at_ms = now + backoff;
  for (std::uint32_t w = first_thread(index); w < first_thread(index + 1); ++w) {
    ring::WorkerBlock& block = segment_->block(w);
    block.pid.store(0, std::memory_order_relaxed);
    // What it had taken over and not brought to an end, also where it had just begun to.
    block.counters.add(ring::Counter::connections_lost,
                       block.counters.get(ring::Counter::connections_accepted) -
                           block.counters.get(ring::Counter::connections_closed) -
                           block.counters.get(ring::Counter::connections_lost));
    block.counters.reset_gauges();
    segment_->clear_all_interest(w);
    for (auto& sessions : segment_->realm_sessions(w)) sessions.store(0);
    segment_->set_state(w, {.epoch = segment_->state(w).epoch, .state = ring::WorkerState::dead});
    threads_[w].announced = false;
  }
  wake_all();
  if (!ready_logged_ && process.failures >= kStartFailuresMax && exit_code_ == 0) {
    spdlog::error("worker process {} failed {} times before it was ready; giving up", index,
                  process.failures);
    exit_code_ = kExitInternal;
  }
}

void Supervisor::start_due(TimeMs now) {
  for (std::uint32_t p = 0; p < processes_.size(); ++p) {
    if (processes_[p].pid == 0 && now >= processes_[p].start_at_ms) spawn(p);
  }
}

void Supervisor::spawn(std::uint32_t index) {
  WorkerProcessChannels channels{.process = index,
                                 .segment_fd = segment_->fd(),
                                 .config_fd = config_fd_,
                                 .wake_fds = wake_fds_,
                                 .control_sockets = {}};
  std::vector<int> inherited = wake_fds_;
  inherited.push_back(segment_->fd());
  if (config_fd_ >= 0) inherited.push_back(config_fd_);
  const TimeMs now = worker::now_ms();
  for (std::uint32_t w = first_thread(index); w < first_thread(index + 1); ++w) {
    channels.control_sockets.push_back(threads_[w].control_worker);
    inherited.push_back(threads_[w].control_worker);
    const std::uint32_t epoch = segment_->state(w).epoch + 1;
    segment_->set_state(w, {.epoch = epoch, .state = ring::WorkerState::starting});
    threads_[w].turns_ms = now;
  }
  wake_all();  // the others acknowledge the new epoch
  const std::string variable =
      std::string(WorkerProcessChannels::kVariable) + "=" + channels.to_text();
  std::vector<char*> argv;
  for (std::string& argument : arguments_) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(const_cast<char*>(variable.c_str()));
  environment.push_back(nullptr);

  Process& process = processes_[index];
  process.started_ms = now;
  const pid_t pid = fork();
  if (pid == 0) {
    // Only async-signal-safe calls from here on: the acceptor's thread may have held any lock.
    for (const int fd : inherited) fcntl(fd, F_SETFD, 0);
    execve("/proc/self/exe", argv.data(), environment.data());
    _exit(kExitInternal);
  }
  if (pid < 0) {
    // EAGAIN, ENOMEM: no room for a process now.
    spdlog::error("cannot start worker process {}: fork: {}", index, std::strerror(errno));
    process.start_at_ms = now + kBackoffMaxMs;
    return;
  }
  process.pid = pid;
  for (std::uint32_t w = first_thread(index); w < first_thread(index + 1); ++w) {
    segment_->block(w).pid.store(pid, std::memory_order_relaxed);
  }
}

// A worker whose loop does not turn holds up every publisher that has something for it (a full ring
// is pushed back on), so it is ended and started again.
void Supervisor::check_alive(TimeMs now) {
  for (std::uint32_t w = 0; w < threads_.size(); ++w) {
    const std::uint64_t turns = segment_->block(w).counters.get(ring::Counter::turns);
    Thread& thread = threads_[w];
    const Process& process = processes_[w / config_.threads];
    if (turns != thread.turns || process.pid == 0) {
      thread.turns = turns;
      thread.turns_ms = now;
    } else if (now >= thread.turns_ms + kAliveTimeoutMs) {
      spdlog::error("worker {} pid={} has not turned its loop for {} ms; killing it", w,
                    process.pid, now - thread.turns_ms);
      kill(process.pid, SIGKILL);
      thread.turns_ms = now;
    }
  }
}

// Where a worker's socket is full it looks at the files by itself in a few seconds.
void Supervisor::reload() {
  spdlog::info("reading the keys for tokens again");
  for (const Thread& thread : threads_) {
    worker::send_control(thread.control, {.kind = worker::ControlKind::reload, .argument = 0});
  }
}

void Supervisor::log_counters() {
  for (std::uint32_t w = 0; w < threads_.size(); ++w) {
    static constexpr const char* kStates[] = {"dead", "starting", "live"};
    const ring::WorkerBlock& block = segment_->block(w);
    const ring::StateWord state = segment_->state(w);
    std::string text = "counters worker=" + std::to_string(w) +
                       " pid=" + std::to_string(block.pid.load(std::memory_order_relaxed)) +
                       " state=" + kStates[static_cast<std::size_t>(state.state)] +
                       " epoch=" + std::to_string(state.epoch);
    for (std::size_t c = 0; c < ring::kCounterCount; ++c) {
      const auto counter = static_cast<ring::Counter>(c);
      text += ' ';
      text += ring::counter_name(counter);
      text += '=' + std::to_string(block.counters.get(counter));
    }
    spdlog::info("{}", text);
  }
  spdlog::info("counters end");
}

void Supervisor::begin_stop() {
  stopping_ = true;
  acceptor_->stop();
  const auto timeout = static_cast<std::uint32_t>(config_.worker.drain_timeout_ms);
  for (const Thread& thread : threads_) {
    worker::send_control(thread.control, {.kind = worker::ControlKind::drain, .argument = timeout});
  }
  // Workers keep to the timeout themselves; the rest is for ending their processes.
  stop_deadline_ms_ = worker::now_ms() + timeout + 2000;
}

bool Supervisor::stop_finished(TimeMs now) {
  const bool gone = std::all_of(processes_.begin(), processes_.end(),
                                [](const Process& process) { return process.pid == 0; });
  if (gone) {
    spdlog::info("stopped");
    return true;
  }
  if (now >= stop_deadline_ms_ && !killed_) {
    killed_ = true;
    for (const Process& process : processes_) {
      if (process.pid != 0) kill(process.pid, SIGKILL);
    }
  }
  return false;
}

void Supervisor::wake_all() {
  for (const int fd : wake_fds_) ring::wake(fd);
}

}  // namespace ringcast::broker
