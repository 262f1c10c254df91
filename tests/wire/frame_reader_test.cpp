// The rules of RFC 6455 for whoever receives, and the reader's own limits, one test each.
#include "wire/frame_reader.h"

#include "tests/wire/frame_stream.h"

namespace ringcast::wire::test {
namespace {

const std::string kPingAfter = frame(Opcode::ping, "after");

TEST(FrameReader, ReadsTextAndBinaryMessages) {
  expect_events(frame(Opcode::text, "hello") + frame(Opcode::binary, bytes({0, 255, 128})),
                {text("hello"), binary(bytes({0, 255, 128}))});
}

TEST(FrameReader, ReadsEmptyMessages) {
  expect_events(frame(Opcode::text, "") + frame(Opcode::binary, "") + kPingAfter,
                {text(""), binary(""), ping("after")});
}

TEST(FrameReader, ServerRefusesAFrameWithoutMask) {
  expect_events(bytes({0x81, 0x01, 'a'}), {broken(1002, "a frame from a client must be masked")});
  expect_events(bytes({0x89, 0x00}), {broken(1002, "a frame from a client must be masked")});
}

TEST(FrameReader, ClientRefusesAMaskedFrame) {
  expect_events(frame(Opcode::text, "a"),
                {broken(1002, "a frame from a server must not be masked")}, Role::client);
}

TEST(FrameReader, ClientReadsUnmaskedFrames) {
  expect_events(bytes({0x81, 0x01, 'a', 0x02, 0x01, 'b', 0x89, 0x00, 0x80, 0x01, 'c'}),
                {text("a"), ping(""), binary("bc")}, Role::client);
}

TEST(FrameReader, RefusesEachReservedBit) {
  for (const unsigned rsv : {0x40u, 0x20u, 0x10u, 0x70u}) {
    for (const unsigned opcode : {0x1u, 0x2u, 0x8u, 0x9u, 0xAu}) {
      expect_events(raw_frame(0x80 | rsv | opcode, bytes({0}), ""),
                    {broken(1002, "reserved bits are set, but no extension was negotiated")});
    }
  }
}

TEST(FrameReader, RefusesEachReservedOpcodeByName) {
  for (const unsigned opcode : {0x3u, 0x4u, 0x5u, 0x6u, 0x7u, 0xBu, 0xCu, 0xDu, 0xEu, 0xFu}) {
    const std::string digit(1, "0123456789ABCDEF"[opcode]);
    expect_events(raw_frame(0x80 | opcode, bytes({0}), ""),
                  {broken(1002, "opcode 0x" + digit + " is reserved")});
  }
}

TEST(FrameReader, RefusesAControlFrameOfMoreThan125Bytes) {
  for (const unsigned opcode : {0x8u, 0x9u, 0xAu}) {
    expect_events(raw_frame(0x80 | opcode, bytes({126, 0, 126}), std::string(126, 'x')),
                  {broken(1002, "a control frame has more than 125 bytes of payload")});
    expect_events(raw_frame(0x80 | opcode, bytes({127, 0, 0, 0, 0, 0, 1, 0, 0}), ""),
                  {broken(1002, "a control frame has more than 125 bytes of payload")});
  }
}

TEST(FrameReader, ReadsAControlFrameOf125Bytes) {
  const std::string payload(125, 'x');
  expect_events(frame(Opcode::ping, payload) + frame(Opcode::pong, payload),
                {ping(payload), pong(payload)});
}

TEST(FrameReader, RefusesAFragmentedControlFrame) {
  for (const Opcode opcode : {Opcode::close, Opcode::ping, Opcode::pong})
    expect_events(part(opcode, ""), {broken(1002, "a control frame must not be fragmented")});
}

TEST(FrameReader, JoinsFragments) {
  expect_events(part(Opcode::text, "one ") + part(Opcode::continuation, "") +
                    part(Opcode::continuation, "two ") + frame(Opcode::continuation, "three"),
                {text("one two three")});
  expect_events(part(Opcode::binary, "") + frame(Opcode::continuation, "") + kPingAfter,
                {binary(""), ping("after")});
}

TEST(FrameReader, ReadsControlFramesBetweenFragments) {
  expect_events(part(Opcode::text, "a") + frame(Opcode::ping, "p") +
                    part(Opcode::continuation, "b") + frame(Opcode::pong, "q") +
                    frame(Opcode::continuation, "c") + kPingAfter,
                {ping("p"), pong("q"), text("abc"), ping("after")});
}

TEST(FrameReader, ReadsACloseFrameBetweenFragments) {
  expect_events(part(Opcode::text, "a") + frame(Opcode::close, close_payload(1001, "bye")),
                {closed(1001, "bye")});
}

TEST(FrameReader, RefusesAContinuationWithoutStart) {
  const auto why = broken(1002, "a continuation frame without a message to continue");
  expect_events(frame(Opcode::continuation, "a"), {why});
  expect_events(part(Opcode::continuation, "a"), {why});
  expect_events(frame(Opcode::text, "a") + frame(Opcode::continuation, "b"), {text("a"), why});
  expect_events(
      part(Opcode::text, "a") + frame(Opcode::continuation, "b") + frame(Opcode::continuation, "c"),
      {text("ab"), why});
}

TEST(FrameReader, RefusesANewMessageInsideAFragmentedOne) {
  const auto why = broken(1002, "a new message begins before the last fragment of the present one");
  expect_events(part(Opcode::text, "a") + frame(Opcode::text, "b"), {why});
  expect_events(part(Opcode::binary, "a") + part(Opcode::text, "b"), {why});
  expect_events(part(Opcode::text, "a") + frame(Opcode::ping, "") + frame(Opcode::binary, "b"),
                {ping(""), why});
}

TEST(FrameReader, RefusesLengthsThatAreNotInTheShortestForm) {
  const auto why = broken(1002, "a frame length is not encoded in the shortest form");
  expect_events(raw_frame(0x82, bytes({126, 0, 125}), std::string(125, 'x')), {why});
  expect_events(raw_frame(0x82, bytes({126, 0, 0}), ""), {why});
  expect_events(raw_frame(0x82, bytes({127, 0, 0, 0, 0, 0, 0, 0, 5}), "12345"), {why});
  expect_events(raw_frame(0x82, bytes({127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}), ""), {why});
}

TEST(FrameReader, RefusesALengthWithTheTopBitSet) {
  expect_events(raw_frame(0x82, bytes({127, 0x80, 0, 0, 0, 0, 0, 0, 0}), ""),
                {broken(1002, "the top bit of a 64-bit frame length is set")});
  expect_events(raw_frame(0x82, bytes({127, 255, 255, 255, 255, 255, 255, 255, 255}), ""),
                {broken(1002, "the top bit of a 64-bit frame length is set")});
}

TEST(FrameReader, RefusesATooLargeMessageFromItsHeaderAlone) {
  const FrameLimits limits{1000, 100};
  const auto why = broken(1009, "a message is larger than 1000 bytes");
  expect_events(raw_frame(0x82, bytes({126, 0x03, 0xE9}), ""), {why}, Role::server, limits);
  expect_events(raw_frame(0x82, bytes({127, 0x7F, 255, 255, 255, 255, 255, 255, 255}), ""), {why},
                Role::server, limits);
}

TEST(FrameReader, TheSizeLimitHoldsForAllFragmentsTogether) {
  const FrameLimits limits{1000, 100};
  const std::string half(500, 'x');
  expect_events(part(Opcode::binary, half) + frame(Opcode::continuation, half) +
                    frame(Opcode::binary, half + half) + kPingAfter,
                {binary(half + half), binary(half + half), ping("after")}, Role::server, limits);
  const std::string start = part(Opcode::binary, half) + part(Opcode::continuation, half);
  expect_events(start + raw_frame(0x80, bytes({1}), ""),
                {broken(1009, "a message is larger than 1000 bytes")}, Role::server, limits);
}

TEST(FrameReader, ControlFramesDoNotCountTowardsTheLimitsOfAMessage) {
  const FrameLimits limits{10, 2};
  const std::string payload(100, 'p');
  expect_events(part(Opcode::binary, "12345") + frame(Opcode::ping, payload) +
                    frame(Opcode::ping, payload) + frame(Opcode::continuation, "67890"),
                {ping(payload), ping(payload), binary("1234567890")}, Role::server, limits);
}

TEST(FrameReader, RefusesAMessageOfTooManyFragments) {
  const FrameLimits limits{1000, 3};
  const std::string two = part(Opcode::text, "a") + part(Opcode::continuation, "b");
  expect_events(two + frame(Opcode::continuation, "c"), {text("abc")}, Role::server, limits);
  expect_events(two + part(Opcode::continuation, "") + raw_frame(0x80, bytes({0}), ""),
                {broken(1008, "a message has more than 3 frames")}, Role::server, limits);
}

TEST(FrameReader, TheFragmentLimitStartsAgainWithEachMessage) {
  const FrameLimits limits{1000, 2};
  const std::string message = part(Opcode::text, "a") + frame(Opcode::continuation, "b");
  expect_events(message + message + message, {text("ab"), text("ab"), text("ab")}, Role::server,
                limits);
}

TEST(FrameReader, RefusesTextThatIsNotUtf8) {
  expect_events(frame(Opcode::text, "a\xFF"), {broken(1007, "a text message is not valid UTF-8")});
}

TEST(FrameReader, RefusesTextThatEndsInsideACodePoint) {
  const auto why = broken(1007, "a text message ends inside a UTF-8 code point");
  expect_events(frame(Opcode::text, "a\xE2\x82"), {why});
  expect_events(part(Opcode::text, "a\xE2\x82") + frame(Opcode::continuation, ""), {why});
}

TEST(FrameReader, ACodePointMayBeCutByFragmentsAndPings) {
  expect_events(part(Opcode::text, "a\xF0\x9F") + frame(Opcode::ping, "\xFF") +
                    part(Opcode::continuation, "\x98") + frame(Opcode::continuation, "\x80z"),
                {ping("\xFF"), text("a\xF0\x9F\x98\x80z")});
}

TEST(FrameReader, RefusesBadTextAtTheFirstBadByteInsideAFrame) {
  const std::string stream = frame(Opcode::text, "abc\xC0" + std::string(100, 'x'));
  EXPECT_EQ(bytes_until_end(stream), 6u + 4u);  // header with mask, then "abc" and the bad byte
}

TEST(FrameReader, BinaryMayHoldAnyBytes) {
  expect_events(frame(Opcode::binary, "\xFF\xC0\x80"), {binary("\xFF\xC0\x80")});
}

TEST(FrameReader, TextIsJudgedAloneAfterABrokenOffStateWasSetBack) {
  expect_events(frame(Opcode::binary, "\xE2\x82") + frame(Opcode::text, "a"),
                {binary("\xE2\x82"), text("a")});
}

TEST(FrameReader, AnEmptyCloseFrameHasCode1005) {
  expect_events(frame(Opcode::close, ""), {closed(1005, "")});
}

TEST(FrameReader, RefusesACloseFrameOfOneByte) {
  expect_events(frame(Opcode::close, "\x03"),
                {broken(1002, "a close frame has one byte of payload, not 0 or 2 to 125")});
}

TEST(FrameReader, TakesExactlyTheCloseCodesThatMayBeSent) {
  for (unsigned code = 0; code < 65536; code += code < 5100 ? 1 : 997) {
    const std::string stream =
        frame(Opcode::close, close_payload(static_cast<std::uint16_t>(code), "why"));
    const bool allowed = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                         (code >= 3000 && code <= 4999);
    const Reading result = read_stream(stream, Role::server, {}, [&] { return stream.size(); });
    const Seen expected =
        allowed ? closed(code, "why")
                : broken(1002, "close code " + std::to_string(code) + " must not be sent");
    ASSERT_THAT(result.events, testing::ElementsAre(expected));
  }
}

TEST(FrameReader, RefusesACloseReasonThatIsNotUtf8) {
  const auto why = broken(1007, "the reason of a close frame is not valid UTF-8");
  expect_events(frame(Opcode::close, bytes({0x03, 0xE8, 0xFF})), {why});
  expect_events(frame(Opcode::close, bytes({0x03, 0xE8, 0xE2, 0x82})), {why});
}

TEST(FrameReader, LeavesWhatFollowsTheFirstEventUntouched) {
  FrameStatePool pool;
  const FrameLimits limits;
  FrameReader reader(Role::server, limits, pool);
  const std::string first = frame(Opcode::text, "a");
  const std::string stream = first + frame(Opcode::text, "b");
  Bytes input = stream;
  EXPECT_EQ(reader.read(input).payload, "a");
  EXPECT_EQ(input, Bytes(stream).substr(first.size()));
  EXPECT_EQ(reader.read(input).payload, "b");
  EXPECT_TRUE(input.empty());
}

TEST(FrameReader, LeavesWhatFollowsACloseFrameUntouched) {
  const std::string stream = frame(Opcode::close, "") + "rest";
  const Reading result = read_stream(stream, Role::server, {}, [&] { return stream.size(); });
  EXPECT_EQ(result.used, stream.size() - 4);
}

TEST(FrameReader, MovesWithAMessageInProgress) {
  FrameStatePool pool;
  const FrameLimits limits;
  FrameReader first(Role::server, limits, pool);
  const std::string stream = part(Opcode::text, "a") + frame(Opcode::continuation, "b");
  Bytes input = Bytes(stream).substr(0, 9);
  EXPECT_EQ(first.read(input).kind, Kind::need_more);
  FrameReader second(std::move(first));
  FrameReader third(Role::client, limits, pool);
  third = std::move(second);
  input = Bytes(stream).substr(9);
  EXPECT_EQ(third.read(input).payload, "ab");
}

}  // namespace
}  // namespace ringcast::wire::test
