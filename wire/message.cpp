#include "wire/message.h"

#include <type_traits>

namespace ringcast::wire {
namespace {

constexpr MessageShape kShapes[] = {
    {MessageType::hello, "HELLO", 3, 3},
    {MessageType::welcome, "WELCOME", 3, 3},
    {MessageType::abort, "ABORT", 3, 5},
    {MessageType::challenge, "CHALLENGE", 3, 3},
    {MessageType::authenticate, "AUTHENTICATE", 3, 3},
    {MessageType::goodbye, "GOODBYE", 3, 3},
    {MessageType::error, "ERROR", 5, 7},
    {MessageType::publish, "PUBLISH", 4, 6},
    {MessageType::published, "PUBLISHED", 3, 3},
    {MessageType::subscribe, "SUBSCRIBE", 4, 4},
    {MessageType::subscribed, "SUBSCRIBED", 3, 3},
    {MessageType::unsubscribe, "UNSUBSCRIBE", 3, 3},
    {MessageType::unsubscribed, "UNSUBSCRIBED", 2, 3},
    {MessageType::event, "EVENT", 4, 6},
    {MessageType::call, "CALL", 4, 6},
    {MessageType::cancel, "CANCEL", 3, 3},
    {MessageType::result, "RESULT", 3, 5},
    {MessageType::register_, "REGISTER", 4, 4},
    {MessageType::registered, "REGISTERED", 3, 3},
    {MessageType::unregister, "UNREGISTER", 3, 3},
    {MessageType::unregistered, "UNREGISTERED", 2, 3},
    {MessageType::invocation, "INVOCATION", 4, 6},
    {MessageType::interrupt, "INTERRUPT", 3, 3},
    {MessageType::yield, "YIELD", 3, 5},
};

constexpr bool shapes_follow_the_variant() {
  constexpr std::size_t kCount = sizeof(kShapes) / sizeof(kShapes[0]);
  return kCount == std::variant_size_v<Message>;
}
static_assert(shapes_follow_the_variant(), "kShapes lists the alternatives of Message in order");
static_assert(kShapes[Message(Publish{}).index()].type == MessageType::publish);
static_assert(kShapes[Message(Event{}).index()].type == MessageType::event);
static_assert(kShapes[Message(Yield{}).index()].type == MessageType::yield);

}  // namespace

const MessageShape* message_shape(std::uint64_t code) {
  for (const MessageShape& shape : kShapes) {
    if (static_cast<std::uint64_t>(shape.type) == code) return &shape;
  }
  return nullptr;
}

Bytes message_name(MessageType type) {
  const MessageShape* const shape = message_shape(static_cast<std::uint64_t>(type));
  return shape == nullptr ? Bytes("message") : shape->name;
}

MessageType type_of(const Message& message) { return kShapes[message.index()].type; }

}  // namespace ringcast::wire
