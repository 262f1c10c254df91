#include "client/bench/connector.h"

#include <fmt/format.h>

namespace ringcast::bench {
namespace {

using client::Failure;

// Connections being set up at a time: enough to keep a server busy, below every listen backlog.
constexpr std::size_t kAtOnce = 128;

}  // namespace

Connector::Connector(const FanoutOptions& options, LinkPool& pool, Handshake& handshake)
    : options_(options), pool_(pool), handshake_(handshake) {}

std::optional<Failure> Connector::run() {
  const std::int64_t deadline = now_ns() + ns_of(options_.connect_timeout_s);
  while (ready_ < pool_.size() && !failure_) {
    while (started_ < pool_.size() && started_ - ready_ < kAtOnce && !failure_) {
      failure_ = pool_.connect(started_++);
    }
    if (!failure_) pool_.poll(100'000'000, *this);
    if (now_ns() > deadline) {
      fail({Failure::Kind::timeout,
            fmt::format("{} of {} connections were ready after {} s", ready_, pool_.size(),
                        options_.connect_timeout_s),
            "the server is overloaded or has a limit of connections; its log has the details"});
    }
  }
  return failure_;
}

std::size_t Connector::on_bytes(Link& link, wire::Bytes bytes, std::int64_t) {
  const bool was_ready = link.state == Link::State::ready;
  std::optional<Failure> failure;
  const std::size_t consumed = handshake_.take(link, bytes, failure);
  if (failure) fail(std::move(*failure));
  if (!was_ready && link.state == Link::State::ready) ++ready_;
  return consumed;
}

void Connector::on_writable(Link& link) {
  if (link.state == Link::State::connecting) {
    if (auto failure = handshake_.begin(link)) return fail(std::move(*failure));
  }
  // If it fails, reading tells why.
  link.flush();
}

void Connector::on_gone(Link&, const std::string& why) {
  fail({Failure::Kind::network,
        fmt::format("a connection to {} failed during set-up: {}", options_.url.authority(), why),
        "check that a server listens there, and its limit of connections"});
}

void Connector::fail(Failure failure) {
  if (!failure_) failure_ = std::move(failure);
}

}  // namespace ringcast::bench
