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
  char bytes[16];
  for (std::size_t i = 0; i < 8; i += 4) std::memcpy(bytes + i, &key, sizeof key);
  std::memcpy(bytes + 8, bytes, 8);
  std::uint64_t word_key;
  std::memcpy(&word_key, bytes + offset % 4, sizeof word_key);
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    std::uint64_t words[4];
    std::memcpy(words, in + i, sizeof words);
    for (auto& word : words) word ^= word_key;
    std::memcpy(out + i, words, sizeof words);
  }
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, in + i, sizeof word);
    word ^= word_key;
    std::memcpy(out + i, &word, sizeof word);
  }
  for (const char* k = bytes + offset % 4; i < size; ++i, ++k)
    out[i] = static_cast<char>(static_cast<unsigned char>(in[i]) ^ static_cast<unsigned char>(*k));
}

}  // namespace ringcast::wire
