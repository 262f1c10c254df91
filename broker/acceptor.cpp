#include "broker/acceptor.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <latch>

#include "ring/wakeup.h"
#include "worker/control.h"

namespace ringcast::broker {
namespace {

constexpr std::uint64_t kStopTag = UINT64_MAX;
constexpr std::uint64_t kCloseTag = UINT64_MAX - 1;
constexpr std::int64_t kIdleNs = 1'000'000'000;
constexpr std::int64_t kRetryNs = 2'000'000;  // until workers that took no more are asked again
// Where several came at once more are coming: they are waited for this long, so that a crowd costs
// one message and one wake-up per so many and not for each.
constexpr std::int64_t kCrowdNs = 200'000;
constexpr unsigned kCrowd = 32;
constexpr worker::TimeMs kRearmMs = 100;  // until accepting is tried again for lack of descriptors
constexpr unsigned kEntries = 256;

}  // namespace

Acceptor::Acceptor(ring::Segment& segment, std::vector<Listener> listeners,
                   std::vector<int> control_sockets)
    : segment_(segment),
      listeners_(std::move(listeners)),
      control_sockets_(std::move(control_sockets)),
      stop_fd_(eventfd(0, EFD_CLOEXEC)),
      handed_(control_sockets_.size()),
      staged_(control_sockets_.size()) {}

Acceptor::~Acceptor() {
  stop();
  if (stop_fd_ >= 0) close(stop_fd_);
}

std::string Acceptor::start() {
  if (stop_fd_ < 0) return std::string("eventfd: ") + std::strerror(errno);
  std::string failure;
  std::latch ready(1);
  thread_ = std::thread([this, &failure, &ready] {
    // On this thread, because a ring belongs to the thread that made it (SINGLE_ISSUER).
    const int result = io_uring_queue_init(kEntries, &ring_,
                                           IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    if (result < 0) failure = std::string("io_uring_setup: ") + std::strerror(-result);
    const bool usable = result == 0;
    ready.count_down();
    if (usable) run();
  });
  ready.wait();
  if (!failure.empty()) thread_.join();
  return failure;
}

void Acceptor::stop() {
  if (!thread_.joinable()) return;
  ring::wake(stop_fd_);
  thread_.join();
  for (const Listener& listener : listeners_) close(listener.fd);
  for (const int fd : pending_) close(fd);
  pending_.clear();
}

io_uring_sqe* Acceptor::prepare(std::uint64_t tag) {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  while (entry == nullptr) {
    io_uring_submit(&ring_);
    entry = io_uring_get_sqe(&ring_);
  }
  *entry = {};
  entry->user_data = tag;
  return entry;
}

void Acceptor::arm_accept(std::size_t listener) {
  io_uring_sqe* entry = prepare(listener);
  io_uring_prep_multishot_accept(entry, listeners_[listener].fd, nullptr, nullptr, SOCK_CLOEXEC);
}

void Acceptor::wait() {
  const bool crowd = accepted_in_turn_ > 1;
  const bool retry = !exhausted_.empty() || !pending_.empty();
  const std::int64_t wait_ns = crowd ? kCrowdNs : retry ? kRetryNs : kIdleNs;
  __kernel_timespec time{.tv_sec = wait_ns / 1'000'000'000, .tv_nsec = wait_ns % 1'000'000'000};
  io_uring_cqe* first = nullptr;
  io_uring_submit_and_wait_timeout(&ring_, &first, crowd ? kCrowd : 1, &time, nullptr);
}

void Acceptor::run() {
  io_uring_prep_poll_add(prepare(kStopTag), stop_fd_, POLLIN);
  for (std::size_t i = 0; i < listeners_.size(); ++i) arm_accept(i);
  while (!stopping_) {
    wait();
    accepted_in_turn_ = 0;
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      ++count;
      handle(completion->user_data, completion->res, completion->flags);
    }
    io_uring_cq_advance(&ring_, count);
    hand_over();
    rearm_exhausted();
  }
  io_uring_submit(&ring_);  // what is to be closed
  // The accepts in flight hold the sockets, so closing them would not end listening; this does, at
  // once.
  for (const Listener& listener : listeners_) shutdown(listener.fd, SHUT_RDWR);
  io_uring_queue_exit(&ring_);
}

void Acceptor::handle(std::uint64_t tag, int result, unsigned flags) {
  if (tag == kCloseTag) return;
  if (tag == kStopTag) {
    stopping_ = true;
    return;
  }
  if (result >= 0) take(result);
  if ((flags & IORING_CQE_F_MORE) != 0) return;
  // EMFILE, ENFILE, ENOBUFS, ENOMEM: nothing left for one more socket; the connection waits in the
  // listener's queue until it is tried again. Everything else (ECONNABORTED: the peer gave up
  // first) is over already.
  if (result == -EMFILE || result == -ENFILE || result == -ENOBUFS || result == -ENOMEM) {
    if (exhausted_.empty()) {
      spdlog::warn("accepting pauses: {}; raise RLIMIT_NOFILE (ulimit -n)", std::strerror(-result));
    }
    exhausted_.push_back(tag);
    rearm_at_ms_ = worker::now_ms() + kRearmMs;
  } else {
    arm_accept(tag);
  }
}

void Acceptor::take(int fd) {
  ++accepted_in_turn_;
  if (pending_.size() < kPendingMax) {
    pending_.push_back(fd);
    return;
  }
  // No worker has taken anything for a while: let the client try again instead of waiting for
  // nothing.
  static constexpr char kBusy[] =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
      "Content-Length: 0\r\n\r\n";
  (void)send(fd, kBusy, sizeof kBusy - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  close(fd);
}

std::uint64_t Acceptor::load_of(std::uint32_t worker) const {
  // What was given and has not ended; a few on their way are counted as there. A worker that died
  // between two of its counters may leave them one apart, so this is kept from going below nothing.
  const ring::Counters& counters = segment_.block(worker).counters;
  const std::uint64_t gone = counters.get(ring::Counter::connections_closed) +
                             counters.get(ring::Counter::connections_lost);
  return handed_[worker] > gone ? handed_[worker] - gone : 0;
}

bool Acceptor::takes_more(std::uint32_t worker) const {
  if (segment_.state(worker).state != ring::WorkerState::live) return false;
  // One that lets connections lie is busy or stopped: it gets no more before it has taken those.
  const ring::Counters& counters = segment_.block(worker).counters;
  return handed_[worker] < counters.get(ring::Counter::connections_accepted) + kUntakenMax;
}

// The worker to give the next one to; where loads are equal, in turn. None that is in `refusing`;
// segment_.workers() if nobody takes it.
std::uint32_t Acceptor::least_loaded(std::uint64_t refusing) const {
  const std::uint32_t workers = segment_.workers();
  std::uint64_t best_load = UINT64_MAX;
  std::uint32_t best = workers;
  for (std::uint32_t i = 0; i < workers; ++i) {
    const std::uint32_t worker = (next_ + i) % workers;
    if ((refusing >> worker & 1) != 0 || !takes_more(worker)) continue;
    const std::uint64_t load = load_of(worker);
    if (load < best_load) {
      best_load = load;
      best = worker;
    }
  }
  return best;
}

// Shares out what is pending. What a worker refuses goes to the others; what nobody takes stays.
void Acceptor::hand_over() {
  const std::uint32_t workers = segment_.workers();
  std::uint64_t refusing = 0;
  for (bool refused = true; refused && !pending_.empty();) {
    refused = false;
    const auto pass = [this, &refusing, &refused](std::uint32_t worker) {
      if (pass_on(worker)) return;
      refusing |= std::uint64_t{1} << worker;
      refused = true;
    };
    while (!pending_.empty()) {
      const std::uint32_t worker = least_loaded(refusing);
      if (worker == workers) break;
      staged_[worker].push_back(pending_.front());
      pending_.pop_front();
      ++handed_[worker];
      next_ = (worker + 1) % workers;
      if (staged_[worker].size() == worker::kPassedFdsMax) pass(worker);
    }
    for (std::uint32_t worker = 0; worker < workers; ++worker) {
      if (!staged_[worker].empty()) pass(worker);
    }
  }
}

// Sends a worker what is staged for it, and closes our names of it. If the worker takes nothing now
// it is pending again, and false.
bool Acceptor::pass_on(std::uint32_t worker) {
  std::vector<int>& fds = staged_[worker];
  assert(fds.size() <= worker::kPassedFdsMax);
  const worker::ControlMessage message{.kind = worker::ControlKind::connections,
                                       .argument = static_cast<std::uint32_t>(fds.size())};
  const bool done =
      worker::send_control(control_sockets_[worker], message, fds) == worker::ControlResult::done;
  if (done) {
    for (const int fd : fds) {
      io_uring_sqe* entry = prepare(kCloseTag);
      io_uring_prep_close(entry, fd);
      entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    }
  } else {
    handed_[worker] -= fds.size();
    pending_.insert(pending_.begin(), fds.begin(), fds.end());
  }
  fds.clear();
  return done;
}

void Acceptor::rearm_exhausted() {
  if (!pending_.empty() || exhausted_.empty() || worker::now_ms() < rearm_at_ms_) return;
  for (const std::size_t listener : exhausted_) arm_accept(listener);
  exhausted_.clear();
}

}  // namespace ringcast::broker
