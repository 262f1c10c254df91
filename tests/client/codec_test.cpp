#include "client/bench/codec.h"

#include <gtest/gtest.h>

#include <string>

#include "client/bench/frame_scan.h"
#include "client/bench/send_buffer.h"
#include "wire/encode.h"
#include "wire/frame_reader.h"

namespace ringcast::bench {
namespace {

std::string event(wire::Serializer serializer, std::uint64_t subscription,
                  std::uint64_t publication, const std::string& args) {
  const wire::Payload payload{args, {}};
  std::string out(wire::event_size(serializer, subscription, publication, payload), '\0');
  wire::write_event(out.data(), serializer, subscription, publication, payload);
  return out;
}

std::string bin_args(const std::string& payload) {
  std::string args = "\x91\xC5";
  args += static_cast<char>(payload.size() >> 8);
  args += static_cast<char>(payload.size() & 0xFF);
  return args + payload;
}

TEST(Codec, ReadsEventsOfEveryIdSize) {
  Codec msgpack(Protocol::msgpack);
  Codec json(Protocol::json);
  const std::string payload(300, 'q');
  for (const std::uint64_t id : {1ull, 200ull, 70'000ull, 5'000'000'000ull}) {
    const std::string binary_event =
        event(wire::Serializer::msgpack, id, wire::kIdMax - 1, bin_args(payload));
    const auto binary = msgpack.parse_event(binary_event);
    ASSERT_TRUE(binary);
    EXPECT_EQ(binary->subscription, id);
    EXPECT_EQ(binary->payload, payload);
    const std::string text_event = event(wire::Serializer::json, id, 17, "[\"" + payload + "\"]");
    const auto text = json.parse_event(text_event);
    ASSERT_TRUE(text);
    EXPECT_EQ(text->subscription, id);
    EXPECT_EQ(text->payload, payload);
  }
}

TEST(Codec, ReadsEventsOfOtherRouters) {
  Codec json(Protocol::json);
  const std::string spaced = R"([36, 7, 8, {"topic": "a"}, ["abc"]])";
  const auto text = json.parse_event(spaced);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->subscription, 7u);
  EXPECT_EQ(text->payload, "abc");
  Codec msgpack(Protocol::msgpack);
  using namespace std::string_literals;
  const std::string with_details = "\x95\x24\x07\x08\x81\xA1z\x01\x91\xC4\x03"s + "abc";
  const auto binary = msgpack.parse_event(with_details);
  ASSERT_TRUE(binary);
  EXPECT_EQ(binary->payload, "abc");
}

TEST(Codec, TakesNothingElseForAnEvent) {
  Codec json(Protocol::json);
  EXPECT_FALSE(json.parse_event(R"([17,1,2])"));
  EXPECT_FALSE(json.parse_event("36"));
  const auto no_string = json.parse_event("[36,1,2,{},[5]]");
  ASSERT_TRUE(no_string);
  EXPECT_TRUE(no_string->payload.empty());
}

TEST(Codec, TellsAFarewellFromWhatNobodyAskedFor) {
  Codec codec(Protocol::json);
  EXPECT_EQ(codec.judge_other("[6,{},\"wamp.close.goodbye_and_out\"]"), Codec::Other::farewell);
  EXPECT_EQ(codec.judge_other("[3,{},\"wamp.error.not_authorized\"]"), Codec::Other::farewell);
  EXPECT_EQ(codec.judge_other("[33,1,2]"), Codec::Other::unasked);
  EXPECT_EQ(codec.judge_other("[36,1,"), Codec::Other::unreadable);
}

TEST(Codec, PublishesWhatARouterDecodes) {
  for (const Protocol protocol : {Protocol::msgpack, Protocol::json}) {
    const auto serializer =
        protocol == Protocol::json ? wire::Serializer::json : wire::Serializer::msgpack;
    for (const std::size_t size : {64u, 130u, 300u, 70'000u}) {
      const Codec codec(protocol);
      const std::string topic = "bench.topic.with.a.name.that.is.longer";
      const auto publication = codec.publication(topic, size);
      const std::string padding(size, 'p');
      SendBuffer out;
      Stamp stamp;
      stamp.sequence = 99;
      codec.append_publish(out, publication, 300, padding, stamp, 0xA1B2C3D4);
      codec.append_publish(out, publication, 301, padding, stamp, 0x01020304);

      wire::FrameLimits limits;
      wire::FrameStatePool pool;
      wire::FrameReader reader(wire::Role::server, limits, pool);
      wire::Decoder decoder(serializer);
      wire::Bytes rest = out.pending();
      for (const std::uint64_t request : {300u, 301u}) {
        const wire::FrameEvent frame = reader.read(rest);
        ASSERT_EQ(frame.kind, protocol == Protocol::json ? wire::FrameEvent::Kind::text
                                                         : wire::FrameEvent::Kind::binary);
        const auto result = decoder.decode(frame.payload);
        const auto* message = std::get_if<wire::Message>(&result);
        ASSERT_NE(message, nullptr) << std::get<wire::Violation>(result).message;
        const auto& publish = std::get<wire::Publish>(*message);
        EXPECT_EQ(publish.request, request);
        EXPECT_EQ(publish.topic, topic);
        EXPECT_FALSE(publish.options.acknowledge);
        Codec receiver(protocol);
        const std::string back = event(serializer, 1, 2, std::string(publish.payload.args));
        const auto received = receiver.parse_event(back);
        ASSERT_TRUE(received);
        Stamp read;
        EXPECT_TRUE(read_stamp(received->payload, stamp_form(protocol), read));
        EXPECT_EQ(read.sequence, 99u);
        EXPECT_EQ(received->payload.size(), size);
      }
      EXPECT_TRUE(rest.empty());
    }
  }
}

struct Scanned {
  std::vector<std::string> messages;
  FrameScan::Result last;
};

// Feeds `bytes` in pieces, keeping what a scan leaves, as a connection does.
Scanned scan_in_pieces(const std::string& bytes, std::size_t piece) {
  FrameScan scan;
  Scanned scanned;
  std::string carried;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    carried += bytes.substr(at, piece);
    scanned.last =
        scan.scan(carried.data(), carried.size(), [&](wire::Opcode, wire::Bytes payload) {
          scanned.messages.emplace_back(payload);
          return true;
        });
    carried.erase(0, scanned.last.consumed);
  }
  return scanned;
}

TEST(FrameScan, FindsTheSameMessagesWhereverTheBytesAreCut) {
  std::string bytes;
  std::vector<std::string> expected;
  for (const std::size_t size : {0u, 1u, 125u, 126u, 300u, 66'000u}) {
    expected.emplace_back(size, static_cast<char>('a' + size % 26));
    wire::append_frame(bytes, wire::Opcode::binary, expected.back());
  }
  for (const std::size_t piece : {1u, 2u, 3u, 11u, 1000u, 1u << 20}) {
    EXPECT_EQ(scan_in_pieces(bytes, piece).messages, expected) << piece;
  }
}

TEST(FrameScan, JoinsFragmentsAroundAControlFrame) {
  const std::string bytes = std::string(
      "\x02\x03"
      "abc"
      "\x89\x01"
      "!"
      "\x00\x01"
      "d"
      "\x80\x01"
      "e",
      14);
  EXPECT_EQ(scan_in_pieces(bytes, 4).messages, (std::vector<std::string>{"!", "abcde"}));
}

TEST(FrameScan, RefusesWhatNoServerMaySend) {
  const std::string fragment("\x02\x01x", 3);
  for (const std::string& bytes : {
           std::string("\x82\x81kkkkx", 7),  // masked
           std::string("\xC2\x01x", 3),      // RSV1
           std::string("\x83\x01x", 3),      // a data opcode that does not exist
           std::string("\x8B\x01x", 3),      // a control opcode that does not
           std::string("\x80\x01x", 3),      // continues nothing
           std::string("\x09\x01x", 3),      // a ping in fragments
           "\x89\x7E" + std::string("\0\x7E", 2) + std::string(126, 'x'),  // a long ping
           fragment + std::string("\x82\x01x", 3),  // a message within another
           fragment + fragment,
       }) {
    EXPECT_NE(scan_in_pieces(bytes, bytes.size()).last.violation, nullptr) << bytes;
  }
}

}  // namespace
}  // namespace ringcast::bench
