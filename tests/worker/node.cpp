#include "tests/worker/node.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "ring/wakeup.h"
#include "worker/control.h"

namespace ringcast::worker::test {
namespace {

void must(bool holds, const char* call) {
  if (!holds) throw std::system_error(errno, std::generic_category(), call);
}

sockaddr_in loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

bool eventually(const char* what, const std::function<bool()>& holds) {
  const ring::test::Patience patience;
  while (!holds()) {
    if (patience.over()) {
      ADD_FAILURE() << "never came true: " << what;
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

Node::Node(NodeSettings settings) : settings_(std::move(settings)), places_(settings_.workers) {
  settings_.options.connections_max = settings_.slots - 8;
  segment_ =
      ring::test::segment_or_fail(ring::Segment::create({.workers = settings_.workers,
                                                         .slots_per_worker = settings_.slots,
                                                         .arena_bytes = settings_.arena_bytes}));
  for (std::uint32_t w = 0; w < settings_.workers; ++w) {
    wake_fds_.push_back(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  }
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback();
  must(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  must(listen(listener_, 128) == 0, "listen");
  for (std::uint32_t w = 0; w < settings_.workers; ++w) {
    if (!is_puppet(w)) start(w);
  }
  for (std::uint32_t w = 0; w < settings_.workers; ++w) {
    if (!is_puppet(w)) wait_live(w);
  }
  for (std::uint32_t w = 0; w < settings_.workers; ++w) {
    if (is_puppet(w)) start_puppet(w);
  }
}

Node::~Node() {
  for (std::uint32_t w = 0; w < settings_.workers; ++w) {
    if (!is_puppet(w) && places_[w].control >= 0) kill(w);
  }
  for (const int fd : wake_fds_) close(fd);
  close(listener_);
}

std::uint64_t Node::total(ring::Counter counter) const {
  std::uint64_t sum = 0;
  for (std::uint32_t w = 0; w < settings_.workers; ++w) sum += count(w, counter);
  return sum;
}

void Node::start(std::uint32_t worker) {
  Place& place = places_[worker];
  int ends[2];
  must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
  place.control = ends[0];
  place.control_worker = ends[1];
  segment_->set_state(
      worker, {.epoch = segment_->state(worker).epoch + 1, .state = ring::WorkerState::starting});
  wake_all();
  place.thread = std::thread([this, worker] { run(worker); });
}

void Node::run(std::uint32_t worker) {
  auto made = Worker::create({.segment = segment_.get(),
                              .index = worker,
                              .wake_fds = wake_fds_,
                              .control_socket = places_[worker].control_worker,
                              .options = settings_.options});
  if (const auto* error = std::get_if<IoRingError>(&made)) {
    std::fprintf(stderr, "worker %u cannot start: %s\n", worker, error->message.c_str());
    std::abort();
  }
  std::get<std::unique_ptr<Worker>>(made)->run();
}

void Node::wait_live(std::uint32_t worker) {
  const std::uint32_t epoch = segment_->state(worker).epoch;
  for (;;) {
    pollfd readable{.fd = places_[worker].control, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, 60'000) == 0) throw std::runtime_error("a worker does not turn live");
    const ReceivedControl received = receive_control(places_[worker].control);
    if (received.result == ControlResult::closed) throw std::runtime_error("a worker has ended");
    if (received.result == ControlResult::done && received.message.kind == ControlKind::live &&
        received.message.argument == epoch) {
      return;
    }
  }
}

void Node::start_puppet(std::uint32_t worker) {
  Place& place = places_[worker];
  const std::uint32_t epoch = segment_->state(worker).epoch + 1;
  segment_->set_state(worker, {.epoch = epoch, .state = ring::WorkerState::starting});
  wake_all();
  place.puppet = std::make_unique<Peers>(*segment_, worker, wake_fds_);
  place.told = {};
  eventually("the others have let go of the puppet's arena", [&] {
    place.puppet->refresh(place.told);
    return place.puppet->own_arena_free(epoch);
  });
  segment_->set_state(worker, {.epoch = epoch, .state = ring::WorkerState::live});
  wake_all();
  // Each of the others says so when it has noticed.
  std::uint64_t unseen = place.puppet->live();
  eventually("the workers notice the puppet", [&] {
    drain_puppet(worker);
    for (const Handed& handed : place.told.handed) {
      if (handed.descriptor.kind == ring::DescriptorKind::announce_registrations_done) {
        unseen &= ~(std::uint64_t{1} << handed.from);
      }
    }
    return unseen == 0;
  });
  std::erase_if(place.told.handed, [](const Handed& handed) {
    return handed.descriptor.kind == ring::DescriptorKind::announce_done ||
           handed.descriptor.kind == ring::DescriptorKind::announce_registrations_done;
  });
}

void Node::restart_puppet(std::uint32_t worker) {
  segment_->set_state(worker,
                      {.epoch = segment_->state(worker).epoch, .state = ring::WorkerState::dead});
  start_puppet(worker);
}

void Node::drain_puppet(std::uint32_t worker) {
  puppet(worker).refresh(told(worker));
  drain_all(puppet(worker), told(worker));
  puppet(worker).flush();
}

void Node::wake_all() {
  for (const int fd : wake_fds_) ring::wake(fd);
}

// A worker ends when its supervisor is gone: the nearest to a crash that a thread can do. What it
// had not finished is gone with its memory.
void Node::kill(std::uint32_t worker) {
  close(places_[worker].control);
  places_[worker].control = -1;
  join(worker);
  segment_->block(worker).counters.reset_gauges();
  segment_->clear_all_interest(worker);
  segment_->set_state(worker,
                      {.epoch = segment_->state(worker).epoch, .state = ring::WorkerState::dead});
  wake_all();
}

void Node::join(std::uint32_t worker) {
  Place& place = places_[worker];
  if (place.thread.joinable()) place.thread.join();
  if (place.control_worker >= 0) close(place.control_worker);
  place.control_worker = -1;
}

void Node::drain(std::uint32_t worker, std::uint32_t timeout_ms) {
  send_control(places_[worker].control, {.kind = ControlKind::drain, .argument = timeout_ms});
}

int Node::connect(std::uint32_t worker) {
  const std::lock_guard lock(connecting_);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(::connect(fd, reinterpret_cast<sockaddr*>(&address), size) == 0, "connect");
  const int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  must(accepted >= 0, "accept");
  const int yes = 1;
  for (const int end : {fd, accepted}) {
    setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  const ring::test::Patience patience;
  for (;;) {
    const ControlResult result = send_control(
        places_[worker].control, {.kind = ControlKind::connections, .argument = 1}, {&accepted, 1});
    if (result == ControlResult::done) break;
    if (result == ControlResult::closed || patience.over()) {
      throw std::runtime_error("a worker does not take connections");
    }
    std::this_thread::yield();
  }
  close(accepted);
  return fd;
}

std::unique_ptr<TestClient> Node::client(std::uint32_t worker, wire::Serializer serializer) {
  auto made = std::make_unique<TestClient>(connect(worker), serializer);
  made->upgrade();
  made->hello();
  return made;
}

std::uint64_t Node::hash(std::string_view topic) const {
  return topic_hash(segment_->header().topic_seed, 0, topic);
}

std::string Node::topic_at(std::uint32_t home, std::string_view prefix) const {
  for (int i = 0;; ++i) {
    std::string topic = std::string(prefix) + "." + std::to_string(i);
    if (home_of(hash(topic), settings_.workers) == home) return topic;
  }
}

}  // namespace ringcast::worker::test
