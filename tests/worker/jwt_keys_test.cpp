#include "worker/jwt_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ringcast::worker {
namespace {

using testing::HasSubstr;

constexpr const char* kOne =
    R"({"keys":[{"kty":"oct","alg":"HS256","kid":"1","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]})";
constexpr const char* kOther =
    R"({"keys":[{"kty":"oct","alg":"HS256","kid":"2","k":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]})";

class JwtKeysTest : public testing::Test {
 protected:
  JwtKeysTest() { source_.jwks_file = path_; }
  ~JwtKeysTest() override { std::filesystem::remove(path_); }
  void write(std::string_view text) { std::ofstream(path_) << text; }

  std::string path_ = testing::TempDir() + "jwt_keys_test." + std::to_string(getpid());
  JwtSource source_;
};

TEST_F(JwtKeysTest, AreReadAnewOnlyWhenTheFilesHaveChanged) {
  write(kOne);
  const auto first = read_jwt_keys(source_, nullptr);
  ASSERT_TRUE(first) << first.failure().cause;
  ASSERT_EQ((*first)->keys.size(), 1u);
  EXPECT_EQ((*first)->keys[0].kid(), "1");
  const auto same = read_jwt_keys(source_, *first);
  ASSERT_TRUE(same);
  EXPECT_EQ(*same, *first);
  write(kOther);
  const auto changed = read_jwt_keys(source_, *first);
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)->keys[0].kid(), "2");
}

TEST_F(JwtKeysTest, WhatIsWrongNamesTheFile) {
  EXPECT_THAT(read_jwt_keys(source_, nullptr).failure().cause, HasSubstr(path_));
  write("{}");
  EXPECT_THAT(read_jwt_keys(source_, nullptr).failure().cause, HasSubstr(path_));
  write(std::string(auth::kKeyDocumentSizeMax + 1, ' '));
  EXPECT_THAT(read_jwt_keys(source_, nullptr).failure().cause, HasSubstr("larger than"));
  source_.jwks_file = "/";
  EXPECT_THAT(read_jwt_keys(source_, nullptr).failure().cause, HasSubstr("cannot read"));
}

}  // namespace
}  // namespace ringcast::worker
