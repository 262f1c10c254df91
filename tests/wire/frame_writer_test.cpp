#include "wire/frame_writer.h"

#include <gtest/gtest.h>

#include "tests/wire/frame_stream.h"
#include "wire/utf8.h"

namespace ringcast::wire::test {
namespace {

std::string header_for(std::size_t size) {
  std::string out(kServerFrameHeaderMax, '\0');
  const char* const end = write_frame_header(out.data(), Opcode::binary, size);
  out.resize(static_cast<std::size_t>(end - out.data()));
  return out;
}

TEST(FrameWriter, EncodesLengthsInTheShortestForm) {
  EXPECT_EQ(header_for(0), bytes({0x82, 0}));
  EXPECT_EQ(header_for(125), bytes({0x82, 125}));
  EXPECT_EQ(header_for(126), bytes({0x82, 126, 0, 126}));
  EXPECT_EQ(header_for(65535), bytes({0x82, 126, 0xFF, 0xFF}));
  EXPECT_EQ(header_for(65536), bytes({0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(header_for(0x0102030405060708), bytes({0x82, 127, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(FrameWriter, TellsTheSizeOfTheHeaderItWrites) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65535u, 65536u, 1u << 30})
    EXPECT_EQ(frame_header_size(size), header_for(size).size()) << size;
}

TEST(FrameWriter, WritesTheExamplesOfRfc6455) {
  std::string out;
  append_frame(out, Opcode::text, "Hello");
  EXPECT_EQ(out, bytes({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}));
  const unsigned char key[] = {0x37, 0xfa, 0x21, 0x3d};
  std::uint32_t mask;
  std::memcpy(&mask, key, sizeof mask);
  out.clear();
  append_masked_frame(out, Opcode::text, true, "Hello", mask);
  EXPECT_EQ(out, bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}));
  out.clear();
  append_masked_frame(out, Opcode::text, false, "", 0);
  EXPECT_EQ(out, bytes({0x01, 0x80, 0, 0, 0, 0}));
}

TEST(FrameWriter, WhatItWritesIsReadBackForEverySizeClassAndBothDirections) {
  for (const std::size_t size : {0u, 1u, 7u, 8u, 31u, 32u, 33u, 125u, 126u, 127u, 4095u, 4096u,
                                 4097u, 65535u, 65536u, 65537u, 200000u}) {
    std::string payload(size, '\0');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 7 + i / 251);
    std::string out;
    append_masked_frame(out, Opcode::binary, true, payload, 0x89ABCDEF);
    append_masked_frame(out, Opcode::pong, true, "after", 0x89ABCDEF);
    Reading masked = read_stream(out, Role::server, {}, [&] { return out.size(); });
    EXPECT_THAT(masked.events, testing::ElementsAre(binary(payload), pong("after"))) << size;
    Reading cut = read_stream(out, Role::server, {}, [&] { return std::size_t{1021}; });
    EXPECT_THAT(cut.events, testing::ElementsAre(binary(payload), pong("after"))) << size;
    out.clear();
    append_frame(out, Opcode::binary, payload);
    append_frame(out, Opcode::pong, "after");
    Reading plain = read_stream(out, Role::client, {}, [&] { return std::size_t{1021}; });
    EXPECT_THAT(plain.events, testing::ElementsAre(binary(payload), pong("after"))) << size;
  }
}

TEST(FrameWriter, ClosePayloadHasTheCodeInNetworkOrderAndTheReason) {
  EXPECT_EQ(close_payload(1000, ""), bytes({0x03, 0xE8}));
  EXPECT_EQ(close_payload(1009, "too large"), bytes({0x03, 0xF1}) + "too large");
}

TEST(FrameWriter, ClosePayloadCutsALongReasonAtACodePoint) {
  EXPECT_EQ(close_payload(1000, std::string(124, 'x')).size(), 125u);
  EXPECT_EQ(close_payload(1000, std::string(123, 'x')).size(), 125u);
  for (std::size_t before = 115; before < 125; ++before) {
    const std::string payload =
        close_payload(1000, std::string(before, 'x') + "\xF0\x9F\x98\x80\xF0\x9F\x98\x80");
    EXPECT_LE(payload.size(), 125u);
    EXPECT_GE(payload.size(), 122u);
    EXPECT_TRUE(utf8_valid(Bytes(payload).substr(2))) << before;
  }
}

TEST(FrameWriter, ClosePayloadOfBytesThatAreNoTextStillEnds) {
  EXPECT_LE(close_payload(1000, std::string(400, '\x80')).size(), 125u);
}

}  // namespace
}  // namespace ringcast::wire::test
