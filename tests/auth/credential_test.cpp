#include "auth/credential.h"

#include <gtest/gtest.h>

#include "auth/method.h"
#include "auth/saslprep.h"
#include "tests/auth/support.h"

namespace ringcast::auth {
namespace {

using test::kCheapArgon2;
using test::kCheapIterations;
using test::kSalt;
using test::must;

std::vector<Credential> one_of_each(std::string_view password) {
  return {must(make_plain(password)),
          must(make_argon2id(password, kCheapArgon2, kSalt)),
          must(make_pbkdf2(password, kCheapIterations, kSalt)),
          must(make_cra_key(password, kCheapIterations, kSalt)),
          must(make_scram_argon2id(password, kCheapArgon2, kSalt)),
          must(make_scram_pbkdf2(password, kCheapIterations, kSalt))};
}

TEST(Credential, EachKindKnowsItsPasswordAndNoOther) {
  for (const Credential& credential : one_of_each("correct horse")) {
    const std::string text = to_text(credential);
    EXPECT_TRUE(verify_password(credential, "correct horse")) << text;
    for (const char* wrong : {"", "correct hors", "correct horse ", "Correct horse"})
      EXPECT_FALSE(verify_password(credential, wrong)) << text << " " << wrong;
  }
}

TEST(Credential, TextAndBackIsTheSame) {
  for (const Credential& credential : one_of_each("secret")) {
    const std::string text = to_text(credential);
    const Credential back = must(parse_credential(text));
    EXPECT_EQ(to_text(back), text);
    EXPECT_EQ(back.index(), credential.index());
    EXPECT_TRUE(verify_password(back, "secret")) << text;
    EXPECT_FALSE(verify_password(back, "other")) << text;
  }
}

TEST(Credential, OnlyPlainShowsThePassword) {
  for (const Credential& credential : one_of_each("visible-secret")) {
    const std::string text = to_text(credential);
    EXPECT_EQ(text.find(to_base64("visible-secret", Base64::standard_unpadded)) != text.npos,
              std::holds_alternative<PlainSecret>(credential))
        << text;
  }
}

TEST(Credential, EachKindSaysWhichMethodsItServes) {
  const auto each = one_of_each("x");
  const auto methods = [&](std::size_t i) {
    std::string out;
    for (const Method method : {Method::anonymous, Method::ticket, Method::wampcra,
                                Method::cryptosign, Method::wamp_scram, Method::scram, Method::tls})
      if (serves(each[i], method)) out.append(method_name(method)).append(" ");
    return out;
  };
  EXPECT_EQ(methods(0), "ticket wampcra ");
  EXPECT_EQ(methods(1), "ticket ");
  EXPECT_EQ(methods(2), "ticket ");
  EXPECT_EQ(methods(3), "ticket wampcra ");
  EXPECT_EQ(methods(4), "ticket wamp-scram scram ");
  EXPECT_EQ(methods(5), "ticket wamp-scram scram ");
}

TEST(Credential, MethodsAreFoundByName) {
  EXPECT_EQ(method_by_name("wamp-scram"), Method::wamp_scram);
  EXPECT_EQ(method_by_name("scram"), Method::scram);
  EXPECT_EQ(method_by_name("tls"), Method::tls);
  EXPECT_FALSE(method_by_name("Ticket"));
  EXPECT_FALSE(method_by_name(""));
}

TEST(Credential, SaltsMakeEqualPasswordsDiffer) {
  EXPECT_NE(to_text(must(make_pbkdf2("x", 1, "salt-one"))),
            to_text(must(make_pbkdf2("x", 1, "salt-two"))));
}

TEST(Credential, ScramNormalizesPasswords) {
  const Credential kept = must(make_scram_pbkdf2("e\u0301", kCheapIterations, kSalt));
  EXPECT_TRUE(verify_password(kept, "\u00E9"));
  EXPECT_FALSE(make_scram_pbkdf2("\u0007", kCheapIterations, kSalt));
  EXPECT_FALSE(make_scram_argon2id("\u0007", kCheapArgon2, kSalt));
  EXPECT_FALSE(verify_password(kept, "\u0007"));
}

// Keys that somebody derived without normalizing.
TEST(Credential, APasswordThatSaslprepRefusesFitsNoScramKeys) {
  ScramKeys keys;
  keys.pbkdf2_iterations = kCheapIterations;
  keys.salt = kSalt;
  keys.keys = scram_key_pair(pbkdf2_sha256("\u0007", kSalt, kCheapIterations, 32));
  EXPECT_FALSE(verify_password(keys, "\u0007"));
}

TEST(Credential, RefusesEmptyAndEndlessPasswords) {
  const std::string endless(kPasswordSizeMax + 1, 'a');
  EXPECT_FALSE(make_plain(""));
  EXPECT_FALSE(make_argon2id("", kCheapArgon2, kSalt));
  EXPECT_FALSE(make_pbkdf2(endless, 1, kSalt));
  EXPECT_FALSE(make_cra_key(endless, 1, kSalt));
  EXPECT_FALSE(verify_password(must(make_plain("x")), endless));
}

TEST(Credential, RefusesCostsBeyondItsLimits) {
  EXPECT_FALSE(make_argon2id("x", {7, 1, 1}, kSalt));
  EXPECT_FALSE(make_argon2id("x", {kArgon2MemoryMaxKib + 1, 1, 1}, kSalt));
  EXPECT_FALSE(make_argon2id("x", {8192, 0, 1}, kSalt));
  EXPECT_FALSE(make_argon2id("x", {8192, 513, 1}, kSalt));
  EXPECT_FALSE(make_argon2id("x", {8192, 1, 0}, kSalt));
  EXPECT_FALSE(make_argon2id("x", {8192, 1, 17}, kSalt));
  EXPECT_FALSE(make_argon2id("x", {8, 1, 2}, kSalt));
  EXPECT_FALSE(make_scram_argon2id("x", {8192, 1, 2}, kSalt));
  EXPECT_FALSE(make_pbkdf2("x", 0, kSalt));
  EXPECT_FALSE(make_pbkdf2("x", kPbkdf2IterationsMax + 1, kSalt));
}

// As argon2's command line tool prints it: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
// -e
TEST(Credential, ReadsWhatOtherToolsHash) {
  const Credential argon2 = must(parse_credential(
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"));
  EXPECT_TRUE(verify_password(argon2, "password"));
  EXPECT_FALSE(verify_password(argon2, "passwore"));
}

TEST(Credential, RefusesTextsThatAreNone) {
  const std::string hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";  // 32 bytes
  const std::string salt = "MDEyMzQ1Njc4OWFiY2RlZg";
  ASSERT_TRUE(parse_credential("$pbkdf2-sha256$i=1,l=32$" + salt + "$" + hash));
  const std::string keys(86, 'A');  // 64 bytes
  ASSERT_TRUE(parse_credential("$scram-argon2id$v=19$m=16,t=1,p=1$" + salt + "$" + keys));
  ASSERT_TRUE(parse_credential("$argon2id$v=19$m=8,t=1,p=1$" + salt + "$" + hash));
  for (const std::string& text : {
           std::string(),
           std::string("$"),
           std::string("$$"),
           std::string("secret"),
           std::string("$plain"),
           std::string("$plain$"),
           std::string("$plain$!!!!"),
           std::string("$plain$c2VjcmV0$c2VjcmV0"),
           std::string("$plain$v=1$c2VjcmV0"),
           "$md5$" + salt + "$" + hash,
           "pbkdf2-sha256$i=1,l=32$" + salt + "$" + hash,
           "$pbkdf2-sha256$i=1$" + salt + "$" + hash,
           "$pbkdf2-sha256$l=32,i=1$" + salt + "$" + hash,
           "$pbkdf2-sha256$i=1,l=31$" + salt + "$" + hash,
           "$pbkdf2-sha256$i=0,l=32$" + salt + "$" + hash,
           "$pbkdf2-sha256$i=01,l=32$" + salt + "$" + hash,
           "$pbkdf2-sha256$i=-1,l=32$" + salt + "$" + hash,
           "$pbkdf2-sha256$i=4294967297,l=32$" + salt + "$" + hash,
           "$pbkdf2-sha256$i=10000001,l=32$" + salt + "$" + hash,
           "$pbkdf2-sha256$i=,l=32$" + salt + "$" + hash,
           "$pbkdf2-sha256$i=1,l=32,x=1$" + salt + "$" + hash,
           "$pbkdf2-sha256$i=1,l=32$$" + hash,
           "$pbkdf2-sha256$i=1,l=32$AA$" + hash,
           "$pbkdf2-sha256$i=1,l=32$" + salt,
           "$pbkdf2-sha256$i=1,l=32$" + salt + "$" + hash + "$",
           "$pbkdf2-sha256$i=1,l=32$" + salt + "$" + hash + "=",
           "$pbkdf2-sha256$i=1,l=32$" + salt + "$" + hash + "$" + hash,
           "$argon2id$m=8,t=1,p=1$" + salt + "$" + hash,
           "$argon2id$v=16$m=8,t=1,p=1$" + salt + "$" + hash,
           "$argon2id$v=19$m=4294967295,t=4294967295,p=1$" + salt + "$" + hash,
           "$argon2i$v=19$m=8,t=1,p=1$" + salt + "$" + hash,
           "$wampcra$i=1,l=32$$" + hash,
           "$wampcra$i=1,l=32$" + std::string("gICA") + "$" + hash,  // a salt that is not UTF-8
           "$scram-pbkdf2-sha256$i=1$" + salt + "$" + hash,
           "$scram-argon2id$v=19$m=16,t=1,p=2$" + salt + "$" + keys,
           "$pbkdf2-sha256$i=1,l=32$" + salt + "$" + std::string(5000, 'A'),
       }) {
    EXPECT_FALSE(parse_credential(text)) << text;
  }
}

TEST(Credential, EveryTruncationIsRefused) {
  for (const Credential& credential : one_of_each("secret")) {
    const std::string text = to_text(credential);
    // The last character may hold bits of the last byte only, so one less can be valid base64: a
    // shorter hash then, which must not be taken for the whole one.
    for (std::size_t size = 0; size < text.size(); ++size) {
      const auto parsed = parse_credential(text.substr(0, size));
      EXPECT_FALSE(parsed && verify_password(*parsed, "secret")) << text.substr(0, size);
    }
  }
}

TEST(Credential, FailuresSayWhatToDo) {
  const auto failed = parse_credential("hunter2");
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.failure().remedy.find("genhash"), std::string::npos);
  EXPECT_EQ(failed.failure().cause.find("hunter2"), std::string::npos) << "it may be a password";
}

}  // namespace
}  // namespace ringcast::auth
