#include "client/bench/stamp.h"

#include <gtest/gtest.h>

#include <string>

namespace ringcast::bench {
namespace {

class StampTest : public testing::TestWithParam<StampForm> {};

const Stamp kStamp{0x0123456789ABCDEF, 0x7FEDCBA987654321, 0xDEADBEEF, 65535, 258};

std::string stamped(StampForm form, std::size_t size) {
  std::string payload(size, 'x');
  write_stamp(payload.data(), payload.size(), form, kStamp);
  return payload;
}

TEST_P(StampTest, ComesBackAsWritten) {
  for (const std::size_t extra : {0u, 1u, 7u, 31u, 32u, 33u, 1000u}) {
    Stamp read;
    ASSERT_TRUE(read_stamp(stamped(GetParam(), stamp_bytes(GetParam()) + extra), GetParam(), read));
    EXPECT_EQ(read.sequence, kStamp.sequence);
    EXPECT_EQ(read.intended_ns, kStamp.intended_ns);
    EXPECT_EQ(read.run, kStamp.run);
    EXPECT_EQ(read.publisher, kStamp.publisher);
    EXPECT_EQ(read.topic, kStamp.topic);
  }
}

TEST_P(StampTest, SeesEveryFlippedBit) {
  const std::string good = stamped(GetParam(), 150);
  Stamp read;
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[byte] = static_cast<char>(bad[byte] ^ (1 << bit));
      EXPECT_FALSE(read_stamp(bad, GetParam(), read)) << byte << '.' << bit;
    }
  }
}

TEST_P(StampTest, SeesMissingAndAddedBytes) {
  const std::string good = stamped(GetParam(), 150);
  Stamp read;
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(read_stamp(good.substr(0, size), GetParam(), read)) << size;
  }
  EXPECT_FALSE(read_stamp(good + std::string(1, '\0'), GetParam(), read));
}

TEST_P(StampTest, SeesBlocksThatChangedPlaces) {
  std::string payload(stamp_bytes(GetParam()) + 96, 'a');
  for (std::size_t i = stamp_bytes(GetParam()); i < payload.size(); ++i) {
    payload[i] = static_cast<char>('a' + i / 32 % 26);
  }
  write_stamp(payload.data(), payload.size(), GetParam(), kStamp);
  const std::size_t padding = stamp_bytes(GetParam());
  std::swap_ranges(payload.begin() + static_cast<std::ptrdiff_t>(padding),
                   payload.begin() + static_cast<std::ptrdiff_t>(padding + 32),
                   payload.begin() + static_cast<std::ptrdiff_t>(padding + 64));
  Stamp read;
  EXPECT_FALSE(read_stamp(payload, GetParam(), read));
}

INSTANTIATE_TEST_SUITE_P(Forms, StampTest, testing::Values(StampForm::binary, StampForm::ascii),
                         [](const auto& form) {
                           return form.param == StampForm::binary ? "binary" : "ascii";
                         });

TEST(StampAscii, IsSafeInsideAJsonString) {
  for (const char c : stamped(StampForm::ascii, 100)) EXPECT_TRUE(c >= 'a' && c <= 'z');
}

}  // namespace
}  // namespace ringcast::bench
