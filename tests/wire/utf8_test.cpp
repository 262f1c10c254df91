#include "wire/utf8.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace ringcast::wire {
namespace {

// UTF-8 by the table of RFC 3629, written the slow and obvious way.
bool reference_valid(const std::string& text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const unsigned lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if ((lead >= 0x80 && lead < 0xC0) || lead > 0xF7 || i + size > text.size()) return false;
    std::uint32_t point = size == 1 ? lead : lead & (0x7Fu >> size);
    for (std::size_t k = 1; k < size; ++k) {
      const unsigned byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xC0) != 0x80) return false;
      point = point << 6 | (byte & 0x3F);
    }
    const std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < smallest[size] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
      return false;
    i += size;
  }
  return true;
}

bool valid_byte_by_byte(const std::string& text) {
  Utf8Validator validator;
  for (const char& c : text) {
    if (!validator.feed(Bytes(&c, 1))) return false;
  }
  return validator.complete();
}

void expect_agreement(const std::string& text) {
  const bool expected = reference_valid(text);
  ASSERT_EQ(utf8_valid(text), expected) << testing::PrintToString(text);
  ASSERT_EQ(valid_byte_by_byte(text), expected) << testing::PrintToString(text);
  Utf8Validator validator;
  const bool fed = validator.feed(text);
  ASSERT_EQ(fed && validator.complete(), expected) << testing::PrintToString(text);
}

TEST(Utf8, AgreesWithTheTableForEveryPairOfBytes) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b)
      expect_agreement({static_cast<char>(a), static_cast<char>(b)});
  }
}

TEST(Utf8, AgreesWithTheTableForThreeAndFourBytesAtTheEdges) {
  const unsigned leads[] = {0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
                            0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFC, 0xFF};
  const unsigned edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
  for (const unsigned lead : leads) {
    for (const unsigned b : edges) {
      for (const unsigned c : edges) {
        expect_agreement({static_cast<char>(lead), static_cast<char>(b), static_cast<char>(c)});
        for (const unsigned d : edges) {
          expect_agreement({static_cast<char>(lead), static_cast<char>(b), static_cast<char>(c),
                            static_cast<char>(d)});
        }
      }
    }
  }
}

TEST(Utf8, FindsABadByteAtEveryPlaceBehindRunsOfAscii) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (const char* inside : {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xE2\x82", "\xE2\x82\xAC"})
      expect_agreement(std::string(before, 'a') + inside + std::string(20, 'b'));
  }
}

TEST(Utf8, AgreesWithTheTableForRandomText) {
  std::mt19937 random(11);
  const char* const pieces[] = {
      "a",    "plain ascii text", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x80",
      "\xE2", "\xF4\x90"};
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    const unsigned count = random() % 12;
    // Mostly valid, or every text would be refused at once.
    for (unsigned k = 0; k < count; ++k)
      text.append(pieces[random() % (random() % 8 == 0 ? 8 : 5)]);
    expect_agreement(text);
  }
}

TEST(Utf8Validator, FailsWithTheFirstByteThatNothingCouldMend) {
  struct Case {
    std::string text;
    std::size_t fails_at;
  };
  const Case cases[] = {
      {"ok\x80", 2},   {"ok\xC0", 2},       {"ok\xFF", 2},
      {"\xE0\x9F", 1}, {"\xED\xA0", 1},     {"\xF0\x8F", 1},
      {"\xF4\x90", 1}, {"\xE2\x82\x28", 2}, {"\xF0\x9F\x98\x28", 3},
  };
  for (const Case& c : cases) {
    Utf8Validator validator;
    for (std::size_t i = 0; i < c.text.size(); ++i)
      EXPECT_EQ(validator.feed(Bytes(c.text).substr(i, 1)), i < c.fails_at) << c.text << " " << i;
  }
}

TEST(Utf8Validator, IsIncompleteInsideACodePoint) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.complete());
  EXPECT_TRUE(validator.feed("\xF0\x9F"));
  EXPECT_FALSE(validator.complete());
  EXPECT_TRUE(validator.feed("\x98\x80"));
  EXPECT_TRUE(validator.complete());
}

TEST(Utf8Validator, StaysFailedUntilReset) {
  Utf8Validator validator;
  EXPECT_FALSE(validator.feed("\xFF"));
  EXPECT_FALSE(validator.feed("a"));
  EXPECT_FALSE(validator.complete());
  validator.reset();
  EXPECT_TRUE(validator.feed("a"));
  EXPECT_TRUE(validator.complete());
}

}  // namespace
}  // namespace ringcast::wire
