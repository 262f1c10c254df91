// WAMP v2 messages as values (WAMP specification, "Messages"). What came from the wire is held as
// views: strings and raw serialized slices point into the decoded bytes or into the Decoder, and
// are valid until the next decode() on it or until the input goes, whichever is first.
#pragma once

#include <cstdint>
#include <variant>

#include "wire/bytes.h"
#include "wire/options.h"
#include "wire/serializer.h"

namespace ringcast::wire {

enum class MessageType : std::uint8_t {
  hello = 1,
  welcome = 2,
  abort = 3,
  challenge = 4,
  authenticate = 5,
  goodbye = 6,
  error = 8,
  publish = 16,
  published = 17,
  subscribe = 32,
  subscribed = 33,
  unsubscribe = 34,
  unsubscribed = 35,
  event = 36,
  call = 48,
  cancel = 49,
  result = 50,
  register_ = 64,
  registered = 65,
  unregister = 66,
  unregistered = 67,
  invocation = 68,
  interrupt = 69,
  yield = 70,
};

// "PUBLISH", for error texts.
Bytes message_name(MessageType type);

// How many elements a message has, its code being the first.
struct MessageShape {
  MessageType type;
  Bytes name;
  unsigned elements_min;
  unsigned elements_max;
};
// nullptr if no message has this code.
const MessageShape* message_shape(std::uint64_t code);

inline constexpr std::uint64_t kIdMax = std::uint64_t{1} << 53;

// Arguments and ArgumentsKw, still serialized and checked to be a well-formed list and dict within
// the limits; empty means absent (an empty list or dict is decoded as absent, as it is not sent
// on). They can be passed through to a session with the same serializer.
struct Payload {
  Bytes args;
  Bytes kwargs;
};

// Each message keeps `details` or `options` as the serialized dict too, for what is not decoded.
struct Hello {
  Bytes realm;
  HelloDetails details;
  Bytes raw_details;
};
struct Welcome {
  std::uint64_t session = 0;
  Bytes raw_details;
};
struct Abort {
  Bytes message;  // Details.message, empty: absent
  Bytes reason;
  Payload payload;
  Bytes raw_details;
};
struct Challenge {
  Bytes method;
  Bytes raw_extra;
};
struct Authenticate {
  Bytes signature;
  Bytes raw_extra;
};
struct Goodbye {
  Bytes reason;
  Bytes raw_details;
};
struct Error {
  // Any integer: whether it may be answered is the session's decision.
  std::uint64_t request_type = 0;
  std::uint64_t request = 0;
  ErrorDetails details;
  Bytes error;
  Payload payload;
  Bytes raw_details;
};
struct Publish {
  // Not the compiler's, which is made to clear all of it before it initialises the members: that
  // costs 10 ns of the 50 that decoding one takes, and most have none of the rarer options.
  constexpr Publish() noexcept {}  // NOLINT(modernize-use-equals-default)

  std::uint64_t request = 0;
  PublishOptions options;
  Bytes topic;
  Payload payload;
  Bytes raw_options;
};
struct Published {
  std::uint64_t request = 0;
  std::uint64_t publication = 0;
};
struct Subscribe {
  std::uint64_t request = 0;
  SubscribeOptions options;
  Bytes topic;
  Bytes raw_options;
};
struct Subscribed {
  std::uint64_t request = 0;
  std::uint64_t subscription = 0;
};
struct Unsubscribe {
  std::uint64_t request = 0;
  std::uint64_t subscription = 0;
};
// Request 0: the router took the subscription away ("Subscription Revocation").
struct Unsubscribed {
  std::uint64_t request = 0;
  std::uint64_t subscription = 0;  // revoked; 0: none
  Bytes reason;                    // of the revocation, empty: absent
  Bytes raw_details;               // empty: absent
};
struct Event {
  std::uint64_t subscription = 0;
  std::uint64_t publication = 0;
  EventDetails details;
  Payload payload;
  Bytes raw_details;
};
struct Call {
  std::uint64_t request = 0;
  CallOptions options;
  Bytes procedure;
  Payload payload;
  Bytes raw_options;
};
struct Cancel {
  std::uint64_t request = 0;
  CancelOptions options;
  Bytes raw_options;
};
struct Result {
  std::uint64_t request = 0;
  ResultDetails details;
  Payload payload;
  Bytes raw_details;
};
struct Register {
  std::uint64_t request = 0;
  RegisterOptions options;
  Bytes procedure;
  Bytes raw_options;
};
struct Registered {
  std::uint64_t request = 0;
  std::uint64_t registration = 0;
};
struct Unregister {
  std::uint64_t request = 0;
  std::uint64_t registration = 0;
};
// Request 0: the router took the registration away ("Registration Revocation").
struct Unregistered {
  std::uint64_t request = 0;
  std::uint64_t registration = 0;  // revoked; 0: none
  Bytes reason;                    // of the revocation, empty: absent
  Bytes raw_details;               // empty: absent
};
struct Invocation {
  std::uint64_t request = 0;
  std::uint64_t registration = 0;
  InvocationDetails details;
  Payload payload;
  Bytes raw_details;
};
struct Interrupt {
  std::uint64_t request = 0;
  InterruptOptions options;
  Bytes raw_options;
};
struct Yield {
  std::uint64_t request = 0;
  YieldOptions options;
  Payload payload;
  Bytes raw_options;
};

using Message =
    std::variant<Hello, Welcome, Abort, Challenge, Authenticate, Goodbye, Error, Publish, Published,
                 Subscribe, Subscribed, Unsubscribe, Unsubscribed, Event, Call, Cancel, Result,
                 Register, Registered, Unregister, Unregistered, Invocation, Interrupt, Yield>;

MessageType type_of(const Message& message);

}  // namespace ringcast::wire
