// What the case groups 1 to 7 and 9 of the Autobahn test suite demand, at the level of the reader.
// What the peer answers (a pong with the same payload, a close frame) is the connection's part;
// here it is which event arrives, in which order.
#include "tests/wire/frame_stream.h"
#include "wire/frame_reader.h"

namespace ringcast::wire::test {
namespace {

// Splits `payload` into frames of at most `size` bytes.
std::string fragmented(Opcode opcode, const std::string& payload, std::size_t size) {
  std::string out;
  for (std::size_t at = 0; at < payload.size(); at += size) {
    const bool last = at + size >= payload.size();
    out += frame(at == 0 ? opcode : Opcode::continuation, payload.substr(at, size), last);
  }
  return out;
}

void expect_text_refused(const std::string& payload) {
  SCOPED_TRACE(testing::PrintToString(payload));
  const std::vector<Seen> refused = {broken(1007)};
  expect_events(frame(Opcode::text, payload), refused);
  expect_events(fragmented(Opcode::text, payload, 1), refused);
}

void expect_text_taken(const std::string& payload) {
  SCOPED_TRACE(testing::PrintToString(payload));
  expect_events(frame(Opcode::text, payload), {text(payload)});
  expect_events(fragmented(Opcode::text, payload, 1), {text(payload)});
}

TEST(Conformance1Framing, MessagesOfEveryLengthClass) {
  for (const std::size_t size : {0u, 125u, 126u, 127u, 128u, 65535u, 65536u}) {
    const std::string payload(size, '*');
    expect_events(frame(Opcode::text, payload), {text(payload)});
    expect_events(frame(Opcode::binary, payload), {binary(payload)});
  }
}

TEST(Conformance2Pings, PayloadsOfEverySizeUpTo125) {
  std::string stream;
  std::vector<Seen> expected;
  for (std::size_t size = 0; size <= 125; ++size) {
    const std::string payload(size, '\xFE');  // not text: pings carry any bytes
    stream += frame(Opcode::ping, payload);
    expected.push_back(ping(payload));
  }
  expect_events(stream, expected);
}

TEST(Conformance2Pings, APingOf126BytesIsRefused) {
  expect_events(frame(Opcode::ping, std::string(126, '\xFE')), {broken(1002)});
}

TEST(Conformance2Pings, UnsolicitedPongsAreReadAndThePingBehindThem) {
  expect_events(
      frame(Opcode::pong, "") + frame(Opcode::pong, "unsolicited") + frame(Opcode::ping, "x"),
      {pong(""), pong("unsolicited"), ping("x")});
}

TEST(Conformance2Pings, TenPingsInARowStayInOrder) {
  std::string stream;
  std::vector<Seen> expected;
  for (int i = 0; i < 10; ++i) {
    stream += frame(Opcode::ping, "payload-" + std::to_string(i));
    expected.push_back(ping("payload-" + std::to_string(i)));
  }
  expect_events(stream, expected);
}

TEST(Conformance3ReservedBits, EachValueEndsTheStreamBehindTheMessageBefore) {
  for (unsigned rsv = 1; rsv < 8; ++rsv) {
    for (const unsigned opcode : {0x1u, 0x2u, 0x8u, 0x9u, 0xAu}) {
      expect_events(frame(Opcode::text, "first") +
                        raw_frame(0x80 | rsv << 4 | opcode, bytes({5}), "again") +
                        frame(Opcode::ping, ""),
                    {text("first"), broken(1002)});
    }
  }
}

TEST(Conformance4Opcodes, EachReservedOneEndsTheStreamBehindTheMessageBefore) {
  for (const unsigned opcode : {0x3u, 0x4u, 0x5u, 0x6u, 0x7u, 0xBu, 0xCu, 0xDu, 0xEu, 0xFu}) {
    expect_events(raw_frame(0x80 | opcode, bytes({0}), ""), {broken(1002)});
    expect_events(raw_frame(0x80 | opcode, bytes({3}), "abc"), {broken(1002)});
    expect_events(frame(Opcode::text, "first") + raw_frame(0x80 | opcode, bytes({0}), "") +
                      frame(Opcode::ping, ""),
                  {text("first"), broken(1002)});
  }
}

TEST(Conformance5Fragmentation, FragmentedControlFramesAreRefused) {
  expect_events(part(Opcode::ping, "a") + frame(Opcode::continuation, "b"), {broken(1002)});
  expect_events(part(Opcode::pong, "a") + frame(Opcode::continuation, "b"), {broken(1002)});
}

TEST(Conformance5Fragmentation, TextInTwoFragmentsWithAPingBetween) {
  expect_events(part(Opcode::text, "fragment1") + frame(Opcode::ping, "ping") +
                    frame(Opcode::continuation, "fragment2"),
                {ping("ping"), text("fragment1fragment2")});
}

TEST(Conformance5Fragmentation, AContinuationWithNothingToContinueIsRefused) {
  for (const bool fin : {true, false}) {
    expect_events(frame(Opcode::continuation, "none", fin) + frame(Opcode::text, "Hello"),
                  {broken(1002)});
    expect_events(part(Opcode::text, "f1") + frame(Opcode::continuation, "f2") +
                      frame(Opcode::continuation, "f3", fin) + frame(Opcode::text, "f4"),
                  {text("f1f2"), broken(1002)});
  }
}

TEST(Conformance5Fragmentation, ATextFrameWhereAContinuationIsDueIsRefused) {
  expect_events(part(Opcode::text, "f1") + frame(Opcode::text, "f2"), {broken(1002)});
}

TEST(Conformance5Fragmentation, FiveFragmentsWithPingsBetween) {
  expect_events(part(Opcode::text, "f1") + part(Opcode::continuation, "f2") +
                    frame(Opcode::ping, "pongme 1!") + part(Opcode::continuation, "f3") +
                    part(Opcode::continuation, "f4") + frame(Opcode::ping, "pongme 2!") +
                    frame(Opcode::continuation, "f5"),
                {ping("pongme 1!"), ping("pongme 2!"), text("f1f2f3f4f5")});
}

TEST(Conformance6Utf8, EmptyFragmentsAreText) {
  expect_events(
      part(Opcode::text, "") + part(Opcode::continuation, "") + frame(Opcode::continuation, ""),
      {text("")});
  expect_events(part(Opcode::text, "") + part(Opcode::continuation, "middle") +
                    frame(Opcode::continuation, ""),
                {text("middle")});
}

TEST(Conformance6Utf8, ValidTextIsTakenHoweverItIsFragmented) {
  expect_text_taken("Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!");
  expect_text_taken("\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5");
  for (const char* valid : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xEF\xBF\xBF",
                            "\xF0\x90\x80\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBD",
                            "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBE", "\xF0\x9F\xBF\xBE", "\x7F"})
    expect_text_taken(valid);
  expect_text_taken(std::string(1, '\0'));
}

TEST(Conformance6Utf8, InvalidTextIsRefusedHoweverItIsFragmented) {
  const char* const invalid[] = {
      "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80 edited",  // a surrogate in the
                                                                          // middle
      "\xF8\x88\x80\x80\x80",
      "\xFC\x84\x80\x80\x80\x80",  // five and six bytes
      "\xF7\xBF\xBF\xBF",
      "\xF4\x90\x80\x80",  // above U+10FFFF
      "\x80", "\xBF",
      "\x80\xBF\x80",  // continuation bytes alone
      "\xC0 \xC1 ", "\xE0 ", "\xF0 ",
      "\xFC ",  // lead bytes alone
      "\xC0", "\xE0\x80", "\xF0\x80\x80", "\xDF", "\xEF\xBF",
      "\xF7\xBF\xBF",  // last byte missing
      "\xFE", "\xFF",
      "\xFE\xFE\xFF\xFF",  // impossible bytes
      "\xC0\xAF", "\xE0\x80\xAF",
      "\xF0\x80\x80\xAF",  // overlong '/'
      "\xC1\xBF", "\xE0\x9F\xBF",
      "\xF0\x8F\xBF\xBF",  // overlong, the largest
      "\xC0\x80", "\xE0\x80\x80",
      "\xF0\x80\x80\x80",  // overlong NUL
      "\xED\xA0\x80", "\xED\xAF\xBF", "\xED\xB0\x80",
      "\xED\xBF\xBF",  // surrogates
      "\xED\xA0\x80\xED\xB0\x80",
      "\xED\xAF\xBF\xED\xBF\xBF",  // surrogate pairs
  };
  for (const char* payload : invalid) expect_text_refused(payload);
}

TEST(Conformance6Utf8, FailsFastInTheFragmentThatIsBroken) {
  const std::string valid = "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5";
  const std::string start = part(Opcode::text, valid);
  // The third fragment is never sent; the second holds the fault, and its rest is not waited for.
  const std::string second = part(Opcode::continuation, "\xF4\x90\x80\x80" + std::string(50, 'x'));
  EXPECT_EQ(bytes_until_end(start + second), start.size() + 6 + 2);
  expect_events(start + second.substr(0, 6 + 2), {broken(1007)});
}

TEST(Conformance7Close, NothingBehindACloseFrameIsRead) {
  expect_events(frame(Opcode::text, "Hello") + frame(Opcode::close, "") + frame(Opcode::ping, "") +
                    frame(Opcode::text, "never"),
                {text("Hello"), closed(1005, "")});
  expect_events(part(Opcode::text, "f1") + frame(Opcode::close, close_payload(1000, "")) +
                    frame(Opcode::continuation, "f2"),
                {closed(1000, "")});
}

TEST(Conformance7Close, ReasonsOfEverySizeUpTo123) {
  for (const std::size_t size : {0u, 1u, 122u, 123u}) {
    const std::string reason(size, '*');
    expect_events(frame(Opcode::close, close_payload(1000, reason)), {closed(1000, reason)});
  }
  expect_events(frame(Opcode::close, bytes({0x03, 0xE8}) + std::string(124, '*')), {broken(1002)});
}

TEST(Conformance7Close, ReasonsMustBeUtf8) {
  expect_events(frame(Opcode::close, bytes({0x03, 0xE8}) + "Hello-\xC2\xB5"),
                {closed(1000, "Hello-\xC2\xB5")});
  expect_events(frame(Opcode::close, bytes({0x03, 0xE8}) + "\xCE\xBA\xED\xA0\x80" + "edited"),
                {broken(1007)});
}

TEST(Conformance7Close, ValidCodesAreTakenAndInvalidOnesRefused) {
  for (const std::uint16_t code :
       {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999})
    expect_events(frame(Opcode::close, close_payload(code, "")), {closed(code, "")});
  for (const std::uint16_t code :
       {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535})
    expect_events(frame(Opcode::close, close_payload(code, "")), {broken(1002)});
}

TEST(Conformance9Sizes, MessagesUpToTheLimitWholeAndInPieces) {
  for (const std::size_t size :
       {std::size_t{64} << 10, std::size_t{1} << 20, std::size_t{16} << 20}) {
    const std::string payload(size, '*');
    for (const Opcode opcode : {Opcode::text, Opcode::binary}) {
      const std::string stream = frame(opcode, payload);
      const Reading result =
          read_stream(stream, Role::server, {}, [] { return std::size_t{65536}; });
      ASSERT_EQ(result.events.size(), 1u);
      EXPECT_TRUE(result.events[0] == (opcode == Opcode::text ? text(payload) : binary(payload)));
      EXPECT_TRUE(result.idle);
    }
  }
}

TEST(Conformance9Sizes, FourMegabytesInFragmentsOfEverySize) {
  const std::string payload(4u << 20, '*');
  for (const std::size_t size : {64u, 256u, 1024u, 4096u, 16384u, 65536u, 1u << 20}) {
    const std::string stream = fragmented(Opcode::text, payload, size);
    const Reading result = read_stream(stream, Role::server, {}, [] { return std::size_t{16384}; });
    ASSERT_EQ(result.events.size(), 1u) << size;
    EXPECT_TRUE(result.events[0] == text(payload)) << size;
  }
}

TEST(Conformance9Sizes, AMegabyteChoppedIntoReadsOfEverySize) {
  const std::string payload(1u << 20, '*');
  const std::string stream = frame(Opcode::text, payload);
  for (const std::size_t chop : {64u, 128u, 256u, 512u, 1024u, 2048u}) {
    const Reading result = read_stream(stream, Role::server, {}, [&] { return chop; });
    ASSERT_EQ(result.events.size(), 1u) << chop;
    EXPECT_TRUE(result.events[0] == text(payload)) << chop;
  }
}

}  // namespace
}  // namespace ringcast::wire::test
