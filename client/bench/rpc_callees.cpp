#include "client/bench/rpc_callees.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "client/bench/clock.h"
#include "client/bench/connector.h"
#include "client/bench/handshake.h"
#include "client/bench/link_pool.h"
#include "client/bench/rpc_traffic.h"

namespace ringcast::bench {
namespace {

using client::Failure;

constexpr std::int64_t kTickNs = 20'000'000;

void copy_text(char* to, std::size_t size, const std::string& text) {
  const std::size_t length = std::min(size - 1, text.size());
  std::memcpy(to, text.data(), length);
  to[length] = '\0';
}

}  // namespace

RpcCallees::RpcCallees(const FanoutOptions& options, std::uint32_t run)
    : options_(options), run_(run) {
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  shared_ = new (memory) Shared;
}

RpcCallees::~RpcCallees() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::munmap(shared_, sizeof(Shared));
}

std::optional<Failure> RpcCallees::start() {
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) {
    return Failure{Failure::Kind::input, fmt::format("cannot fork: {}", std::strerror(errno)),
                   "see the limit of processes (ulimit -u)"};
  }
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::signal(SIGINT, SIG_IGN);  // the callers' process decides when it is over
    serve();
  }
  return wait_for(shared_->ready);
}

std::optional<Failure> RpcCallees::stop() {
  shared_->stop.store(true, std::memory_order_release);
  auto failure = wait_for(shared_->done);
  if (pid_ > 0) ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  return failure;
}

std::optional<Failure> RpcCallees::wait_for(const std::atomic<bool>& flag) {
  while (!flag.load(std::memory_order_acquire)) {
    if (shared_->failed.load(std::memory_order_acquire))
      return Failure{Failure::Kind::network, shared_->failure_cause, shared_->failure_remedy};
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return Failure{Failure::Kind::network, "the process of the callees is gone",
                     "see whether something killed it"};
    }
    ::usleep(500);
  }
  return std::nullopt;
}

void RpcCallees::fail(const Failure& failure) {
  copy_text(shared_->failure_cause, sizeof shared_->failure_cause, failure.cause);
  copy_text(shared_->failure_remedy, sizeof shared_->failure_remedy, failure.remedy);
  shared_->failed.store(true, std::memory_order_release);
  ::_exit(1);
}

void RpcCallees::serve() {
  FanoutOptions places = options_;
  places.subscribers = 0;
  places.publishers = options_.callees;
  MaskSource masks;
  LinkPool pool(places, 0, kNoWakeup);
  if (auto failure = pool.resolve()) fail(*failure);
  Handshake handshake(places, masks);
  Connector connector(places, pool, handshake);
  if (auto failure = connector.run()) fail(*failure);
  RpcTraffic traffic(options_, pool, masks, 0, options_.callees, run_);
  traffic.register_procedures();
  while (!traffic.registered() && !traffic.failure() && traffic.disconnects() == 0)
    pool.poll(kTickNs, traffic);
  if (traffic.failure()) fail(*traffic.failure());
  if (traffic.disconnects() > 0)
    fail({Failure::Kind::network, traffic.first_disconnect(), "the server's log has the details"});
  shared_->ready.store(true, std::memory_order_release);
  while (!shared_->stop.load(std::memory_order_acquire))
    pool.poll(options_.spin ? 0 : kTickNs, traffic);
  shared_->counts = traffic.counts();
  shared_->disconnects = traffic.disconnects();
  copy_text(shared_->first_disconnect, sizeof shared_->first_disconnect,
            traffic.first_disconnect());
  pool.close_all(masks);
  shared_->done.store(true, std::memory_order_release);
  ::_exit(0);
}

}  // namespace ringcast::bench
