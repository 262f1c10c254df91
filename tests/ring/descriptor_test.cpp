#include "ring/descriptor.h"

#include <array>
#include <cstring>

#include "tests/ring/support.h"

namespace ringcast::ring {
namespace {

using test::below;

constexpr std::size_t kFieldBytes = offsetof(Descriptor, reserved) + sizeof(Descriptor::reserved);
using Bytes = std::array<unsigned char, sizeof(Descriptor)>;

Bytes bytes_of(const Descriptor& descriptor) {
  Bytes bytes;
  std::memcpy(bytes.data(), &descriptor, sizeof descriptor);
  return bytes;
}

Descriptor from_bytes(const Bytes& bytes) {
  Descriptor descriptor;
  std::memcpy(&descriptor, bytes.data(), sizeof descriptor);
  return descriptor;
}

Descriptor random_descriptor(test::Random& random) {
  Descriptor d;
  d.kind = static_cast<DescriptorKind>(1 + below(random, 6));
  d.realm = static_cast<std::uint16_t>(below(random, 4));
  d.consumer_epoch = static_cast<std::uint32_t>(below(random, 100));
  d.argument = static_cast<std::uint32_t>(random());
  d.target = random() >> 11;
  d.token = below(random, 1000);
  d.topic_hash = random();
  d.frame = below(random, 1u << 24) / 32 * 32;
  d.frame_size = static_cast<std::uint32_t>(below(random, 1u << 16));
  seal(d);
  return d;
}

TEST(DescriptorTest, IsOneCacheLineOfPlainBytes) {
  EXPECT_EQ(sizeof(Descriptor), 64u);
  EXPECT_EQ(alignof(Descriptor), 64u);
  EXPECT_TRUE(std::is_trivially_copyable_v<Descriptor>);
}

TEST(DescriptorTest, IsIntactAfterSealingAndAfterACopy) {
  test::Random random(1);
  for (int round = 0; round < 10'000; ++round) {
    const Descriptor descriptor = random_descriptor(random);
    ASSERT_TRUE(descriptor_intact(descriptor));
    ASSERT_TRUE(descriptor_intact(from_bytes(bytes_of(descriptor))));
  }
}

TEST(DescriptorTest, AnyFlippedBitIsDetected) {
  test::Random random(2);
  for (int round = 0; round < 200; ++round) {
    const Descriptor descriptor = random_descriptor(random);
    for (std::size_t bit = 0; bit < kFieldBytes * 8; ++bit) {
      Bytes bytes = bytes_of(descriptor);
      bytes[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
      ASSERT_FALSE(descriptor_intact(from_bytes(bytes))) << "bit " << bit;
    }
  }
}

TEST(DescriptorTest, MemoryThatNobodyWroteIsNoDescriptor) {
  EXPECT_FALSE(descriptor_intact(Descriptor{}));
  Bytes bytes;
  bytes.fill(0xFF);
  EXPECT_FALSE(descriptor_intact(from_bytes(bytes)));
}

// A writer that died in the middle, or wrote to the wrong place.
TEST(DescriptorTest, ScribbledBytesAreDetected) {
  test::Random random(3);
  for (int round = 0; round < 100'000; ++round) {
    const Bytes before = bytes_of(random_descriptor(random));
    Bytes bytes = before;
    const std::size_t first = below(random, kFieldBytes);
    const std::size_t count = 1 + below(random, kFieldBytes - first);
    for (std::size_t i = first; i < first + count; ++i) {
      bytes[i] = static_cast<unsigned char>(random());
    }
    if (bytes == before) continue;
    ASSERT_FALSE(descriptor_intact(from_bytes(bytes))) << first << "+" << count;
  }
}

TEST(DescriptorTest, HalfOfOneAndHalfOfAnotherIsDetected) {
  test::Random random(4);
  for (int round = 0; round < 10'000; ++round) {
    const Bytes older = bytes_of(random_descriptor(random));
    const Bytes newer = bytes_of(random_descriptor(random));
    for (std::size_t torn_at = 8; torn_at < kFieldBytes; torn_at += 8) {
      Bytes bytes = newer;
      std::copy(older.begin() + static_cast<std::ptrdiff_t>(torn_at), older.end(),
                bytes.begin() + static_cast<std::ptrdiff_t>(torn_at));
      if (bytes == newer || bytes == older) continue;
      // Reserved bytes and padding are alike in both: the last cut may take over nothing.
      if (std::equal(bytes.begin(), bytes.begin() + kFieldBytes, newer.begin())) continue;
      ASSERT_FALSE(descriptor_intact(from_bytes(bytes))) << "torn at " << torn_at;
    }
  }
}

}  // namespace
}  // namespace ringcast::ring
