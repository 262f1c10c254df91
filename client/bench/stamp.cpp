#include "client/bench/stamp.h"

#include <bit>
#include <cstring>

static_assert(std::endian::native == std::endian::little,
              "stamps are compared within one machine type");

namespace ringcast::bench {
namespace {

// The fields behind the checksum, as they travel.
struct Fields {
  std::uint64_t sequence;
  std::int64_t intended_ns;
  std::uint32_t run;
  std::uint16_t publisher;
  std::uint16_t topic;
};
constexpr std::size_t kChecksumBytes = sizeof(std::uint64_t);
static_assert(sizeof(Fields) + kChecksumBytes == stamp_bytes(StampForm::binary));

// Two lanes of two 64-bit sums and sums of sums: at memory speed, and it sees flipped bits as well
// as blocks that changed places.
std::uint64_t checksum(const char* data, std::size_t size) {
  using Lane = std::uint64_t __attribute__((vector_size(16)));
  constexpr std::size_t kBlock = 2 * sizeof(Lane);
  Lane sum[2] = {{1, 2}, {3, 4}};
  Lane weighted[2] = {};
  const auto add = [&](const char* block) {
    Lane words[2];
    std::memcpy(words, block, kBlock);
    for (std::size_t i = 0; i < 2; ++i) {
      sum[i] += words[i];
      weighted[i] += sum[i];
    }
  };
  for (std::size_t at = 0; at + kBlock <= size; at += kBlock) add(data + at);
  if (size < kBlock) {
    char only[kBlock] = {};
    std::memcpy(only, data, size);
    add(only);
  } else if (size % kBlock != 0) {
    add(data + size - kBlock);  // overlaps the block before
  }
  // Products that do not wait for each other.
  std::uint64_t result = size * 0x9E3779B97F4A7C15u;
  const auto fold = [&result](std::uint64_t word, std::uint64_t factor) {
    result += (word ^ word >> 32) * factor;
  };
  fold(sum[0][0], 0xBF58476D1CE4E5B9u);
  fold(sum[0][1], 0x94D049BB133111EBu);
  fold(sum[1][0], 0xD6E8FEB86659FD93u);
  fold(sum[1][1], 0xA0761D6478BD642Fu);
  fold(weighted[0][0], 0xE7037ED1A0B428DBu);
  fold(weighted[0][1], 0x8EBC6AF09C88C6E3u);
  fold(weighted[1][0], 0x589965CC75374CC3u);
  fold(weighted[1][1], 0x1D8E4E27C47D124Fu);
  return result ^ result >> 29;
}

// Four bytes as eight letters a to p, low half-byte first.
std::uint64_t eight_letters_of(std::uint32_t word) {
  std::uint64_t x = word;
  x = (x | x << 16) & 0x0000FFFF0000FFFFu;
  x = (x | x << 8) & 0x00FF00FF00FF00FFu;
  x = (x | x << 4) & 0x0F0F0F0F0F0F0F0Fu;
  return x + 0x6161616161616161u;
}

void to_letters(const void* bytes, std::size_t size, char* out) {
  for (std::size_t i = 0; i < size; i += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, static_cast<const char*>(bytes) + i, sizeof word);
    const std::uint64_t letters = eight_letters_of(word);
    std::memcpy(out + 2 * i, &letters, sizeof letters);
  }
}

std::uint32_t four_bytes_of(const char* letters) {
  std::uint64_t x = 0;
  std::memcpy(&x, letters, sizeof x);
  x -= 0x6161616161616161u;
  x = (x | x >> 4) & 0x00FF00FF00FF00FFu;
  x = (x | x >> 8) & 0x0000FFFF0000FFFFu;
  return static_cast<std::uint32_t>(x | x >> 16);
}

void from_letters(const char* letters, std::size_t size, void* out) {
  for (std::size_t i = 0; i < size; i += 4) {
    const std::uint32_t word = four_bytes_of(letters + 2 * i);
    std::memcpy(static_cast<char*>(out) + i, &word, sizeof word);
  }
}

void write_sum(char* out, StampForm form, std::uint64_t sum) {
  if (form == StampForm::binary) {
    std::memcpy(out, &sum, sizeof sum);
  } else {
    to_letters(&sum, sizeof sum, out);
  }
}

}  // namespace

void write_stamp(char* payload, std::size_t size, StampForm form, const Stamp& stamp) {
  const Fields fields{stamp.sequence, stamp.intended_ns, stamp.run, stamp.publisher, stamp.topic};
  const std::size_t covered_from = form == StampForm::binary ? kChecksumBytes : 2 * kChecksumBytes;
  if (form == StampForm::binary) {
    std::memcpy(payload + covered_from, &fields, sizeof fields);
  } else {
    to_letters(&fields, sizeof fields, payload + covered_from);
  }
  write_sum(payload, form, checksum(payload + covered_from, size - covered_from));
}

bool read_stamp(wire::Bytes payload, StampForm form, Stamp& stamp) {
  if (payload.size() < stamp_bytes(form)) return false;
  // The checksum is compared as it travels: letters have more bits than what they stand for.
  char sum[2 * kChecksumBytes];
  const std::size_t covered_from = form == StampForm::binary ? kChecksumBytes : 2 * kChecksumBytes;
  write_sum(sum, form, checksum(payload.data() + covered_from, payload.size() - covered_from));
  if (std::memcmp(sum, payload.data(), covered_from) != 0) return false;
  Fields fields;
  if (form == StampForm::binary) {
    std::memcpy(&fields, payload.data() + covered_from, sizeof fields);
  } else {
    from_letters(payload.data() + covered_from, sizeof fields, &fields);
  }
  stamp = {fields.sequence, fields.intended_ns, fields.run, fields.publisher, fields.topic};
  return true;
}

}  // namespace ringcast::bench
