#include "wire/serializer.h"

#include <gtest/gtest.h>

#include "wire/message.h"

namespace ringcast::wire {
namespace {

TEST(Serializer, the_first_offer_that_is_supported_is_chosen) {
  EXPECT_EQ(choose_serializer({"wamp.2.json", "wamp.2.msgpack"}), Serializer::json);
  EXPECT_EQ(choose_serializer({"wamp.2.msgpack", "wamp.2.json"}), Serializer::msgpack);
  EXPECT_EQ(choose_serializer({"wamp.2.msgpack.batched", "wamp.2.cbor", "wamp.2.json"}),
            Serializer::json);
  EXPECT_EQ(choose_serializer({"wamp.2.cbor", "WAMP.2.JSON", ""}), std::nullopt);
  EXPECT_EQ(choose_serializer({}), std::nullopt);
}

TEST(Serializer, names_and_frames) {
  for (const Serializer serializer : {Serializer::json, Serializer::msgpack})
    EXPECT_EQ(serializer_for_subprotocol(subprotocol_name(serializer)), serializer);
  EXPECT_EQ(frame_opcode(Serializer::json), Opcode::text);
  EXPECT_EQ(frame_opcode(Serializer::msgpack), Opcode::binary);
}

TEST(MessageNames, are_the_specifications) {
  EXPECT_EQ(message_name(MessageType::hello), "HELLO");
  EXPECT_EQ(message_name(MessageType::register_), "REGISTER");
  EXPECT_EQ(message_name(MessageType::yield), "YIELD");
  EXPECT_EQ(message_name(static_cast<MessageType>(99)), "message");
}

}  // namespace
}  // namespace ringcast::wire
