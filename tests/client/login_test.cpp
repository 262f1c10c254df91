// The client's half of logging in, against the router's half in auth/, over both serializers.
#include "client/login.h"

#include <gtest/gtest.h>

#include "auth/encoding.h"
#include "auth/wampcra.h"
#include "wire/decode.h"
#include "wire/encode.h"
#include "wire/list_reader.h"
#include "wire/members.h"

namespace ringcast::test {
namespace {

using client::Failure;
using client::Login;
using client::Principal;
using wire::Serializer;

std::unique_ptr<Login> login(Principal principal) {
  auto begun = Login::begin(std::move(principal));
  if (const auto* failure = std::get_if<Failure>(&begun)) {
    ADD_FAILURE() << failure->cause;
    return nullptr;
  }
  return std::get<std::unique_ptr<Login>>(std::move(begun));
}

class LoginOver : public testing::TestWithParam<Serializer> {
 protected:
  // What the login says to a challenge: AUTHENTICATE, or its failure in `failure_`.
  const wire::Authenticate& answer(Login& login, std::string_view method,
                                   const std::vector<wire::Member>& extra) {
    std::string challenge;
    wire::append_challenge(challenge, GetParam(), method, extra);
    reply_.clear();
    failure_ = login.answer(
        reply_, GetParam(),
        std::get<wire::Challenge>(std::get<wire::Message>(challenge_decoder_.decode(challenge))));
    if (failure_) return nothing_;
    return std::get<wire::Authenticate>(std::get<wire::Message>(decoder_.decode(reply_)));
  }

  std::optional<Failure> welcome(Login& login, const std::vector<wire::Member>& authextra) {
    std::string message;
    wire::WelcomeDetails details;
    details.authextra = authextra;
    wire::append_welcome(message, GetParam(), 1, details);
    return login.check(GetParam(),
                       std::get<wire::Welcome>(std::get<wire::Message>(decoder_.decode(message))));
  }

  std::vector<std::string> methods(Login& login) {
    wire::ListReader reader;
    reader.open(GetParam(), login.hello(GetParam()).authmethods);
    std::vector<std::string> names;
    wire::Bytes name;
    while (reader.next(name)) names.emplace_back(name);
    return names;
  }

  wire::Decoder decoder_{GetParam()};
  wire::Decoder challenge_decoder_{GetParam()};
  std::string reply_;
  std::optional<Failure> failure_;
  wire::Authenticate nothing_;  // where there is no answer
};

INSTANTIATE_TEST_SUITE_P(Serializers, LoginOver,
                         testing::Values(Serializer::json, Serializer::msgpack),
                         [](const auto& test) {
                           return test.param == Serializer::json ? "json" : "msgpack";
                         });

TEST_P(LoginOver, ATicketGoesAsItIs) {
  const auto ticket = login({"joe", client::Ticket{"tick\"et"}, std::nullopt});
  EXPECT_EQ(methods(*ticket), std::vector<std::string>{"ticket"});
  EXPECT_EQ(ticket->hello(GetParam()).authid, "joe");
  EXPECT_EQ(answer(*ticket, "ticket", {}).signature, "tick\"et");
  EXPECT_FALSE(welcome(*ticket, {}));
}

TEST_P(LoginOver, WampCraWithAndWithoutSalt) {
  for (const bool salted : {false, true}) {
    const auto credential =
        salted ? *auth::make_cra_key("secret", 1000, "salt-of-joe") : *auth::make_plain("secret");
    const auto server = *auth::CraServer::begin(credential, "{\"nonce\": \"ä\"}");
    const auto cra = login({"joe", client::Password{"secret"}, auth::Method::wampcra});
    EXPECT_EQ(methods(*cra), std::vector<std::string>{"wampcra"});
    std::vector<wire::Member> extra = {{"challenge", wire::Bytes(server.challenge())}};
    if (salted) {
      extra.push_back({"salt", wire::Bytes(server.salting()->salt)});
      extra.push_back({"iterations", std::uint64_t{server.salting()->iterations}});
      extra.push_back({"keylen", std::uint64_t{server.salting()->keylen}});
    }
    EXPECT_TRUE(server.verify(answer(*cra, "wampcra", extra).signature));
    const auto wrong = login({"joe", client::Password{"Secret"}, auth::Method::wampcra});
    EXPECT_FALSE(server.verify(answer(*wrong, "wampcra", extra).signature));
  }
}

TEST_P(LoginOver, Cryptosign) {
  const auth::Bytes32 seed = auth::random_bytes32();
  const auth::Bytes32 challenge = auth::random_bytes32();
  const auto key = login({"", client::PrivateKey{seed}, std::nullopt});
  const auto hello = key->hello(GetParam());
  EXPECT_EQ(hello.authid, "");
  EXPECT_EQ(wire::text_member(GetParam(), hello.authextra, "pubkey"),
            auth::to_hex(auth::view(auth::ed25519_public_key(seed))));
  const std::string hex = auth::to_hex(auth::view(challenge));
  const auto& reply = answer(*key, "cryptosign", {{"challenge", wire::Bytes(hex)}});
  EXPECT_TRUE(auth::cryptosign_verify(auth::ed25519_public_key(seed), challenge, std::nullopt,
                                      reply.signature));
  const auto other = login({"", client::PrivateKey{seed}, std::nullopt});
  answer(*other, "cryptosign", {{"challenge", wire::Bytes("short")}});
  EXPECT_TRUE(failure_);
}

// The router's half of one SCRAM attempt.
auth::ScramServer scram_server(auth::ScramDialect dialect, Serializer serializer,
                               const wire::HelloDetails& hello, std::string_view password) {
  const auth::Credential credential =
      *auth::make_scram_argon2id(password, {8192, 2, 1}, "sixteen bytes  .");
  const auth::ScramHello said{std::string(hello.authid),
                              *wire::text_member(serializer, hello.authextra, "nonce"),
                              std::nullopt};
  return *auth::ScramServer::begin(dialect, said, std::get<auth::ScramKeys>(credential),
                                   "server's nonce..", std::nullopt);
}

std::vector<wire::Member> extra_of(const auth::ScramChallenge& challenge) {
  return {{"nonce", wire::Bytes(challenge.nonce)},
          {"salt", wire::Bytes(challenge.salt)},
          {"kdf", wire::Bytes(challenge.kdf)},
          {"iterations", std::uint64_t{challenge.iterations}},
          {"memory", std::uint64_t{*challenge.memory_kib}}};
}

TEST_P(LoginOver, ScramInBothDialectsAndTheRouterHasToProveItselfToo) {
  for (const auto dialect : {auth::ScramDialect::standard, auth::ScramDialect::crossbar}) {
    const bool older = dialect == auth::ScramDialect::crossbar;
    const auto scram = login({"joe", client::Password{"secret"}, std::nullopt});
    EXPECT_EQ(methods(*scram), (std::vector<std::string>{"wamp-scram", "scram", "wampcra"}));
    auth::ScramServer server =
        scram_server(dialect, GetParam(), scram->hello(GetParam()), "secret");
    const auto& reply =
        answer(*scram, older ? "scram" : "wamp-scram", extra_of(server.challenge()));
    ASSERT_FALSE(failure_) << failure_->cause;
    auth::ScramProof proof;
    proof.signature = reply.signature;
    proof.nonce = wire::text_member(GetParam(), reply.raw_extra, "nonce");
    EXPECT_TRUE(server.verify(proof));
    const std::string verifier = server.verifier();
    EXPECT_FALSE(welcome(*scram, {{auth::scram_verifier_name(dialect), wire::Bytes(verifier)}}));
    EXPECT_TRUE(welcome(*scram, {{auth::scram_verifier_name(dialect), wire::Bytes("forged")}}));
    EXPECT_TRUE(welcome(*scram, {}));
  }
}

TEST_P(LoginOver, AWrongPasswordIsRefused) {
  const auto scram = login({"joe", client::Password{"wrong"}, auth::Method::wamp_scram});
  auth::ScramServer server =
      scram_server(auth::ScramDialect::standard, GetParam(), scram->hello(GetParam()), "secret");
  const auto& reply = answer(*scram, "wamp-scram", extra_of(server.challenge()));
  auth::ScramProof proof;
  proof.signature = reply.signature;
  proof.nonce = wire::text_member(GetParam(), reply.raw_extra, "nonce");
  EXPECT_FALSE(server.verify(proof));
}

// A router that could choose would ask for what shows it the password.
TEST_P(LoginOver, OnlyWhatWasOfferedIsAnsweredAndOnlyOnce) {
  const auto password = login({"joe", client::Password{"secret"}, auth::Method::wamp_scram});
  for (const char* method : {"ticket", "wampcra", "scram", "anonymous", "nonsense"}) {
    answer(*password, method, {{"challenge", wire::Bytes("x")}});
    ASSERT_TRUE(failure_) << method;
    EXPECT_EQ(reply_, "") << method;
  }
  const auto ticket = login({"joe", client::Ticket{"t"}, std::nullopt});
  answer(*ticket, "ticket", {});
  EXPECT_FALSE(failure_);
  answer(*ticket, "ticket", {});
  EXPECT_TRUE(failure_);
}

TEST_P(LoginOver, ARouterThatDoesNotAskHasCheckedNothing) {
  const auto ticket = login({"joe", client::Ticket{"t"}, std::nullopt});
  EXPECT_TRUE(welcome(*ticket, {}));
}

TEST(Login, RefusesAMethodThatTheProofDoesNotServe) {
  for (const auto method : {auth::Method::ticket, auth::Method::cryptosign, auth::Method::tls}) {
    const auto begun = Login::begin({"joe", client::Password{"x"}, method});
    EXPECT_TRUE(std::holds_alternative<Failure>(begun)) << auth::method_name(method);
  }
}

}  // namespace
}  // namespace ringcast::test
