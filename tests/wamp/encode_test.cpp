// What the encoder writes, read back by the JSON library and by the project's own decoder.

#include "wire/encode.h"

#include <gtest/gtest.h>

#include "samples.h"

namespace ringcast::wire::test {
namespace {

class EncodeEachSerializer : public testing::TestWithParam<Serializer> {
 protected:
  Serializer serializer() const { return GetParam(); }
  template <class Append>
  Json written(Append append) const {
    return test::written(GetParam(), append);
  }
};
INSTANTIATE_TEST_SUITE_P(Wamp, EncodeEachSerializer, testing::ValuesIn(kSerializers),
                         [](const auto& param) { return to_string(param.param); });

const Bytes kAwkward = "say \"hi\"\\ \n\r\t\b\f \x01\x1F\x7F / Grüße 🎈";

TEST_P(EncodeEachSerializer, welcome_announces_both_roles_always) {
  const WelcomeDetails details{"realm1",
                               "joe",
                               "anonymous",
                               "anonymous",
                               "static",
                               "ringcast-0.1.0",
                               {"publisher_exclusion", "session_meta_api"},
                               {},
                               {}};
  const Json expected = {
      2,
      9007199254740991,
      {{"realm", "realm1"},
       {"authid", "joe"},
       {"authrole", "anonymous"},
       {"authmethod", "anonymous"},
       {"authprovider", "static"},
       {"roles",
        {{"broker", {{"features", {{"publisher_exclusion", true}, {"session_meta_api", true}}}}},
         {"dealer", {{"features", Json::object()}}}}},
       {"agent", "ringcast-0.1.0"}}};
  EXPECT_EQ(written([&](std::string& out) {
              append_welcome(out, serializer(), 9007199254740991, details);
            }),
            expected);
}

TEST_P(EncodeEachSerializer, welcome_may_carry_authextra) {
  WelcomeDetails details;
  details.authextra = {{"verifier", "v=6rri"}};
  const Json welcome =
      written([&](std::string& out) { append_welcome(out, serializer(), 1, details); });
  EXPECT_EQ(welcome[2]["authextra"], (Json{{"verifier", "v=6rri"}}));
}

TEST_P(EncodeEachSerializer, challenge_and_authenticate_carry_what_their_method_needs) {
  EXPECT_EQ(written([&](std::string& out) { append_challenge(out, serializer(), "ticket", {}); }),
            Json({4, "ticket", Json::object()}));
  const std::string challenge(kAwkward);
  EXPECT_EQ(
      written([&](std::string& out) {
        append_challenge(out, serializer(), "wampcra",
                         {{"challenge", challenge},
                          {"salt", "salt123"},
                          {"keylen", 32u},
                          {"iterations", std::uint64_t{1000}}});
      }),
      Json({4,
            "wampcra",
            {{"challenge", kAwkward}, {"salt", "salt123"}, {"keylen", 32}, {"iterations", 1000}}}));
  EXPECT_EQ(written([&](std::string& out) {
              append_challenge(out, serializer(), "cryptosign",
                               {{"challenge", "00ff"}, {"channel_binding", {}}});
            }),
            Json({4, "cryptosign", {{"challenge", "00ff"}, {"channel_binding", nullptr}}}));
  EXPECT_EQ(written([&](std::string& out) {
              append_authenticate(out, serializer(), "c2ln", {{"nonce", "n"}, {"cbind_data", {}}});
            }),
            Json({5, "c2ln", {{"nonce", "n"}, {"cbind_data", nullptr}}}));
}

TEST_P(EncodeEachSerializer, a_dict_can_be_built_for_hello) {
  std::string authextra;
  append_dict(authextra, serializer(), {{"pubkey", "00ff"}, {"channel_binding", {}}});
  std::string authmethods;
  append_text_list(authmethods, serializer(), {"cryptosign", "anonymous"});
  HelloDetails details;
  details.caller.announced = true;
  details.authid = "joe";
  details.authmethods = authmethods;
  details.authextra = authextra;
  EXPECT_EQ(
      written([&](std::string& out) { append_hello(out, serializer(), "realm1", "me", details); }),
      Json({1,
            "realm1",
            {{"roles", {{"caller", {{"features", Json::object()}}}}},
             {"agent", "me"},
             {"authid", "joe"},
             {"authmethods", {"cryptosign", "anonymous"}},
             {"authextra", {{"pubkey", "00ff"}, {"channel_binding", nullptr}}}}}));
}

TEST_P(EncodeEachSerializer, abort_and_goodbye_have_three_elements) {
  EXPECT_EQ(
      written([&](std::string& out) { append_abort(out, serializer(), "wamp.error.x", kAwkward); }),
      Json({3, {{"message", kAwkward}}, "wamp.error.x"}));
  EXPECT_EQ(written([&](std::string& out) { append_abort(out, serializer(), "wamp.error.x", ""); }),
            Json({3, Json::object(), "wamp.error.x"}));
  EXPECT_EQ(
      written([&](std::string& out) { append_goodbye(out, serializer(), "wamp.close.x", "bye"); }),
      Json({6, {{"message", "bye"}}, "wamp.close.x"}));
  EXPECT_EQ(
      written([&](std::string& out) { append_goodbye(out, serializer(), "wamp.close.x", ""); }),
      Json({6, Json::object(), "wamp.close.x"}));
}

TEST_P(EncodeEachSerializer, error_carries_its_message_as_the_only_argument) {
  EXPECT_EQ(written([&](std::string& out) {
              append_error(out, serializer(), MessageType::publish, 70, "wamp.error.x", kAwkward);
            }),
            Json({8, 16, 70, Json::object(), "wamp.error.x", Json::array({kAwkward})}));
  EXPECT_EQ(written([&](std::string& out) {
              append_error(out, serializer(), MessageType::unsubscribe, 1, "wamp.error.x", "");
            }),
            Json({8, 34, 1, Json::object(), "wamp.error.x"}));
}

TEST_P(EncodeEachSerializer, replies) {
  EXPECT_EQ(written([&](std::string& out) { append_published(out, serializer(), 1, kIdMax); }),
            Json({17, 1, kIdMax}));
  EXPECT_EQ(written([&](std::string& out) { append_subscribed(out, serializer(), 300, 5); }),
            Json({33, 300, 5}));
  EXPECT_EQ(written([&](std::string& out) { append_unsubscribed(out, serializer(), 70000); }),
            Json::array({35, 70000}));
}

TEST_P(EncodeEachSerializer, replies_to_callees) {
  EXPECT_EQ(written([&](std::string& out) { append_registered(out, serializer(), 1, 4294967295); }),
            Json({65, 1, 4294967295}));
  EXPECT_EQ(written([&](std::string& out) { append_unregistered(out, serializer(), 70000); }),
            Json::array({67, 70000}));
}

TEST_P(EncodeEachSerializer, revocations_answer_no_request) {
  EXPECT_EQ(written([&](std::string& out) {
              append_subscription_revoked(out, serializer(), 5, "com.gone");
            }),
            Json({35, 0, {{"subscription", 5}, {"reason", "com.gone"}}}));
  EXPECT_EQ(
      written([&](std::string& out) { append_registration_revoked(out, serializer(), 6, ""); }),
      Json({67, 0, {{"registration", 6}}}));
}

TEST_P(EncodeEachSerializer, errors_of_calls_keep_their_payload) {
  const std::string args = serialize({1, "x"}, serializer());
  const std::string kwargs = serialize({{"k", 1}}, serializer());
  const auto error = [&](const Payload& payload) {
    return written([&](std::string& out) {
      append_error(out, serializer(), MessageType::call, 7, ErrorDetails{}, "com.error", payload);
    });
  };
  EXPECT_EQ(error({}), Json({8, 48, 7, Json::object(), "com.error"}));
  EXPECT_EQ(error({args, {}}), Json({8, 48, 7, Json::object(), "com.error", {1, "x"}}));
  EXPECT_EQ(error({{}, kwargs}),
            Json({8, 48, 7, Json::object(), "com.error", Json::array(), {{"k", 1}}}));
}

TEST_P(EncodeEachSerializer, requests) {
  const Json hello =
      written([&](std::string& out) { append_hello(out, serializer(), "realm1", "me"); });
  const Json empty = {{"features", Json::object()}};
  EXPECT_EQ(hello,
            Json({1,
                  "realm1",
                  {{"roles", {{"publisher", empty}, {"subscriber", empty}}}, {"agent", "me"}}}));
  EXPECT_EQ(written([&](std::string& out) { append_subscribe(out, serializer(), 1, kAwkward); }),
            Json({32, 1, Json::object(), kAwkward}));
  EXPECT_EQ(written([&](std::string& out) { append_unsubscribe(out, serializer(), 2, 9); }),
            Json({34, 2, 9}));
  EXPECT_EQ(written([&](std::string& out) { append_unregister(out, serializer(), 2, 9); }),
            Json({66, 2, 9}));
}

TEST_P(EncodeEachSerializer, publish_writes_only_what_is_not_default) {
  const std::string args = serialize({1, "x"}, serializer());
  const std::string kwargs = serialize({{"k", 1}}, serializer());
  const auto publish = [&](PublishOptions options, Payload payload) {
    return written(
        [&](std::string& out) { append_publish(out, serializer(), 3, options, "a.b", payload); });
  };
  EXPECT_EQ(publish({}, {}), Json({16, 3, Json::object(), "a.b"}));
  EXPECT_EQ(publish({true, true}, {args, {}}),
            Json({16, 3, {{"acknowledge", true}}, "a.b", {1, "x"}}));
  EXPECT_EQ(publish({false, false}, {args, kwargs}),
            Json({16, 3, {{"exclude_me", false}}, "a.b", {1, "x"}, {{"k", 1}}}));
  EXPECT_EQ(publish({true, false}, {{}, kwargs}),
            Json({16,
                  3,
                  {{"acknowledge", true}, {"exclude_me", false}},
                  "a.b",
                  Json::array(),
                  {{"k", 1}}}));
}

TEST_P(EncodeEachSerializer, event_is_as_large_as_announced) {
  const std::string args = serialize({1, "x"}, serializer());
  const std::string kwargs = serialize({{"k", 1}}, serializer());
  const Payload payloads[] = {{}, {args, {}}, {{}, kwargs}, {args, kwargs}};
  const std::uint64_t ids[] = {1,     9,     10,    127,        128,        255,   256,
                               65535, 65536, 99999, 4294967295, 4294967296, kIdMax};
  for (const Payload& payload : payloads) {
    for (const std::uint64_t subscription : ids) {
      for (const std::uint64_t publication : ids) {
        const std::size_t size = event_size(serializer(), subscription, publication, payload);
        const std::unique_ptr<char[]> out(new char[size]);
        ASSERT_EQ(write_event(out.get(), serializer(), subscription, publication, payload),
                  out.get() + size);
        Json expected = {36, subscription, publication, Json::object()};
        if (!payload.args.empty() || !payload.kwargs.empty())
          expected.push_back(payload.args.empty() ? Json::array() : Json({1, "x"}));
        if (!payload.kwargs.empty()) expected.push_back({{"k", 1}});
        ASSERT_EQ(parse(Bytes(out.get(), size), serializer()), expected);
      }
    }
  }
}

TEST(EncodeMsgpack, integers_and_strings_take_their_shortest_form) {
  for (const std::uint64_t id :
       {1ul, 127ul, 128ul, 255ul, 256ul, 65535ul, 65536ul, 4294967295ul, 4294967296ul, 1ul << 53}) {
    std::string out;
    append_unsubscribed(out, Serializer::msgpack, id);
    EXPECT_EQ(out, serialize(Json::array({35, id}), Serializer::msgpack));
  }
  for (const std::size_t size : {0u, 1u, 31u, 32u, 255u, 256u, 65535u, 65536u}) {
    const std::string text(size, 'x');
    std::string out;
    append_subscribe(out, Serializer::msgpack, 1, text);
    EXPECT_EQ(out, serialize({32, 1, Json::object(), text}, Serializer::msgpack));
  }
}

TEST(EncodeMsgpack, many_features_take_a_wide_header) {
  WelcomeDetails details;
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back("feature_" + std::to_string(i));
  details.broker_features.assign(names.begin(), names.end());
  std::string out;
  append_welcome(out, Serializer::msgpack, 1, details);
  EXPECT_EQ(parse(out, Serializer::msgpack)[2]["roles"]["broker"]["features"].size(), 20u);
}

}  // namespace
}  // namespace ringcast::wire::test
