#include "wire/msgpack_token.h"

#include <bit>
#include <cstddef>

namespace ringcast::wire {
namespace {

constexpr const char* kTruncated = "the message ends inside a value";
constexpr const char* kTooLong = "a length exceeds the message";

std::uint64_t big_endian(const char* at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(at[i]);
  return value;
}

std::uint64_t sign_extended(std::uint64_t bits, std::size_t size) {
  const unsigned unused = static_cast<unsigned>(64 - 8 * size);
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << unused) >> unused);
}

void set_signed(MsgpackToken& token, std::uint64_t bits, std::size_t size) {
  token.integer = sign_extended(bits, size);
  token.kind = static_cast<std::int64_t>(token.integer) < 0 ? MsgpackToken::Kind::negative
                                                            : MsgpackToken::Kind::natural;
}

// Reads one token; `at_` is behind what was read so far.
class TokenReader {
 public:
  TokenReader(const char* at, const char* end, MsgpackToken& token)
      : at_(at), end_(end), token_(token) {}

  const char* read() {
    if (at_ == end_) return kTruncated;
    const auto head = static_cast<std::uint8_t>(*at_++);
    if (head < 0x80) return number(Kind::natural, head);
    if (head >= 0xE0) return number(Kind::negative, sign_extended(head, 1));
    if (head < 0x90) return map(head & 0x0F);
    if (head < 0xA0) return list(head & 0x0F);
    if (head < 0xC0) return bytes(Kind::str, head & 0x1F);
    return wide(head);
  }

  const char* at() const { return at_; }

 private:
  using Kind = MsgpackToken::Kind;

  const char* wide(std::uint8_t head) {
    if (head == 0xC1) return "0xc1 begins no value";
    if (head <= 0xC3) {
      token_.kind = head == 0xC0 ? Kind::nil : Kind::boolean;
      token_.boolean = head == 0xC3;
      return nullptr;
    }
    if (head >= 0xD4 && head <= 0xD8) return extension(std::size_t{1} << (head - 0xD4));
    // Width of the length or number that follows, by the last bits of each family's heads.
    static constexpr std::uint8_t kWidth[32] = {0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 4, 8, 1, 2, 4, 8,
                                                1, 2, 4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4};
    const std::size_t width = kWidth[head - 0xC0];
    if (left() < width) return kTruncated;
    const std::uint64_t bits = big_endian(at_, width);
    at_ += width;
    if (head <= 0xC6) return bytes(Kind::bin, bits);
    if (head <= 0xC9) return extension(bits);
    if (head <= 0xCB) return real(bits, width);
    if (head <= 0xCF) return number(Kind::natural, bits);
    if (head <= 0xD3) {
      set_signed(token_, bits, width);
      return nullptr;
    }
    if (head <= 0xDB) return bytes(Kind::str, bits);
    return head <= 0xDD ? list(bits) : map(bits);
  }

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  const char* number(Kind kind, std::uint64_t value) {
    token_.kind = kind;
    token_.integer = value;
    return nullptr;
  }

  const char* real(std::uint64_t bits, std::size_t width) {
    token_.kind = Kind::real;
    token_.real = width == 4 ? double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))}
                             : std::bit_cast<double>(bits);
    return nullptr;
  }

  const char* bytes(Kind kind, std::uint64_t size) {
    if (left() < size) return kTooLong;
    token_.kind = kind;
    token_.data = Bytes(at_, size);
    at_ += size;
    return nullptr;
  }

  const char* extension(std::uint64_t size) {
    if (left() == 0) return kTruncated;
    token_.ext_type = static_cast<std::int8_t>(*at_++);
    return bytes(Kind::ext, size);
  }

  // Every element takes a byte at least.
  const char* list(std::uint64_t count) {
    if (left() < count) return kTooLong;
    token_.kind = Kind::list;
    token_.count = static_cast<std::uint32_t>(count);
    return nullptr;
  }

  const char* map(std::uint64_t count) {
    if (left() < 2 * count) return kTooLong;
    token_.kind = Kind::map;
    token_.count = static_cast<std::uint32_t>(count);
    return nullptr;
  }

  const char* at_;
  const char* end_;
  MsgpackToken& token_;
};

}  // namespace

const char* read_msgpack_token(const char*& at, const char* end, MsgpackToken& token) {
  TokenReader reader(at, end, token);
  const char* const failure = reader.read();
  if (failure == nullptr) at = reader.at();
  return failure;
}

}  // namespace ringcast::wire
