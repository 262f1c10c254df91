#include "tests/client/ws_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

namespace ringcast::test {

void WsServer::Peer::close(std::uint16_t code, wire::Bytes reason) {
  send(wire::Opcode::close, wire::close_payload(code, reason));
  closing = true;
}

WsServer::WsServer(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  stop_event_ = ::eventfd(0, EFD_CLOEXEC);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 256) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

WsServer::~WsServer() {
  const std::uint64_t one = 1;
  if (::write(stop_event_, &one, sizeof one) != sizeof one) std::terminate();
  thread_.join();
  for (auto& [number, peer] : peers_) ::close(peer->fd);
  ::close(listener_);
  ::close(stop_event_);
}

std::string WsServer::url(const std::string& path) const {
  return "ws://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<WsServer::Peer*> WsServer::peers() {
  std::vector<Peer*> all;
  for (auto& [number, peer] : peers_) {
    if (peer->upgraded && !peer->closing) all.push_back(peer.get());
  }
  return all;
}

void WsServer::run() {
  for (;;) {
    std::vector<pollfd> fds{{stop_event_, POLLIN, 0}, {listener_, POLLIN, 0}};
    std::vector<Peer*> polled;
    for (auto& [number, peer] : peers_) {
      const short events = static_cast<short>(peer->out.empty() ? POLLIN : POLLIN | POLLOUT);
      fds.push_back({peer->fd, events, 0});
      polled.push_back(peer.get());
    }
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0) accept();
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if ((fds[i + 2].revents & ~POLLOUT) != 0) read(*polled[i]);
    }
    for (auto& [number, peer] : peers_) write(*peer);
    for (auto at = peers_.begin(); at != peers_.end();) {
      Peer& peer = *at->second;
      const bool done = peer.fd >= 0 && peer.closing && peer.out.empty();
      if (done) {
        ::close(peer.fd);
        peer.fd = -1;
        if (script_.on_gone) script_.on_gone(peer);
      }
      at = peer.fd < 0 ? peers_.erase(at) : std::next(at);
    }
  }
}

void WsServer::accept() {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  const int fd = ::accept4(listener_, reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto peer = std::make_unique<Peer>();
  char text[INET_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  peer->address = text;
  peer->fd = fd;
  peer->number = accepted_++;
  peer->reader = std::make_unique<wire::FrameReader>(wire::Role::server, limits_, pool_);
  peers_.emplace(peer->number, std::move(peer));
}

void WsServer::read(Peer& peer) {
  char bytes[65536];
  const ssize_t size = ::recv(peer.fd, bytes, sizeof bytes, 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    peer.closing = true;
    peer.out.clear();
    return;
  }
  if (peer.closing) return;
  peer.in.append(bytes, static_cast<std::size_t>(size));
  if (!peer.upgraded) take_upgrade(peer);
  if (peer.upgraded) take_frames(peer);
}

void WsServer::take_upgrade(Peer& peer) {
  auto result = wire::parse_upgrade_request(peer.in);
  if (std::holds_alternative<wire::UpgradeIncomplete>(result)) return;
  if (script_.refuse_status != 0) {
    peer.out += wire::encode_refusal({script_.refuse_status, "full: come back later", ""});
    peer.closing = true;
    return;
  }
  peer.request = std::get<wire::UpgradeRequest>(result);
  peer.in.erase(0, peer.request.consumed);
  peer.out += wire::encode_upgrade_response(
      peer.request.key, script_.subprotocol ? script_.subprotocol(peer.request) : "");
  peer.upgraded = true;
  if (script_.on_open) script_.on_open(*this, peer);
}

void WsServer::take_frames(Peer& peer) {
  using Kind = wire::FrameEvent::Kind;
  const std::string in = std::exchange(peer.in, {});
  wire::Bytes rest = in;
  while (!peer.closing) {
    const wire::FrameEvent event = peer.reader->read(rest);
    if (event.kind == Kind::need_more) return;
    if (event.kind == Kind::text || event.kind == Kind::binary) {
      const std::string payload(event.payload);
      script_.on_message(*this, peer,
                         event.kind == Kind::text ? wire::Opcode::text : wire::Opcode::binary,
                         payload);
    } else if (event.kind == Kind::ping) {
      peer.send(wire::Opcode::pong, event.payload);
    } else if (event.kind == Kind::pong) {
      if (script_.on_pong) script_.on_pong(peer);
    } else if (event.kind == Kind::close) {
      peer.close(event.code == 1005 ? 1000 : event.code, "");
    } else if (event.kind == Kind::violation) {
      peer.close(event.code, event.payload);
    }
  }
}

void WsServer::write(Peer& peer) {
  if (peer.out.empty()) return;
  const ssize_t size = ::send(peer.fd, peer.out.data(), peer.out.size(), MSG_NOSIGNAL);
  if (size > 0) {
    peer.out.erase(0, static_cast<std::size_t>(size));
  } else if (errno != EAGAIN && errno != EINTR) {
    peer.closing = true;
    peer.out.clear();
  }
}

}  // namespace ringcast::test
