// That an idle reader owns nothing, and that what it gave back is neither huge nor spoilt.

#include "tests/wire/frame_stream.h"
#include "wire/frame_reader.h"
#include "wire/frame_state.h"

namespace ringcast::wire::test {
namespace {

class FrameStatePoolTest : public testing::Test {
 protected:
  // Reads until the input is used up, in two pieces, so that parser state is needed.
  static void drain(FrameReader& reader, const std::string& stream) {
    feed(reader, stream.substr(0, 1));
    if (stream.size() > 1) feed(reader, stream.substr(1));
  }
  static void feed(FrameReader& reader, const std::string& piece) {
    Bytes input = piece;
    while (true) {
      const Kind kind = reader.read(input).kind;
      if (kind == Kind::need_more || kind == Kind::close || kind == Kind::violation) return;
    }
  }

  FrameLimits limits_;
  FrameStatePool pool_{2};
};

TEST_F(FrameStatePoolTest, AFreshReaderIsIdle) {
  const FrameReader reader(Role::server, limits_, pool_);
  EXPECT_TRUE(reader.idle());
}

TEST_F(FrameStatePoolTest, AReaderIsIdleAgainAfterEachWholeMessage) {
  FrameReader reader(Role::server, limits_, pool_);
  for (const Opcode opcode : {Opcode::text, Opcode::binary, Opcode::ping, Opcode::pong}) {
    drain(reader, frame(opcode, "x"));
    EXPECT_TRUE(reader.idle());
    EXPECT_EQ(pool_.kept(), 1u);
  }
}

TEST_F(FrameStatePoolTest, AReaderIsNotIdleInsideAFrameOrAFragmentedMessage) {
  const std::string stream =
      part(Opcode::text, "ab") + frame(Opcode::ping, "p") + frame(Opcode::continuation, "cd");
  FrameReader reader(Role::server, limits_, pool_);
  for (std::size_t i = 0; i < stream.size(); ++i) {
    drain(reader, stream.substr(i, 1));
    EXPECT_EQ(reader.idle(), i + 1 == stream.size()) << "after byte " << i;
    reader.rest();
    EXPECT_EQ(reader.idle(), i + 1 == stream.size()) << "rest() after byte " << i;
  }
}

TEST_F(FrameStatePoolTest, AWholeFrameNeedsNoState) {
  FrameReader reader(Role::server, limits_, pool_);
  feed(reader, frame(Opcode::text, "a") + frame(Opcode::binary, std::string(60000, 'b')));
  EXPECT_TRUE(reader.idle());
  EXPECT_EQ(pool_.kept(), 0u);
}

TEST_F(FrameStatePoolTest, RestGivesBackAfterAnEventWithoutAnotherRead) {
  FrameReader reader(Role::server, limits_, pool_);
  const std::string stream =
      part(Opcode::text, "") + frame(Opcode::continuation, "a") + frame(Opcode::text, "b");
  Bytes input = stream;
  EXPECT_EQ(reader.read(input).payload, "a");
  EXPECT_FALSE(reader.idle());
  reader.rest();
  EXPECT_TRUE(reader.idle());
  EXPECT_EQ(reader.read(input).payload, "b");
}

TEST_F(FrameStatePoolTest, AStateServesManyReadersInTurn) {
  FrameReader first(Role::server, limits_, pool_);
  FrameReader second(Role::client, limits_, pool_);
  for (int i = 0; i < 10; ++i) {
    drain(first, frame(Opcode::text, "a"));
    drain(second, bytes({0x82, 1, 'b'}));
    EXPECT_EQ(pool_.kept(), 1u);
  }
}

TEST_F(FrameStatePoolTest, KeepsNoMoreThanItsBound) {
  std::vector<FrameReader> readers;
  for (int i = 0; i < 5; ++i) readers.emplace_back(Role::server, limits_, pool_);
  for (auto& reader : readers) drain(reader, part(Opcode::text, "a"));
  for (auto& reader : readers) drain(reader, frame(Opcode::continuation, "b"));
  EXPECT_EQ(pool_.kept(), 2u);
}

TEST_F(FrameStatePoolTest, DropsAStateThatWasLeftInTheMiddle) {
  const std::string violated = raw_frame(0xF1, bytes({0}), "");
  for (const std::string& stream :
       {frame(Opcode::text, "abc").substr(0, 1), frame(Opcode::text, "abc").substr(0, 8),
        part(Opcode::text, "abc"), violated, frame(Opcode::text, "\xFF")}) {
    {
      FrameReader reader(Role::server, limits_, pool_);
      drain(reader, stream);
    }
    EXPECT_EQ(pool_.kept(), 0u);
  }
}

TEST_F(FrameStatePoolTest, KeepsTheStateOfAReaderThatWasClosed) {
  {
    FrameReader reader(Role::server, limits_, pool_);
    drain(reader, frame(Opcode::close, ""));
  }
  EXPECT_EQ(pool_.kept(), 1u);
}

TEST(MessageBuffer, GrowsWithTheBytesThatArrivedNotWithAClaim) {
  // The claim is within the limit, so the reader goes on; a gigabyte for four bytes would be fatal
  // here.
  FrameStatePool pool;
  const FrameLimits limits{std::size_t{1} << 62, 10};
  FrameReader reader(Role::server, limits, pool);
  const std::string stream =
      raw_frame(0x82, bytes({127, 0x3F, 255, 255, 255, 255, 255, 255, 255}), "1234");
  Bytes input = stream;
  EXPECT_EQ(reader.read(input).kind, Kind::need_more);
  EXPECT_TRUE(input.empty());
}

TEST(MessageBuffer, ClearKeepsSmallMemoryAndGivesUpLarge) {
  MessageBuffer buffer;
  buffer.extend(10000);
  const char* const place = buffer.message().data();
  buffer.clear(65536);
  buffer.extend(10000);
  EXPECT_EQ(buffer.message().data(), place);
  buffer.extend(100000);
  buffer.clear(65536);
  EXPECT_EQ(buffer.capacity(), 0u);
}

}  // namespace
}  // namespace ringcast::wire::test
