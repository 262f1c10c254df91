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
  std::size_t at = 0;
  for (; at + kBlock <= size; at += kBlock) add(data + at);
  if (at < size) {
    char last[kBlock] = {};
    std::memcpy(last, data + at, size - at);
    add(last);
  }
  std::uint64_t result = size;
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 2; ++j) {
      result = (result ^ sum[i][j] ^ std::rotl(weighted[i][j], 32)) * 0x9E3779B97F4A7C15u;
      result ^= result >> 29;
    }
  }
  return result;
}

// Low half-byte first, one letter each.
void to_letters(const void* bytes, std::size_t size, char* out) {
  const auto* from = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < size; ++i) {
    out[2 * i] = static_cast<char>('a' + (from[i] & 15));
    out[2 * i + 1] = static_cast<char>('a' + (from[i] >> 4));
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

}  // namespace

void write_stamp(char* payload, std::size_t size, StampForm form, const Stamp& stamp) {
  const Fields fields{stamp.sequence, stamp.intended_ns, stamp.run, stamp.publisher, stamp.topic};
  if (form == StampForm::binary) {
    std::memcpy(payload + kChecksumBytes, &fields, sizeof fields);
    const std::uint64_t sum = checksum(payload + kChecksumBytes, size - kChecksumBytes);
    std::memcpy(payload, &sum, sizeof sum);
  } else {
    to_letters(&fields, sizeof fields, payload + 2 * kChecksumBytes);
    const std::uint64_t sum = checksum(payload + 2 * kChecksumBytes, size - 2 * kChecksumBytes);
    to_letters(&sum, sizeof sum, payload);
  }
}

bool read_stamp(wire::Bytes payload, StampForm form, Stamp& stamp) {
  if (payload.size() < stamp_bytes(form)) return false;
  Fields fields;
  std::uint64_t sum = 0;
  std::size_t covered_from = kChecksumBytes;
  if (form == StampForm::binary) {
    std::memcpy(&sum, payload.data(), sizeof sum);
    std::memcpy(&fields, payload.data() + kChecksumBytes, sizeof fields);
  } else {
    covered_from = 2 * kChecksumBytes;
    from_letters(payload.data(), sizeof sum, &sum);
    from_letters(payload.data() + covered_from, sizeof fields, &fields);
  }
  if (sum != checksum(payload.data() + covered_from, payload.size() - covered_from)) return false;
  stamp = {fields.sequence, fields.intended_ns, fields.run, fields.publisher, fields.topic};
  return true;
}

}  // namespace ringcast::bench
