#include "tests/stress/engine.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tests/stress/verdict.h"
#include "wire/http_upgrade.h"

namespace ringcast::stress {
namespace {

// One key for all: what it protects from, caching proxies, is not in the way here.
constexpr wire::Bytes kKey = "cmluZ2Nhc3Qtc3RyZXNzIQ==";
const std::vector<std::string> kSubprotocols = {"wamp.2.msgpack"};
constexpr std::size_t kReceiveBytes = 256 * 1024;
constexpr std::size_t kFrameBytesMax = 1u << 20;

[[noreturn]] void fail_call(const char* call) { fail("{}: {}", call, std::strerror(errno)); }

}  // namespace

Engine::Engine() : epoll_(epoll_create1(EPOLL_CLOEXEC)), buffer_(kReceiveBytes + kFrameBytesMax) {
  if (epoll_ < 0) fail_call("epoll_create1");
}

Engine::~Engine() { close(epoll_); }

std::uint32_t Engine::enter(Link& link) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot].link = &link;
  return slot;
}

void Engine::leave(std::uint32_t slot) {
  slots_[slot].link = nullptr;
  ++slots_[slot].generation;
  free_.push_back(slot);
}

void Engine::watch(Link& link, bool first) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (link.want_write_ || link.state_ == Link::State::connecting) event.events |= EPOLLOUT;
  event.data.u64 = std::uint64_t{slots_[link.slot_].generation} << 32 | link.slot_;
  if (epoll_ctl(epoll_, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, link.fd_, &event) != 0) {
    fail_call("epoll_ctl");
  }
}

void Engine::flush_dirty() {
  // A flush makes no link dirty.
  for (Link* link : dirty_) {
    link->dirty_ = false;
    link->flush();
  }
  dirty_.clear();
}

void Engine::turn(int timeout_ms) {
  flush_dirty();
  std::array<epoll_event, 512> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const auto data = events[static_cast<std::size_t>(i)].data.u64;
    const Slot& slot = slots_[static_cast<std::uint32_t>(data)];
    if (slot.link == nullptr || slot.generation != data >> 32) continue;
    slot.link->handle(events[static_cast<std::size_t>(i)].events);
  }
  flush_dirty();
}

Link::~Link() {
  if (fd_ >= 0) release_socket();
  if (dirty_) std::erase(engine_.dirty_, this);
}

std::string Link::opening() const {
  return wire::encode_upgrade_request("127.0.0.1", "/ws", kSubprotocols, kKey);
}

void Link::on_refused(unsigned status, const std::string& body) {
  fail("the upgrade was refused with HTTP {}: {}", status, body);
}

void Link::connect(const Target& target) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail_call("socket");
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (target.receive_buffer_bytes != 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &target.receive_buffer_bytes, sizeof(int));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (target.source != INADDR_LOOPBACK) {
    // Several source addresses have several times the ports, of which the ended keep theirs awhile.
    setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    address.sin_addr.s_addr = htonl(target.source);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      fail_call("bind");
    }
  }
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(target.port);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    fail_call("connect");
  }
  state_ = State::connecting;
  reading_ = true;
  want_write_ = write_broken_ = finish_when_sent_ = false;
  out_ = opening();
  out_begin_ = 0;
  pending_.clear();
  slot_ = engine_.enter(*this);
  engine_.watch(*this, true);
}

void Link::send_frame(wire::Opcode opcode, wire::Bytes payload) {
  engine_.mask_ = engine_.mask_ * 1664525 + 1013904223;
  wire::append_masked_frame(out_, opcode, true, payload, engine_.mask_);
  mark_dirty();
}

void Link::send_raw(wire::Bytes bytes) {
  out_.append(bytes);
  mark_dirty();
}

void Link::mark_dirty() {
  if (dirty_ || want_write_ || state_ == State::connecting || fd_ < 0) return;
  dirty_ = true;
  engine_.dirty_.push_back(this);
}

void Link::flush() {
  if (fd_ < 0 || state_ == State::connecting) return;
  while (!write_broken_ && out_begin_ < out_.size()) {
    const ssize_t sent =
        send(fd_, out_.data() + out_begin_, out_.size() - out_begin_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      out_begin_ += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      write_broken_ = true;
    }
  }
  const bool all = write_broken_ || out_begin_ == out_.size();
  if (all) {
    out_.clear();
    out_begin_ = 0;
  } else if (out_begin_ > (1u << 20)) {
    out_.erase(0, out_begin_);
    out_begin_ = 0;
  }
  if (all && finish_when_sent_) {
    finish_when_sent_ = false;
    shutdown(fd_, SHUT_WR);
  }
  if (want_write_ == all) {
    want_write_ = !all;
    if (reading_) engine_.watch(*this, false);
  }
}

void Link::release_socket() {
  close(fd_);
  fd_ = -1;
  engine_.leave(slot_);
  state_ = State::ended;
}

void Link::reset() {
  if (fd_ < 0) return;
  flush();
  const linger abort{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  release_socket();
}

void Link::close_now() {
  if (fd_ < 0) return;
  flush();
  release_socket();
}

void Link::finish() {
  if (fd_ < 0) return;
  finish_when_sent_ = true;
  mark_dirty();
}

void Link::stop_reading() {
  reading_ = false;
  epoll_ctl(engine_.epoll_, EPOLL_CTL_DEL, fd_, nullptr);
}

void Link::resume_reading() {
  reading_ = true;
  engine_.watch(*this, true);
}

void Link::handle(std::uint32_t events) {
  if (state_ == State::connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) fail("connect: {}", std::strerror(error));
    state_ = State::upgrading;
    want_write_ = true;  // the engine still watches for it
  }
  if ((events & EPOLLOUT) != 0) flush();
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive();
}

void Link::receive() {
  char* const buffer = engine_.buffer_.data();
  const std::size_t kept = pending_.size();
  std::memcpy(buffer, pending_.data(), kept);
  const ssize_t size = recv(fd_, buffer + kept, kReceiveBytes, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    const int error = size < 0 ? errno : 0;
    release_socket();
    return on_end(error);
  }
  const wire::Bytes bytes(buffer, kept + static_cast<std::size_t>(size));
  const std::size_t taken = take(bytes);
  if (fd_ < 0) return;
  if (bytes.size() - taken > kFrameBytesMax) fail("the broker sends a frame above 1 MiB");
  pending_.assign(bytes.substr(taken));
}

std::size_t Link::take(wire::Bytes bytes) {
  std::size_t upgrade = 0;
  if (state_ == State::upgrading) {
    const auto result = wire::parse_upgrade_response(bytes, kKey, kSubprotocols);
    if (std::holds_alternative<wire::UpgradeIncomplete>(result)) return 0;
    if (const auto* refusal = std::get_if<wire::UpgradeRefusal>(&result)) {
      on_refused(refusal->status, refusal->body);
      return bytes.size();
    }
    upgrade = std::get<wire::UpgradeAccepted>(result).consumed;
    state_ = State::open;
    on_open();
  }
  return upgrade + take_frames(bytes.substr(upgrade));
}

std::size_t Link::take_frames(wire::Bytes bytes) {
  std::size_t at = 0;
  while (fd_ >= 0 && bytes.size() - at >= 2) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
    if ((byte(0) & 0xF0) != 0x80 || (byte(1) & 0x80) != 0) {
      fail("the broker's stream is broken: a frame begins with {:02x} {:02x}", byte(0), byte(1));
    }
    std::size_t length = byte(1);
    std::size_t header = 2;
    if (length >= 126) {
      header = length == 126 ? 4 : 10;
      if (bytes.size() - at < header) break;
      length = 0;
      for (std::size_t i = 2; i < header; ++i) length = length << 8 | byte(i);
      if (length > kFrameBytesMax) fail("the broker sends a frame of {} bytes", length);
    }
    if (bytes.size() - at < header + length) break;
    const auto opcode = static_cast<wire::Opcode>(byte(0) & 0x0F);
    const wire::Bytes payload = bytes.substr(at + header, length);
    at += header + length;
    on_frame(opcode, payload);
  }
  return at;
}

}  // namespace ringcast::stress
