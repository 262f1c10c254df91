#include "broker/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "broker/exit_code.h"

namespace ringcast::broker {
namespace {

constexpr int kBacklog = 4096;  // cut by net.core.somaxconn

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

struct HostPort {
  std::string host;
  std::string port;
};

bool is_port(const std::string& text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port <= 65535;
}

std::variant<HostPort, ListenError> split(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) {
    return ListenError{kExitUsage,
                       "--listen " + text + ": expected HOST:PORT, such as 127.0.0.1:8080"};
  }
  std::string host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return ListenError{kExitUsage,
                       "--listen " + text + ": write an IPv6 address as [ADDRESS]:PORT"};
  }
  // getaddrinfo takes a port modulo 65536.
  const std::string port = text.substr(colon + 1);
  if (!is_port(port)) {
    return ListenError{kExitUsage,
                       "--listen " + text + ": the port must be a number from 0 to 65535"};
  }
  return HostPort{host, port};
}

bool is_loopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

std::string numeric(const sockaddr* address, socklen_t size) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(address, size, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  const bool v6 = address->sa_family == AF_INET6;
  return (v6 ? "[" : "") + std::string(host) + (v6 ? "]:" : ":") + port;
}

ListenError listen_error(const std::string& text, const char* call) {
  const int error = errno;
  std::string remedy = "check the address";
  if (error == EADDRINUSE) {
    remedy =
        "another program listens there; stop it (ss -ltnp shows it) or choose another --listen";
  } else if (error == EACCES) {
    remedy = "ports below 1024 need CAP_NET_BIND_SERVICE; choose a higher port or grant it";
  } else if (error == EADDRNOTAVAIL) {
    remedy = "no interface of this machine has that address";
  } else if (error == EMFILE || error == ENFILE) {
    return {kExitDescriptors, "cannot listen on " + text +
                                  ": no file descriptor left; raise "
                                  "RLIMIT_NOFILE (ulimit -n)"};
  }
  return {kExitListen,
          "cannot listen on " + text + ": " + call + ": " + std::strerror(error) + "; " + remedy};
}

// What a socket inherits from its listener: no delay for small frames, and an end for data that
// nobody acknowledges (the time after which pings would give the connection up).
void set_inherited_options(int fd, const Config& config) {
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto timeout_ms =
      static_cast<unsigned>(config.worker.ping_interval_ms + config.worker.ping_timeout_ms);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

std::variant<Listener, ListenError> open_one(const addrinfo& address, const std::string& text,
                                             const Config& config) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return listen_error(text, "socket");
  set_inherited_options(fd, config);
  if (address.ai_family == AF_INET6) {
    const int only = 1;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  const char* failed = nullptr;
  if (bind(fd, address.ai_addr, address.ai_addrlen) != 0) failed = "bind";
  if (failed == nullptr && listen(fd, kBacklog) != 0) failed = "listen";
  if (failed != nullptr) {
    ListenError error = listen_error(text, failed);
    close(fd);
    return error;
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  return Listener{fd, numeric(reinterpret_cast<const sockaddr*>(&bound), size)};
}

std::variant<AddressList, ListenError> resolve(const std::string& text) {
  auto parts = split(text);
  if (auto* error = std::get_if<ListenError>(&parts)) return std::move(*error);
  const auto& [host, port] = std::get<HostPort>(parts);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* node = host.empty() || host == "*" ? nullptr : host.c_str();
  if (const int error = getaddrinfo(node, port.c_str(), &hints, &found); error != 0) {
    return ListenError{kExitUsage, "--listen " + text + ": " + gai_strerror(error) +
                                       "; give an address of this machine and a port number"};
  }
  return AddressList(found, &freeaddrinfo);
}

std::variant<std::vector<Listener>, ListenError> open_text(const std::string& text,
                                                           const Config& config) {
  auto resolved = resolve(text);
  if (auto* error = std::get_if<ListenError>(&resolved)) return std::move(*error);
  std::vector<Listener> opened;
  const addrinfo* address = std::get<AddressList>(resolved).get();
  for (; address != nullptr; address = address->ai_next) {
    if (!config.allow_anonymous && config.lets_anonymous_in() && !is_loopback(address->ai_addr)) {
      for (const Listener& listener : opened) close(listener.fd);
      return ListenError{kExitProtected,
                         "refusing to listen on " + text +
                             ": anonymous clients could connect from other machines; listen on "
                             "127.0.0.1, or say --allow-anonymous if that is meant"};
    }
    auto one = open_one(*address, text, config);
    if (auto* error = std::get_if<ListenError>(&one)) {
      for (const Listener& listener : opened) close(listener.fd);
      return std::move(*error);
    }
    opened.push_back(std::get<Listener>(std::move(one)));
  }
  return opened;
}

}  // namespace

std::variant<std::vector<Listener>, ListenError> open_listeners(const Config& config) {
  std::vector<Listener> all;
  for (const std::string& text : config.listen) {
    auto opened = open_text(text, config);
    if (auto* error = std::get_if<ListenError>(&opened)) {
      for (const Listener& listener : all) close(listener.fd);
      return std::move(*error);
    }
    for (Listener& listener : std::get<std::vector<Listener>>(opened)) {
      all.push_back(std::move(listener));
    }
  }
  return all;
}

}  // namespace ringcast::broker
