// The primitives that the authentication methods are made of, over OpenSSL and the reference
// implementation of Argon2. Stateless; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringcast::auth {

// 32 bytes: a SHA-256 digest, an Ed25519 key, a nonce of cryptosign.
using Bytes32 = std::array<char, 32>;
using Signature64 = std::array<char, 64>;

template <std::size_t N>
std::string_view view(const std::array<char, N>& bytes) {
  return {bytes.data(), N};
}
std::optional<Bytes32> bytes32(std::string_view bytes);  // nothing unless it is 32 bytes

// Takes as long for any content; the sizes are no secret.
bool equal_constant_time(std::string_view a, std::string_view b);

// From the operating system's generator. `size` up to 1 KiB.
std::string random_bytes(std::size_t size);
Bytes32 random_bytes32();

Bytes32 sha256(std::string_view data);
Bytes32 hmac_sha256(std::string_view key, std::string_view data);

// PBKDF2-HMAC-SHA256 (RFC 8018 section 5.2). `iterations` and `size` from 1.
std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations, std::size_t size);

struct Argon2Cost {
  std::uint32_t memory_kib = 0;
  std::uint32_t iterations = 0;
  std::uint32_t lanes = 1;
  bool operator==(const Argon2Cost&) const = default;
};
// Argon2id version 1.3 (RFC 9106), on the calling thread whatever the lanes. `salt` from 8 bytes,
// `size` from 4, memory from 8 KiB a lane. Nothing if the memory is not to be had.
std::optional<std::string> argon2id(std::string_view password, std::string_view salt,
                                    const Argon2Cost& cost, std::size_t size);

// Ed25519 (RFC 8032). A private key is its seed.
Bytes32 ed25519_public_key(const Bytes32& private_key);
Signature64 ed25519_sign(const Bytes32& private_key, std::string_view message);
bool ed25519_verify(const Bytes32& public_key, std::string_view message,
                    const Signature64& signature);

}  // namespace ringcast::auth
