#include "worker/principals.h"

#include <gtest/gtest.h>

namespace ringcast::worker {
namespace {

using auth::Method;

auth::Credential plain() { return auth::PlainSecret{"secret"}; }
auth::Credential salted(std::uint32_t iterations) {
  return auth::CraKey{iterations, "c2FsdHNhbHRzYWx0", std::string(32, 'k')};
}
auth::Credential scram() {
  auth::ScramKeys keys;
  keys.pbkdf2_iterations = 4096;
  keys.salt = "saltsalt";
  return keys;
}

Principal principal(std::string authid, std::vector<auth::Credential> secrets,
                    std::uint16_t role = 0) {
  return {
      .authid = std::move(authid), .role = role, .secrets = std::move(secrets), .public_keys = {}};
}

TEST(PrincipalsTest, AreFoundByNameAndByKey) {
  Principal key = principal("key", {});
  key.public_keys = {auth::sha256("1"), auth::sha256("2")};
  std::vector<Principal> all;
  all.push_back(principal("a", {plain()}));
  all.push_back(key);
  // Moved about, as it is while a realm is built.
  Principals first(std::move(all));
  const Principals principals = std::move(first);
  ASSERT_NE(principals.find("a"), nullptr);
  EXPECT_EQ(principals.find("a")->authid, "a");
  EXPECT_EQ(principals.find("A"), nullptr);
  EXPECT_EQ(principals.find(""), nullptr);
  ASSERT_NE(principals.find_key(auth::sha256("2")), nullptr);
  EXPECT_EQ(principals.find_key(auth::sha256("2"))->authid, "key");
  EXPECT_EQ(principals.find_key(auth::sha256("3")), nullptr);
}

TEST(PrincipalsTest, TheFirstSecretThatServesTheMethodCounts) {
  const Principal joe = principal("joe", {scram(), salted(10), plain()});
  EXPECT_EQ(joe.secret_for(Method::ticket), &joe.secrets[0]);
  EXPECT_EQ(joe.secret_for(Method::wampcra), &joe.secrets[1]);
  EXPECT_EQ(joe.secret_for(Method::wamp_scram), &joe.secrets[0]);
  EXPECT_EQ(joe.secret_for(Method::cryptosign), nullptr);
}

TEST(PrincipalsTest, OfferTheMethodsThatSomebodyCanUse) {
  const Principals none;
  for (const Method method : {Method::ticket, Method::wampcra, Method::cryptosign,
                              Method::wamp_scram, Method::scram, Method::anonymous}) {
    EXPECT_FALSE(none.offer(method));
  }
  const Principals some({principal("a", {salted(10)})});
  EXPECT_TRUE(some.offer(Method::ticket));
  EXPECT_TRUE(some.offer(Method::wampcra));
  EXPECT_FALSE(some.offer(Method::scram));
  EXPECT_FALSE(some.offer(Method::cryptosign));
}

TEST(PrincipalsTest, TheUsualIsWhatMostHave) {
  const Principals principals({principal("a", {salted(10)}, 1), principal("b", {salted(20)}, 2),
                               principal("c", {plain()}, 2), principal("d", {salted(20)}, 0)});
  const auth::Credential* usual = principals.usual_secret(Method::wampcra);
  ASSERT_NE(usual, nullptr);
  EXPECT_EQ(std::get<auth::CraKey>(*usual).iterations, 20u);
  EXPECT_EQ(principals.usual_role(), 2);
  EXPECT_EQ(principals.usual_secret(Method::scram), nullptr);
}

}  // namespace
}  // namespace ringcast::worker
