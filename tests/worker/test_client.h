// A small blocking WAMP client for tests of real workers: one socket, one thread at a time. Speaks
// JSON to the test and its own serializer on the wire, so that a test reads the same for both.
//
// What must not happen throws std::runtime_error; a peer that is silent for a minute is an error
// too, so that nothing hangs.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "wire/decode.h"
#include "wire/frame_reader.h"

namespace ringcast::worker::test {

struct Incoming {
  enum class Kind : std::uint8_t { message, ping, pong, close, end };
  Kind kind = Kind::end;
  std::uint16_t code = 0;  // of a close frame
  std::string payload;
};

// An EVENT with its arguments as JSON.
struct ReceivedEvent {
  std::uint64_t subscription = 0;
  std::uint64_t publication = 0;
  std::string args;
  bool operator==(const ReceivedEvent&) const = default;
};

class TestClient {
 public:
  // Takes over a connected socket.
  TestClient(int fd, wire::Serializer serializer);
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void upgrade();
  std::uint64_t hello();  // the session id of the WELCOME

  // Requests without waiting for their answers; each returns its request id.
  std::uint64_t send_subscribe(std::string_view topic);
  std::uint64_t send_unsubscribe(std::uint64_t subscription);
  std::uint64_t send_publish(std::string_view topic, std::string_view json_args,
                             const wire::PublishOptions& options = {});
  void send_goodbye();

  // With their answers, which must be the very next message.
  std::uint64_t subscribe(std::string_view topic);
  void unsubscribe(std::uint64_t subscription);
  std::uint64_t publish(std::string_view topic, std::string_view json_args);

  ReceivedEvent event();

  // The next WAMP message; pings are answered on the way.
  const wire::Message& receive();
  template <typename T>
  const T& expect() {
    const wire::Message& message = receive();
    if (const T* wanted = std::get_if<T>(&message)) return *wanted;
    throw std::runtime_error("unexpected " + std::string(wire::message_name(type_of(message))));
  }
  // Everything up to the close frame, or the end, which is returned.
  Incoming read_to_close();
  Incoming read_incoming();
  std::string read_raw();  // until the end of the stream: an HTTP refusal

  void send_message(std::string_view bytes);
  void send_frame(wire::Opcode opcode, std::string_view payload);
  void send_raw(std::string_view bytes);
  void close_with(std::uint16_t code);
  void reset();        // RST
  void end_sending();  // FIN after what was sent
  void disconnect();   // FIN

  wire::Serializer serializer() const { return serializer_; }
  std::string to_json(std::string_view own) const;
  std::string from_json(std::string_view json) const;

 private:
  bool fill();  // false at the end of the stream

  int fd_;
  wire::Serializer serializer_;
  std::uint64_t last_request_ = 0;
  wire::FrameLimits limits_;
  wire::FrameStatePool pool_;
  wire::FrameReader reader_;
  wire::Decoder decoder_;
  std::string buffer_;
  std::string_view input_;  // of buffer_, not looked at yet
  std::string message_;
  wire::DecodeResult decoded_;
};

}  // namespace ringcast::worker::test
