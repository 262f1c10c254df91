#include "wire/base64.h"

#include <gtest/gtest.h>

#include <random>

namespace ringcast::wire {
namespace {

std::string encoded(Bytes data) {
  std::string out;
  append_base64(out, data);
  return out;
}

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encoded("\xFB\xFF\xBF"), "+/+/");
}

TEST(Base64, DecodesWhatItEncodesForEverySize) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 100; ++size) {
    std::string data(size, '\0');
    for (char& c : data) c = static_cast<char>(random());
    std::string back;
    ASSERT_TRUE(append_from_base64(back, encoded(data))) << size;
    EXPECT_EQ(back, data);
  }
}

TEST(Base64, AppendsBehindWhatIsThere) {
  std::string out = "a:";
  append_base64(out, "foo");
  EXPECT_EQ(out, "a:Zm9v");
  EXPECT_TRUE(append_from_base64(out, "Zm8="));
  EXPECT_EQ(out, "a:Zm9vfo");
}

TEST(Base64, RefusesWhatIsNotStrictAndLeavesTheOutputAlone) {
  for (const char* text : {"Z",      "Zg",   "Zg=",      "Zm9",  "=",        "==",    "===",
                           "====",   "Z===", "Zg==Zg==", "Zm=v", "Z=9v",     "Zm9v=", "Zm 9v",
                           "Zm9v\n", " Zm9", "Zm9-",     "Zm9_", "Zm9v!m9v", "Zg=a",  "Zm\x80v"}) {
    std::string out = "kept";
    EXPECT_FALSE(append_from_base64(out, text)) << text;
    EXPECT_EQ(out, "kept") << text;
  }
}

TEST(Base64, RefusesUnusedBitsThatAreNotZero) {
  std::string out;
  EXPECT_FALSE(append_from_base64(out, "Zh=="));
  EXPECT_FALSE(append_from_base64(out, "Zm9="));
  EXPECT_EQ(out, "");
}

TEST(Base64, RefusesANulByte) {
  std::string out;
  EXPECT_FALSE(append_from_base64(out, Bytes("Zm\0v", 4)));
}

}  // namespace
}  // namespace ringcast::wire
