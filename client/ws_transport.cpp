#include "client/ws_transport.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

#include "wire/frame_reader.h"
#include "wire/http_upgrade.h"

namespace ringcast::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kReceiveBytes = 64 * 1024;

// Unpredictable bytes, as RFC 6455 asks of masks and keys, drawn in bulk.
class RandomPool {
 public:
  std::uint32_t mask() {
    std::uint32_t value = 0;
    take(&value, sizeof value);
    return value;
  }

  std::string upgrade_key() {
    std::array<unsigned char, 16> nonce;
    take(nonce.data(), nonce.size());
    std::array<unsigned char, 25> text;
    const int size = EVP_EncodeBlock(text.data(), nonce.data(), static_cast<int>(nonce.size()));
    return {text.begin(), text.begin() + size};
  }

 private:
  void take(void* out, std::size_t size) {
    if (used_ + size > pool_.size()) {
      // Only a broken OpenSSL installation fails here; a mask of old bytes is still a mask.
      RAND_bytes(pool_.data(), static_cast<int>(pool_.size()));
      used_ = 0;
    }
    std::memcpy(out, pool_.data() + used_, size);
    used_ += size;
  }

  std::array<unsigned char, 1024> pool_{};
  std::size_t used_ = pool_.size();
};

std::string_view remedy_for_close(std::uint16_t code) {
  switch (code) {
    case 1001:
    case 1012:
      return "the broker is stopping or restarting; connect again in a moment";
    case 1003:
    case 1002:
    case 1007:
      return "client and broker do not understand each other; compare their versions";
    case 1008:
      return "the broker's policy ended the connection; its log says which rule";
    case 1009:
      return "send smaller messages, or raise the broker's message size limit";
    case 1013:
      return "the broker is overloaded; try again later";
    default:
      return "the broker's log has the details";
  }
}

}  // namespace

class WsTransport::Impl : public std::enable_shared_from_this<WsTransport::Impl> {
 public:
  Impl(asio::io_context& context, Options options, Handlers handlers)
      : options_(std::move(options)),
        handlers_(std::move(handlers)),
        resolver_(context),
        socket_(context),
        timer_(context),
        received_(kReceiveBytes, '\0'),
        reader_(wire::Role::client, limits_, pool_) {}

  void open() {
    state_ = State::opening;
    arm_timer(options_.open_timeout, "the connection and its upgrade took too long");
    resolver_.async_resolve(
        options_.url.host, options_.url.port,
        [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
          if (self->state_ != State::opening) return;
          if (error) {
            return self->finish(Failure{Failure::Kind::network,
                                        fmt::format("cannot find the host '{}': {}",
                                                    self->options_.url.host, error.message()),
                                        "check the host name in the URL"});
          }
          self->connect(found);
        });
  }

  void send(wire::Opcode opcode, wire::Bytes payload) {
    if (state_ != State::open) return;
    wire::append_masked_frame(queued_, opcode, true, payload, random_.mask());
    flush();
  }

  std::size_t queued_bytes() const { return queued_.size() + in_flight_.size(); }

  void close(std::uint16_t code, wire::Bytes reason) {
    if (state_ == State::opening) return finish(std::nullopt);
    if (state_ != State::open) return;
    send(wire::Opcode::close, wire::close_payload(code, reason));
    state_ = State::closing;
    arm_timer(options_.close_timeout, "");
  }

  // The owner is gone: nothing of it may be called any more.
  void abandon() {
    abandoned_ = true;
    finish(std::nullopt);
  }

 private:
  enum class State : std::uint8_t {
    idle,
    opening,  // up to the upgrade's answer
    open,
    closing,  // a close frame of ours is queued or sent; only the other side's end is awaited
    ended,
  };

  void connect(const tcp::resolver::results_type& found) {
    asio::async_connect(
        socket_, found, [self = shared_from_this()](error_code error, const tcp::endpoint&) {
          if (self->state_ != State::opening) return;
          if (error) {
            return self->finish(Failure{
                Failure::Kind::network,
                fmt::format("cannot connect to {}: {}", self->options_.url.authority(),
                            error.message()),
                "check that a broker listens there (start one with `ringcast`) and the --url"});
          }
          self->upgrade();
        });
  }

  void upgrade() {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    key_ = random_.upgrade_key();
    queued_ = wire::encode_upgrade_request(options_.url.authority(), options_.url.target,
                                           options_.subprotocols, key_);
    flush();
    receive();
  }

  // One write is in flight at a time; what is queued meanwhile goes out as one next write.
  void flush() {
    if (!in_flight_.empty() || queued_.empty()) return;
    in_flight_.swap(queued_);
    asio::async_write(socket_, asio::buffer(in_flight_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        self->in_flight_.clear();
                        // A failed write is reported by the read side, which may still hold the
                        // reason.
                        if (error || self->state_ == State::ended) return;
                        self->flush();
                        if (self->in_flight_.empty() && self->state_ == State::open &&
                            self->handlers_.on_drained) {
                          self->handlers_.on_drained();
                        }
                      });
  }

  void receive() {
    socket_.async_read_some(asio::buffer(received_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (self->state_ == State::ended) return;
                              if (error) return self->lost(error);
                              self->take(wire::Bytes(self->received_.data(), size));
                              if (self->state_ != State::ended) self->receive();
                            });
  }

  void lost(error_code error) {
    if (state_ == State::closing) return finish(closed_by_peer_);
    const std::string why =
        error == asio::error::eof ? "it was closed without a close frame" : error.message();
    finish(Failure{Failure::Kind::network,
                   fmt::format("the connection to {} was lost: {}", options_.url.authority(), why),
                   "check that the broker is still running and connect again"});
  }

  void take(wire::Bytes bytes) {
    if (closed_by_peer_)
      return;  // after both close frames only the end of the TCP connection counts
    if (state_ == State::opening) {
      response_.append(bytes);
      std::size_t consumed = 0;
      if (!take_response(consumed)) return;
      const std::string rest = response_.substr(consumed);
      response_.clear();
      return take_frames(rest);
    }
    take_frames(bytes);
  }

  bool take_response(std::size_t& consumed) {
    auto result = wire::parse_upgrade_response(response_, key_, options_.subprotocols);
    if (std::holds_alternative<wire::UpgradeIncomplete>(result)) return false;
    if (const auto* refusal = std::get_if<wire::UpgradeRefusal>(&result)) {
      std::string cause = refusal->status == 0
                              ? fmt::format("{} is not a WebSocket server: {}",
                                            options_.url.authority(), refusal->body)
                              : fmt::format("{}{} refused the WebSocket upgrade with HTTP {}: {}",
                                            options_.url.authority(), options_.url.target,
                                            refusal->status, refusal->body);
      while (!cause.empty() && (cause.back() == '\n' || cause.back() == ' ')) cause.pop_back();
      finish(Failure{Failure::Kind::refused, std::move(cause),
                     "check host, port and path of the --url"});
      return false;
    }
    auto& accepted = std::get<wire::UpgradeAccepted>(result);
    consumed = accepted.consumed;
    timer_.cancel();
    state_ = State::open;
    handlers_.on_open(accepted.subprotocol);
    return true;
  }

  void take_frames(wire::Bytes bytes) {
    using Kind = wire::FrameEvent::Kind;
    while (state_ != State::ended && !closed_by_peer_) {
      const wire::FrameEvent event = reader_.read(bytes);
      switch (event.kind) {
        case Kind::need_more:
          return;
        case Kind::text:
        case Kind::binary:
          if (state_ != State::open) break;
          handlers_.on_message(event.kind == Kind::text ? wire::Opcode::text : wire::Opcode::binary,
                               event.payload);
          break;
        case Kind::ping:
          send(wire::Opcode::pong, event.payload);
          break;
        case Kind::pong:
          break;
        case Kind::close:
          return closed_by_peer(event);
        case Kind::violation:
          send(wire::Opcode::close, wire::close_payload(event.code, event.payload));
          return finish(Failure{Failure::Kind::protocol,
                                fmt::format("{} broke the WebSocket protocol: {}",
                                            options_.url.authority(), event.payload),
                                "check that the URL names a WAMP broker"});
      }
    }
  }

  void closed_by_peer(const wire::FrameEvent& event) {
    if (state_ == State::closing) return finish(closed_by_peer_);
    Failure failure{Failure::Kind::closed,
                    fmt::format("the broker closed the connection with code {}{}{}", event.code,
                                event.payload.empty() ? "" : ": ", event.payload),
                    std::string(remedy_for_close(event.code))};
    // 1005 means that the peer's frame carried no code; it must not be sent (RFC 6455, 7.4.1).
    send(wire::Opcode::close,
         event.code == 1005 ? std::string() : wire::close_payload(event.code, {}));
    state_ = State::closing;
    closed_by_peer_ = std::move(failure);
    arm_timer(options_.close_timeout, "");
  }

  void arm_timer(std::chrono::milliseconds after, const char* cause) {
    timer_.expires_after(after);
    timer_.async_wait([self = shared_from_this(), cause, after](error_code error) {
      if (error || self->state_ == State::ended || self->state_ == State::open) return;
      if (self->state_ == State::closing) return self->finish(self->closed_by_peer_);
      self->finish(Failure{
          Failure::Kind::timeout,
          fmt::format("no connection to {} within {} s: {}", self->options_.url.authority(),
                      std::chrono::duration<double>(after).count(), cause),
          "check that the URL names a WAMP broker and that nothing in between drops packets"});
    });
  }

  void finish(const std::optional<Failure>& failure) {
    if (state_ == State::ended) return;
    state_ = State::ended;
    error_code ignored;
    resolver_.cancel();
    timer_.cancel();
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    if (!abandoned_) handlers_.on_closed(failure);
  }

  const Options options_;
  const Handlers handlers_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  RandomPool random_;
  std::string key_;
  std::string response_;   // the upgrade's answer as far as it came
  std::string received_;   // what the read in flight writes to
  std::string queued_;     // waits for the write in flight
  std::string in_flight_;  // empty exactly while no write is in flight
  wire::FrameLimits limits_;
  wire::FrameStatePool pool_{1};
  wire::FrameReader reader_;
  std::optional<Failure> closed_by_peer_;  // set once the peer's close frame came before ours
  State state_ = State::idle;
  bool abandoned_ = false;
};

WsTransport::WsTransport(asio::io_context& context, Options options, Handlers handlers)
    : impl_(std::make_shared<Impl>(context, std::move(options), std::move(handlers))) {}

WsTransport::~WsTransport() { impl_->abandon(); }

void WsTransport::open() { impl_->open(); }

void WsTransport::send(wire::Opcode opcode, wire::Bytes payload) { impl_->send(opcode, payload); }

std::size_t WsTransport::queued_bytes() const { return impl_->queued_bytes(); }

void WsTransport::close(std::uint16_t code, wire::Bytes reason) { impl_->close(code, reason); }

}  // namespace ringcast::client
