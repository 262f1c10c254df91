// SHA-1 against the published vectors, and at every length around the ends of a block.
#include "wire/sha1.h"

#include <gtest/gtest.h>

#include <string>

namespace ringcast::wire {
namespace {

std::string hex(const Sha1Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0xF]);
  }
  return text;
}

// FIPS 180-2 appendix A, and RFC 3174 section 7.3.
TEST(Sha1, AgreesWithThePublishedVectors) {
  EXPECT_EQ(hex(sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(hex(sha1(std::string(1'000'000, 'a'))), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

// The digests of the digests of 0 to 129 zero bytes, computed with another implementation.
TEST(Sha1, PadsRightAtEveryLengthAroundTheEndsOfABlock) {
  std::string digests;
  for (std::size_t size = 0; size < 130; ++size) digests += hex(sha1(std::string(size, '\0')));
  EXPECT_EQ(hex(sha1(digests)), "8c1e77fa91a2cb7c174f56b636cadae5fe345e66");
}

}  // namespace
}  // namespace ringcast::wire
