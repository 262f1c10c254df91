// Bytes of no meaning, and valid streams with faults in them: whatever comes, the reader ends in a
// defined event, and the same one however the stream is cut. The seeds are fixed; run under
// AddressSanitizer.
#include "tests/wire/frame_stream.h"
#include "wire/frame_reader.h"

namespace ringcast::wire::test {
namespace {

void expect_same_however_cut(const std::string& stream, Role role, std::mt19937& random) {
  const FrameLimits limits{2000, 8};
  const Reading whole = read_stream(stream, role, limits, [&] { return stream.size(); });
  const Reading single = read_stream(stream, role, limits, [] { return std::size_t{1}; });
  ASSERT_EQ(whole.events, single.events) << testing::PrintToString(stream);
  const Reading pieces = read_stream(stream, role, limits, [&] { return 1 + random() % 20; });
  ASSERT_EQ(whole.events, pieces.events) << testing::PrintToString(stream);
  for (const Seen& seen : whole.events) {
    if (seen.kind != Kind::violation) continue;
    EXPECT_TRUE(seen.code == 1002 || seen.code == 1007 || seen.code == 1008 || seen.code == 1009);
    EXPECT_FALSE(seen.payload.empty());
    EXPECT_LE(seen.payload.size(), 123u) << "a reason must fit into a close frame";
  }
}

std::string random_payload(std::mt19937& random, bool is_text) {
  const std::size_t size = random() % 4 == 0 ? random() % 700 : random() % 20;
  std::string payload(size, 'a');
  if (!is_text) {
    for (char& c : payload) c = static_cast<char>(random());
  }
  return payload;
}

// A valid conversation of a few messages.
std::string random_stream(std::mt19937& random) {
  std::string out;
  const unsigned messages = 1 + random() % 4;
  for (unsigned i = 0; i < messages; ++i) {
    const bool is_text = random() % 2 == 0;
    const unsigned parts = 1 + random() % 3;
    for (unsigned k = 0; k < parts; ++k) {
      const Opcode opcode = k > 0 ? Opcode::continuation : is_text ? Opcode::text : Opcode::binary;
      append_masked_frame(out, opcode, k + 1 == parts, random_payload(random, is_text),
                          static_cast<std::uint32_t>(random()));
      if (random() % 3 == 0) out += frame(Opcode::ping, "p");
    }
  }
  if (random() % 2 == 0) out += frame(Opcode::close, close_payload(1000, "bye"));
  return out;
}

TEST(FrameRobustness, RandomBytesEndInADefinedEvent) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string stream(1 + random() % 60, '\0');
    for (char& c : stream) c = static_cast<char>(random());
    expect_same_however_cut(stream, random() % 2 == 0 ? Role::server : Role::client, random);
    if (HasFatalFailure()) return;
  }
}

TEST(FrameRobustness, RandomPayloadsBehindPlausibleHeadersEndInADefinedEvent) {
  std::mt19937 random(2);
  const unsigned firsts[] = {0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x88, 0x89, 0x8A};
  for (int i = 0; i < 20000; ++i) {
    std::string stream;
    for (unsigned k = 0; k < 4; ++k) {
      std::string payload(random() % 30, '\0');
      for (char& c : payload) c = static_cast<char>(random() % 8 == 0 ? random() : 'a');
      stream +=
          raw_frame(firsts[random() % 9], bytes({static_cast<unsigned>(payload.size())}), payload);
    }
    expect_same_however_cut(stream, Role::server, random);
    if (HasFatalFailure()) return;
  }
}

TEST(FrameRobustness, ValidStreamsWithFlippedBitsEndInADefinedEvent) {
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    std::string stream = random_stream(random);
    const unsigned flips = random() % 4;
    for (unsigned k = 0; k < flips; ++k) {
      char& c = stream[random() % stream.size()];
      c = static_cast<char>(static_cast<unsigned char>(c) ^ (1u << random() % 8));
    }
    expect_same_however_cut(stream, Role::server, random);
    if (HasFatalFailure()) return;
  }
}

TEST(FrameRobustness, EveryTruncationOfAStreamLeavesTheReaderWaiting) {
  const std::string stream = part(Opcode::text, "abc") + frame(Opcode::ping, "p") +
                             frame(Opcode::continuation, std::string(200, 'd')) +
                             frame(Opcode::close, close_payload(1000, "bye"));
  for (std::size_t size = 1; size < stream.size(); ++size) {
    const Reading result =
        read_stream(stream.substr(0, size), Role::server, {}, [&] { return size; });
    for (const Seen& seen : result.events) {
      EXPECT_NE(seen.kind, Kind::violation) << size;
      EXPECT_NE(seen.kind, Kind::close) << size;
    }
  }
}

}  // namespace
}  // namespace ringcast::wire::test
