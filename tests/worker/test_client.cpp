#include "tests/worker/test_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wire/encode.h"
#include "wire/http_upgrade.h"
#include "wire/transcode.h"
#include "wire/uri.h"

namespace ringcast::worker::test {
namespace {

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

}  // namespace

TestClient::TestClient(int fd, wire::Serializer serializer)
    : fd_(fd),
      serializer_(serializer),
      reader_(wire::Role::client, limits_, pool_),
      decoder_(serializer) {
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

TestClient::~TestClient() { disconnect(); }

void TestClient::disconnect() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void TestClient::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  disconnect();
}

void TestClient::end_sending() { shutdown(fd_, SHUT_WR); }

void TestClient::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail(std::string("send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void TestClient::send_frame(wire::Opcode opcode, std::string_view payload) {
  std::string out;
  wire::append_masked_frame(out, opcode, true, payload, 0x5A17C3E9u);
  send_raw(out);
}

void TestClient::send_message(std::string_view bytes) {
  send_frame(wire::frame_opcode(serializer_), bytes);
}

void TestClient::close_with(std::uint16_t code) {
  send_frame(wire::Opcode::close, wire::close_payload(code, {}));
}

bool TestClient::fill() {
  buffer_.resize(64 * 1024);
  for (;;) {
    const ssize_t size = recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) fail("nothing came from the worker for a minute");
    // A reset is an end as well.
    input_ = std::string_view(buffer_.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return size > 0;
  }
}

void TestClient::upgrade() {
  const std::vector<std::string> offered = {std::string(wire::subprotocol_name(serializer_))};
  send_raw(wire::encode_upgrade_request("127.0.0.1", "/ws", offered, kKey));
  std::string received;
  for (;;) {
    if (!fill()) fail("the connection ended during the upgrade");
    received += input_;
    const auto result = wire::parse_upgrade_response(received, kKey, offered);
    if (std::holds_alternative<wire::UpgradeIncomplete>(result)) continue;
    if (const auto* refusal = std::get_if<wire::UpgradeRefusal>(&result)) {
      fail("upgrade refused: " + std::to_string(refusal->status) + " " + refusal->body);
    }
    buffer_ = received.substr(std::get<wire::UpgradeAccepted>(result).consumed);
    input_ = buffer_;
    return;
  }
}

Incoming TestClient::read_incoming() {
  using Kind = wire::FrameEvent::Kind;
  for (;;) {
    const wire::FrameEvent event = reader_.read(input_);
    switch (event.kind) {
      case Kind::need_more:
        if (!fill()) return {};
        break;
      case Kind::text:
      case Kind::binary:
        if ((event.kind == Kind::text) != (serializer_ == wire::Serializer::json)) {
          fail("a message in the wrong kind of frame");
        }
        return {Incoming::Kind::message, 0, std::string(event.payload)};
      case Kind::ping:
        return {Incoming::Kind::ping, 0, std::string(event.payload)};
      case Kind::pong:
        return {Incoming::Kind::pong, 0, std::string(event.payload)};
      case Kind::close:
        return {Incoming::Kind::close, event.code, std::string(event.payload)};
      case Kind::violation:
        fail("the worker broke the framing: " + std::string(event.payload));
    }
  }
}

const wire::Message& TestClient::receive() {
  for (;;) {
    Incoming incoming = read_incoming();
    switch (incoming.kind) {
      case Incoming::Kind::message:
        message_ = std::move(incoming.payload);
        decoded_ = decoder_.decode(message_);
        if (const auto* broken = std::get_if<wire::Violation>(&decoded_)) fail(broken->message);
        return std::get<wire::Message>(decoded_);
      case Incoming::Kind::ping:
        send_frame(wire::Opcode::pong, incoming.payload);
        break;
      case Incoming::Kind::pong:
        break;
      case Incoming::Kind::close:
        fail("closed with " + std::to_string(incoming.code) + ": " + incoming.payload);
      case Incoming::Kind::end:
        fail("the connection ended");
    }
  }
}

Incoming TestClient::read_to_close() {
  for (;;) {
    Incoming incoming = read_incoming();
    if (incoming.kind == Incoming::Kind::close || incoming.kind == Incoming::Kind::end) {
      return incoming;
    }
  }
}

std::string TestClient::read_raw() {
  std::string all(input_);
  while (fill()) all += input_;
  return all;
}

std::string TestClient::to_json(std::string_view own) const {
  std::string out;
  if (!wire::transcode(serializer_, wire::Serializer::json, own, out)) fail("cannot transcode");
  return out;
}

std::string TestClient::from_json(std::string_view json) const {
  std::string out;
  if (!wire::transcode(wire::Serializer::json, serializer_, json, out)) fail("cannot transcode");
  return out;
}

std::uint64_t TestClient::hello() {
  std::string out;
  wire::append_hello(out, serializer_, "realm1", "test");
  send_message(out);
  last_request_ = 0;
  return expect<wire::Welcome>().session;
}

std::uint64_t TestClient::send_subscribe(std::string_view topic) {
  std::string out;
  wire::append_subscribe(out, serializer_, ++last_request_, topic);
  send_message(out);
  return last_request_;
}

std::uint64_t TestClient::send_unsubscribe(std::uint64_t subscription) {
  std::string out;
  wire::append_unsubscribe(out, serializer_, ++last_request_, subscription);
  send_message(out);
  return last_request_;
}

std::uint64_t TestClient::send_publish(std::string_view topic, std::string_view json_args,
                                       const wire::PublishOptions& options) {
  const std::string args = from_json(json_args);
  std::string out;
  wire::append_publish(out, serializer_, ++last_request_, options, topic,
                       {.args = args, .kwargs = {}});
  send_message(out);
  return last_request_;
}

void TestClient::send_goodbye() {
  std::string out;
  wire::append_goodbye(out, serializer_, wire::uri::kGoodbyeAndOut, {});
  send_message(out);
}

std::uint64_t TestClient::subscribe(std::string_view topic) {
  const std::uint64_t request = send_subscribe(topic);
  const auto& answer = expect<wire::Subscribed>();
  if (answer.request != request) fail("SUBSCRIBED for another request");
  return answer.subscription;
}

void TestClient::unsubscribe(std::uint64_t subscription) {
  const std::uint64_t request = send_unsubscribe(subscription);
  if (expect<wire::Unsubscribed>().request != request) fail("UNSUBSCRIBED for another request");
}

std::uint64_t TestClient::publish(std::string_view topic, std::string_view json_args) {
  const std::uint64_t request = send_publish(topic, json_args, {.acknowledge = true});
  const auto& answer = expect<wire::Published>();
  if (answer.request != request) fail("PUBLISHED for another request");
  return answer.publication;
}

ReceivedEvent TestClient::event() {
  const auto& event = expect<wire::Event>();
  return {event.subscription, event.publication,
          event.payload.args.empty() ? "[]" : to_json(event.payload.args)};
}

}  // namespace ringcast::worker::test
