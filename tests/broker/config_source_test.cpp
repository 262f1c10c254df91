#include "broker/config_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace ringcast::broker {
namespace {

using testing::HasSubstr;

TEST(ConfigSourceTest, WhatWasSealedIsReadAgainAndAgain) {
  for (const std::string& text : {std::string(), std::string(200'000, 'x')}) {
    const auto fd = seal_text(text);
    ASSERT_TRUE(fd) << fd.failure().cause;
    for (int i = 0; i < 2; ++i) {
      const auto read = read_sealed_text(*fd);
      ASSERT_TRUE(read);
      EXPECT_EQ(*read, text);
    }
    close(*fd);
  }
}

TEST(ConfigSourceTest, NobodyCanChangeWhatWasSealed) {
  const auto fd = seal_text("text");
  ASSERT_TRUE(fd);
  EXPECT_EQ(pwrite(*fd, "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(ftruncate(*fd, 0), -1);
  EXPECT_EQ(fcntl(*fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
  close(*fd);
}

TEST(ConfigSourceTest, AFileThatCannotBeReadSaysWhy) {
  const auto none = read_text_file("/nonexistent/file.toml");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.failure().cause, HasSubstr("/nonexistent/file.toml: No such file"));
  const auto directory = read_text_file("/");
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.failure().cause, HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace ringcast::broker
