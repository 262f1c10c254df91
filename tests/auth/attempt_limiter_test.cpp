#include "auth/attempt_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace ringcast::auth {
namespace {

constexpr std::uint64_t kStart_ms = 1'000'000;
constexpr AttemptLimiter::Options kOptions{64, 3, 1000};
constexpr std::array<std::uint64_t, 2> kHashKey{0x0123456789ABCDEF, 0xFEDCBA9876543210};

AddressKey address(std::uint32_t number) {
  const std::array<std::uint8_t, 4> bytes{
      static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
      static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  return ipv4_key(bytes);
}

TEST(AttemptLimiter, LetsABurstThroughAndThenOneAnInterval) {
  AttemptLimiter limiter(kOptions, kHashKey);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.begin(address(1), kStart_ms), 0u) << i;
  EXPECT_EQ(limiter.begin(address(1), kStart_ms), 1000u);
  EXPECT_EQ(limiter.begin(address(1), kStart_ms + 400), 600u);
  EXPECT_EQ(limiter.begin(address(1), kStart_ms + 1000), 0u);
  EXPECT_EQ(limiter.begin(address(1), kStart_ms + 1000), 1000u);
}

TEST(AttemptLimiter, RefusedAttemptsCostNothingMore) {
  AttemptLimiter limiter(kOptions, kHashKey);
  for (int i = 0; i < 1000; ++i) limiter.begin(address(1), kStart_ms);
  EXPECT_EQ(limiter.begin(address(1), kStart_ms + 1000), 0u);
}

TEST(AttemptLimiter, ForgivesWithTime) {
  AttemptLimiter limiter(kOptions, kHashKey);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.begin(address(1), kStart_ms), 0u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.begin(address(1), kStart_ms + 3000), 0u) << i;
  EXPECT_NE(limiter.begin(address(1), kStart_ms + 3000), 0u);
}

TEST(AttemptLimiter, NeverLimitsWhoSucceeds) {
  AttemptLimiter limiter(kOptions, kHashKey);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(limiter.begin(address(1), kStart_ms), 0u) << i;
    limiter.succeeded(address(1), kStart_ms);
  }
}

TEST(AttemptLimiter, SuccessForgivesNoOtherFailure) {
  AttemptLimiter limiter(kOptions, kHashKey);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(limiter.begin(address(1), kStart_ms), 0u);
  // A third, that succeeds, over and over: the two failures stay.
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(limiter.begin(address(1), kStart_ms), 0u);
    limiter.succeeded(address(1), kStart_ms);
  }
  EXPECT_EQ(limiter.begin(address(1), kStart_ms), 0u);
  EXPECT_NE(limiter.begin(address(1), kStart_ms), 0u);
}

TEST(AttemptLimiter, SuccessOutOfNothingGivesNoCredit) {
  AttemptLimiter limiter(kOptions, kHashKey);
  for (int i = 0; i < 100; ++i) limiter.succeeded(address(1), kStart_ms);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.begin(address(1), kStart_ms), 0u);
  EXPECT_NE(limiter.begin(address(1), kStart_ms), 0u);
}

TEST(AttemptLimiter, AttemptsSideBySideGainNothing) {
  AttemptLimiter limiter(kOptions, kHashKey);
  int begun = 0;
  for (int i = 0; i < 100; ++i) begun += limiter.begin(address(1), kStart_ms) == 0 ? 1 : 0;
  EXPECT_EQ(begun, 3);
}

TEST(AttemptLimiter, AddressesAreLimitedEachByItself) {
  AttemptLimiter limiter(kOptions, kHashKey);
  while (limiter.begin(address(1), kStart_ms) == 0) {
  }
  EXPECT_EQ(limiter.begin(address(2), kStart_ms), 0u);
}

TEST(AttemptLimiter, ForgetsNobodyWhileThereIsRoom) {
  AttemptLimiter limiter({4096, 1, 1000}, kHashKey);
  for (std::uint32_t i = 0; i < 500; ++i) EXPECT_EQ(limiter.begin(address(i), kStart_ms), 0u);
  for (std::uint32_t i = 0; i < 500; ++i) EXPECT_NE(limiter.begin(address(i), kStart_ms), 0u) << i;
  EXPECT_EQ(limiter.forgotten(), 0u);
}

// The smallest table has eight places.
TEST(AttemptLimiter, ForgetsTheOneWithTheLeastDebt) {
  AttemptLimiter limiter({1, 10, 1000}, kHashKey);
  while (limiter.begin(address(0), kStart_ms) == 0) {
  }
  for (std::uint32_t i = 1; i < 1000; ++i) EXPECT_EQ(limiter.begin(address(i), kStart_ms), 0u);
  EXPECT_NE(limiter.begin(address(0), kStart_ms), 0u) << "whoever tries hardest is remembered";
  EXPECT_EQ(limiter.forgotten(), 999u - 7u);
}

TEST(AttemptLimiter, DebtThatHasRunOutMakesRoomFirst) {
  AttemptLimiter limiter({8, 2, 1000}, kHashKey);
  for (std::uint32_t i = 0; i < 8; ++i) EXPECT_EQ(limiter.begin(address(i), kStart_ms), 0u);
  for (std::uint32_t i = 100; i < 108; ++i)
    EXPECT_EQ(limiter.begin(address(i), kStart_ms + 1000), 0u);
  EXPECT_EQ(limiter.forgotten(), 0u);
}

TEST(AttemptLimiter, AgreesWithAModelThatForgetsNothing) {
  AttemptLimiter limiter({8192, 3, 1000}, kHashKey);
  std::array<std::uint64_t, 20> paid_ms{};
  std::mt19937 random(3);
  std::uint64_t now_ms = kStart_ms;
  for (int i = 0; i < 50'000; ++i) {
    now_ms += random() % 200;
    const std::uint32_t who = random() % 20;
    std::uint64_t& paid = paid_ms[who];
    paid = std::max(paid, now_ms);
    const std::uint64_t wait_ms = paid - now_ms > 2000 ? paid - now_ms - 2000 : 0;
    ASSERT_EQ(limiter.begin(address(who), now_ms), wait_ms) << i;
    if (wait_ms != 0) continue;
    paid += 1000;
    if (random() % 3 == 0) {
      limiter.succeeded(address(who), now_ms);
      paid -= 1000;
    }
  }
}

TEST(AttemptLimiter, OneCustomersIpv6AddressesAreOne) {
  std::array<std::uint8_t, 16> one{0x20, 0x01, 0x0D, 0xB8, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 1};
  std::array<std::uint8_t, 16> same = one;
  same[15] = 2;
  same[8] = 9;
  std::array<std::uint8_t, 16> other = one;
  other[7] = 5;
  EXPECT_EQ(ipv6_key(one), ipv6_key(same));
  EXPECT_NE(ipv6_key(one), ipv6_key(other));
}

TEST(AttemptLimiter, AnIpv4AddressIsTheSameInAnIpv6Socket) {
  const std::array<std::uint8_t, 16> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1};
  const std::array<std::uint8_t, 4> plain{192, 0, 2, 1};
  EXPECT_EQ(ipv6_key(mapped), ipv4_key(plain));
  EXPECT_NE(ipv4_key(plain), ipv6_key(std::array<std::uint8_t, 16>{}));
}

TEST(AddressTextTest, IsTheAddressThatIsLimited) {
  const std::array<std::uint8_t, 4> four{192, 0, 2, 255};
  EXPECT_EQ(address_text(ipv4_key(four)), "192.0.2.255");
  const std::array<std::uint8_t, 16> six{0x20, 1, 0xD, 0xB8, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9};
  EXPECT_EQ(address_text(ipv6_key(six)), "2001:db8:0:1::/64");
}

}  // namespace
}  // namespace ringcast::auth
