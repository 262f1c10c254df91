// Streams of frames for the tests, and a reader run that feeds each stream whole, byte by byte and
// in random pieces, since where TCP cuts must never change what is read.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "wire/frame_reader.h"
#include "wire/frame_writer.h"

namespace ringcast::wire::test {

using Kind = FrameEvent::Kind;

struct Seen {
  Kind kind = Kind::need_more;
  unsigned code = 0;
  std::string payload;  // of violations: not compared when empty
  bool operator==(const Seen& other) const {
    if (kind != other.kind || code != other.code) return false;
    if (kind == Kind::violation && (payload.empty() || other.payload.empty())) return true;
    return payload == other.payload;
  }
};

inline std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  constexpr const char* kNames[] = {"need_more", "text",  "binary",   "ping",
                                    "pong",      "close", "violation"};
  return out << kNames[static_cast<int>(seen.kind)] << " " << seen.code << " ("
             << seen.payload.size() << ") " << seen.payload.substr(0, 80);
}

inline Seen text(std::string payload) { return {Kind::text, 0, std::move(payload)}; }
inline Seen binary(std::string payload) { return {Kind::binary, 0, std::move(payload)}; }
inline Seen ping(std::string payload) { return {Kind::ping, 0, std::move(payload)}; }
inline Seen pong(std::string payload) { return {Kind::pong, 0, std::move(payload)}; }
inline Seen closed(unsigned code, std::string reason) {
  return {Kind::close, code, std::move(reason)};
}
inline Seen broken(unsigned code, std::string why = {}) {
  return {Kind::violation, code, std::move(why)};
}

// A masked frame, as a client sends it.
inline std::string frame(Opcode opcode, const std::string& payload, bool fin = true) {
  std::string out;
  append_masked_frame(out, opcode, fin, payload, 0x3D21FA37);
  return out;
}
inline std::string part(Opcode opcode, const std::string& payload) {
  return frame(opcode, payload, false);
}

// A frame header with a mask of zeros, to be built wrongly: `lengths` is what stands behind the
// first byte.
inline std::string raw_frame(unsigned first, const std::string& lengths,
                             const std::string& payload) {
  std::string out(1, static_cast<char>(first));
  out.append(lengths);
  out[1] = static_cast<char>(static_cast<unsigned char>(out[1]) | 0x80u);
  return out.append(4, '\0').append(payload);
}

inline std::string bytes(std::initializer_list<unsigned> values) {
  std::string out;
  for (const unsigned value : values) out.push_back(static_cast<char>(value));
  return out;
}

struct Reading {
  std::vector<Seen> events;
  std::size_t used = 0;  // bytes of the stream that were consumed
  bool idle = false;
};

// Feeds `stream` in pieces of the sizes that `next_size` returns. Every piece lies in memory of its
// own, so that a read past its end, or a view kept into it, is seen by AddressSanitizer.
template <class NextSize>
Reading read_stream(const std::string& stream, Role role, const FrameLimits& limits,
                    NextSize next_size) {
  FrameStatePool pool;
  FrameReader reader(role, limits, pool);
  Reading result;
  std::size_t at = 0;
  while (at < stream.size()) {
    const std::size_t size = std::min<std::size_t>(next_size(), stream.size() - at);
    const std::vector<char> piece(stream.begin() + static_cast<std::ptrdiff_t>(at),
                                  stream.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
    Bytes input(piece.data(), piece.size());
    while (true) {
      const FrameEvent event = reader.read(input);
      if (event.kind == Kind::need_more) break;
      result.events.push_back({event.kind, event.code, std::string(event.payload)});
      if (event.kind == Kind::close || event.kind == Kind::violation) {
        result.used = at - input.size();
        return result;
      }
    }
    EXPECT_TRUE(input.empty()) << "need_more must use up the input";
  }
  result.used = at;
  result.idle = reader.idle();
  return result;
}

// Checks that `stream` reads as `expected`, however it is cut.
inline void expect_events(const std::string& stream, const std::vector<Seen>& expected,
                          Role role = Role::server, const FrameLimits& limits = {}) {
  const Reading whole = read_stream(stream, role, limits, [&] { return stream.size(); });
  EXPECT_THAT(whole.events, testing::ElementsAreArray(expected)) << "fed whole";
  if (testing::Test::HasFailure()) return;
  const Reading single = read_stream(stream, role, limits, [] { return std::size_t{1}; });
  EXPECT_THAT(single.events, testing::ElementsAreArray(expected)) << "fed byte by byte";
  std::mt19937 random(20240229);
  for (int i = 0; i < 12 && !testing::Test::HasFailure(); ++i) {
    std::uniform_int_distribution<std::size_t> size(1, i < 6 ? 8 : 1 + stream.size() / 2);
    const Reading pieces = read_stream(stream, role, limits, [&] { return size(random); });
    EXPECT_THAT(pieces.events, testing::ElementsAreArray(expected)) << "fed in random pieces";
  }
}

// The number of bytes of `stream` after which a reader that gets it byte by byte knew that it is
// broken.
inline std::size_t bytes_until_end(const std::string& stream, const FrameLimits& limits = {}) {
  return read_stream(stream, Role::server, limits, [] { return std::size_t{1}; }).used;
}

}  // namespace ringcast::wire::test
