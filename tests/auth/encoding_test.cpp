#include "auth/encoding.h"

#include <gtest/gtest.h>

#include <random>

namespace ringcast::auth {
namespace {

constexpr Base64 kVariants[] = {Base64::standard, Base64::standard_unpadded, Base64::url_unpadded};

TEST(Encoding, Base64GivesTheVectorsOfRfc4648) {
  EXPECT_EQ(to_base64("", Base64::standard), "");
  EXPECT_EQ(to_base64("f", Base64::standard), "Zg==");
  EXPECT_EQ(to_base64("fo", Base64::standard), "Zm8=");
  EXPECT_EQ(to_base64("foo", Base64::standard), "Zm9v");
  EXPECT_EQ(to_base64("foobar", Base64::standard), "Zm9vYmFy");
  EXPECT_EQ(to_base64("fo", Base64::standard_unpadded), "Zm8");
  EXPECT_EQ(to_base64("\xFB\xFF\xBF", Base64::standard), "+/+/");
  EXPECT_EQ(to_base64("\xFB\xFF\xBF", Base64::url_unpadded), "-_-_");
}

TEST(Encoding, DecodesWhatItEncodesForEverySize) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 70; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    for (const Base64 variant : kVariants)
      ASSERT_EQ(from_base64(to_base64(bytes, variant), variant), bytes) << size;
    ASSERT_EQ(from_hex(to_hex(bytes)), bytes) << size;
  }
}

TEST(Encoding, RefusesBase64ThatIsNotStrict) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg==Zg==", "Zm=v",
                           "Zm9v=", "Zm 9", "Zm9v\n", "Zm9-", "Zm9_", "Zg=a", "Zm\x80v"}) {
    EXPECT_FALSE(from_base64(text, Base64::standard)) << text;
  }
  for (const char* text : {"Z", "Zg==", "Zm8=", "Zm9+", "Zm9/", "Zm9vZ"})
    EXPECT_FALSE(from_base64(text, Base64::url_unpadded)) << text;
}

TEST(Encoding, RefusesBitsThatBelongToNoByte) {
  EXPECT_FALSE(from_base64("Zh==", Base64::standard));
  EXPECT_FALSE(from_base64("Zm9=", Base64::standard));
  EXPECT_FALSE(from_base64("Zh", Base64::url_unpadded));
}

TEST(Encoding, HexTakesBothCasesAndNothingElse) {
  EXPECT_EQ(to_hex("\x01\xAB"), "01ab");
  EXPECT_EQ(from_hex("01aB"), "\x01\xAB");
  for (const char* text : {"0", "0g", "g0", "0x12", " 1", "1 ", "-1"})
    EXPECT_FALSE(from_hex(text)) << text;
}

}  // namespace
}  // namespace ringcast::auth
