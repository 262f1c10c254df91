// Masking of frame payloads (RFC 6455 section 5.3). Internal to wire/. Stateless; any thread.
//
// wslay masks a byte at a time, which costs twenty times what a loop over words costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ringcast::wire {

// out[i] = in[i] XOR key[(offset + i) mod 4], the key's bytes being those of `key` in memory. `out`
// and `in` are the same or do not overlap.
inline void mask_bytes(char* out, const char* in, std::size_t size, std::uint32_t key,
                       std::size_t offset) {
  // The key from any of its bytes on, over and over: enough for a word from anywhere.
  char bytes[12];
  for (std::size_t i = 0; i < sizeof bytes; i += 4) std::memcpy(bytes + i, &key, sizeof key);
  const auto masked = [&](std::size_t at) {
    std::uint64_t word;
    std::uint64_t word_key;
    std::memcpy(&word, in + at, sizeof word);
    std::memcpy(&word_key, bytes + (offset + at) % 4, sizeof word_key);
    return word ^ word_key;
  };
  if (size < 8) {
    for (std::size_t i = 0; i < size; ++i) {
      const char k = bytes[(offset + i) % 4];
      out[i] = static_cast<char>(static_cast<unsigned char>(in[i]) ^ static_cast<unsigned char>(k));
    }
    return;
  }
  // The last word overlaps the one before, so that no bytes are left over. It is read before
  // anything is written, as `out` may be `in`.
  const std::uint64_t last = masked(size - 8);
  std::uint64_t word_key;
  std::memcpy(&word_key, bytes + offset % 4, sizeof word_key);
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    std::uint64_t words[4];
    std::memcpy(words, in + i, sizeof words);
    for (auto& word : words) word ^= word_key;
    std::memcpy(out + i, words, sizeof words);
  }
  for (; i + 8 < size; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, in + i, sizeof word);
    word ^= word_key;
    std::memcpy(out + i, &word, sizeof word);
  }
  std::memcpy(out + size - 8, &last, sizeof last);
}

}  // namespace ringcast::wire
