#include "wire/sha1.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace ringcast::wire {
namespace {

constexpr std::size_t kBlock = 64;

using State = std::array<std::uint32_t, 5>;

std::uint32_t load_big_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

// FIPS 180-4 section 6.1.2.
void add_block(State& state, const unsigned char* block) {
  std::array<std::uint32_t, 80> schedule;
  for (std::size_t t = 0; t < 16; ++t) schedule[t] = load_big_endian(block + 4 * t);
  for (std::size_t t = 16; t < 80; ++t) {
    schedule[t] =
        std::rotl(schedule[t - 3] ^ schedule[t - 8] ^ schedule[t - 14] ^ schedule[t - 16], 1);
  }
  std::uint32_t a = state[0];
  std::uint32_t b = state[1];
  std::uint32_t c = state[2];
  std::uint32_t d = state[3];
  std::uint32_t e = state[4];
  const auto round = [&](std::size_t t, std::uint32_t mixed, std::uint32_t constant) {
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + constant + schedule[t];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  };
  for (std::size_t t = 0; t < 20; ++t) round(t, (b & c) | (~b & d), 0x5A827999);
  for (std::size_t t = 20; t < 40; ++t) round(t, b ^ c ^ d, 0x6ED9EBA1);
  for (std::size_t t = 40; t < 60; ++t) round(t, (b & c) | (b & d) | (c & d), 0x8F1BBCDC);
  for (std::size_t t = 60; t < 80; ++t) round(t, b ^ c ^ d, 0xCA62C1D6);
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
}

}  // namespace

Sha1Digest sha1(Bytes message) {
  State state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t left = message.size();
  for (; left >= kBlock; left -= kBlock, bytes += kBlock) add_block(state, bytes);
  // The rest, a one bit, zeroes, and the length in bits at the end of a block.
  std::array<unsigned char, 2 * kBlock> tail{};
  if (left != 0) std::memcpy(tail.data(), bytes, left);
  tail[left] = 0x80;
  const std::size_t tail_size = left + 9 <= kBlock ? kBlock : 2 * kBlock;
  const std::uint64_t bits = std::uint64_t{message.size()} * 8;
  for (std::size_t i = 0; i < 8; ++i) {
    tail[tail_size - 1 - i] = static_cast<unsigned char>(bits >> 8 * i);
  }
  for (std::size_t at = 0; at < tail_size; at += kBlock) add_block(state, tail.data() + at);
  Sha1Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<unsigned char>(state[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

}  // namespace ringcast::wire
