// A WAMP session in MessagePack on a Link: what it sends, and what the broker says, message by
// message. It checks the form of what comes; what it means is for the check that derives from it.
// Same thread as its Engine.
#pragma once

#include <cstdint>
#include <string>

#include "tests/stress/engine.h"
#include "tests/stress/note.h"
#include "wire/decode.h"
#include "wire/encode.h"
#include "wire/message.h"

namespace ringcast::stress {

class Session : public Link {
 public:
  // Requests are numbered from `first_request` on.
  Session(Engine& engine, std::uint64_t first_request)
      : Link(engine), next_request_(first_request) {}

  static constexpr auto kSerializer = wire::Serializer::msgpack;

  void hello(const wire::HelloDetails& details = {.publisher = {.announced = true},
                                                  .subscriber = {.announced = true}});
  void goodbye();
  void close_frame();
  std::uint64_t subscribe(wire::Bytes topic);  // returns the request
  std::uint64_t unsubscribe(std::uint64_t subscription);
  std::uint64_t publish(wire::Bytes topic, const Note& note, bool acknowledge,
                        std::size_t size = sizeof(Note));

  std::uint64_t next_request() const { return next_request_; }
  // Another session begins on the same link.
  void number_from(std::uint64_t first_request) { next_request_ = first_request; }

  // Frames of every session together that have been taken in and found to belong where they came.
  static std::uint64_t frames_checked() { return frames_checked_; }

 protected:
  // The link itself says hello as soon as it is open, unless overridden.
  void on_open() override { hello(); }

  virtual void on_welcome(std::uint64_t session) = 0;
  virtual void on_event(std::uint64_t subscription, std::uint64_t publication,
                        const Note& note) = 0;
  virtual void on_subscribed(std::uint64_t request, std::uint64_t subscription) = 0;
  virtual void on_unsubscribed(std::uint64_t request);
  virtual void on_published(std::uint64_t request, std::uint64_t publication);
  virtual void on_goodbye(wire::Bytes reason);
  virtual void on_close(std::uint16_t code, wire::Bytes reason);
  // ERROR, ABORT and whatever else; these checks do nothing that earns one.
  virtual void on_other(const wire::Message& message);

  // What the writers of wire/encode.h have appended to `scratch_`, as one message.
  void send_message();
  std::uint64_t take_request() { return next_request_++; }
  static std::string scratch_;

 private:
  void on_frame(wire::Opcode opcode, wire::Bytes payload) final;
  void on_message(wire::Bytes bytes);
  bool take_event(wire::Bytes bytes);
  void dispatch(const wire::Message& message);

  std::uint64_t next_request_;
  bool broker_closed_ = false;  // its close frame has come: nothing may follow
  static inline std::uint64_t frames_checked_ = 0;
};

}  // namespace ringcast::stress
