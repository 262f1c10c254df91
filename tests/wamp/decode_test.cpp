// Well-formed messages: every message, both serializers, every field in its place.

#include "wire/decode.h"

#include <gtest/gtest.h>

#include "samples.h"

namespace ringcast::wire::test {
namespace {

class DecodeEachSerializer : public testing::TestWithParam<Serializer> {
 protected:
  Serializer serializer() const { return GetParam(); }
  std::string bytes(const Json& elements) const { return serialize(elements, GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Wamp, DecodeEachSerializer, testing::ValuesIn(kSerializers),
                         [](const auto& param) { return to_string(param.param); });

TEST_P(DecodeEachSerializer, every_message_keeps_every_field) {
  EXPECT_EQ(samples().size(), std::variant_size_v<Message>);
  for (const Sample& sample : samples()) {
    const Exact exact(bytes(sample.elements));
    Decoder decoder(serializer());
    const DecodeResult result = decoder.decode(exact);
    ASSERT_TRUE(std::holds_alternative<Message>(result))
        << sample.elements << ": " << std::get<Violation>(result).message;
    const Message& message = std::get<Message>(result);
    EXPECT_EQ(static_cast<int>(type_of(message)), sample.elements[0]);
    EXPECT_EQ(elements_of(message, serializer()), sample.elements);
  }
}

TEST_P(DecodeEachSerializer, optional_elements_may_be_absent) {
  for (const Sample& sample : samples()) {
    for (std::size_t size = sample.elements_min; size < sample.elements.size(); ++size) {
      const Json elements(sample.elements.begin(),
                          sample.elements.begin() + static_cast<std::ptrdiff_t>(size));
      const std::string text = bytes(elements);
      Decoder decoder(serializer());
      const DecodeResult result = decoder.decode(text);
      ASSERT_TRUE(std::holds_alternative<Message>(result)) << elements;
      EXPECT_EQ(elements_of(std::get<Message>(result), serializer()), elements);
    }
  }
}

TEST_P(DecodeEachSerializer, a_decoder_can_be_used_again_after_a_violation) {
  Decoder decoder(serializer());
  for (const Sample& sample : samples()) {
    std::string text = bytes(sample.elements);
    ASSERT_TRUE(
        std::holds_alternative<Violation>(decoder.decode(Bytes(text).substr(0, text.size() / 2))));
    const DecodeResult result = decoder.decode(text);
    ASSERT_TRUE(std::holds_alternative<Message>(result)) << sample.elements;
    EXPECT_EQ(elements_of(std::get<Message>(result), serializer()), sample.elements);
  }
}

TEST_P(DecodeEachSerializer, publish_options_have_their_defaults) {
  Decoder decoder(serializer());
  const std::string text = bytes({16, 7, Json::object(), "a.b"});
  const auto publish = decode_as<Publish>(decoder, text);
  EXPECT_FALSE(publish.options.acknowledge);
  EXPECT_TRUE(publish.options.exclude_me);
  EXPECT_EQ(publish.topic, "a.b");
  EXPECT_TRUE(publish.payload.args.empty());
  EXPECT_TRUE(publish.payload.kwargs.empty());
}

TEST_P(DecodeEachSerializer, publish_options_are_read) {
  Decoder decoder(serializer());
  const std::string text = bytes(sample(MessageType::publish).elements);
  const auto publish = decode_as<Publish>(decoder, text);
  EXPECT_TRUE(publish.options.acknowledge);
  EXPECT_FALSE(publish.options.exclude_me);
}

TEST_P(DecodeEachSerializer, subscribe_reads_the_match_policy) {
  const std::pair<const char*, MatchPolicy> kPolicies[] = {{"exact", MatchPolicy::exact},
                                                           {"prefix", MatchPolicy::prefix},
                                                           {"wildcard", MatchPolicy::wildcard}};
  Decoder decoder(serializer());
  for (const auto& [name, policy] : kPolicies) {
    const std::string text = bytes({32, 1, {{"match", name}}, "a"});
    EXPECT_EQ(decode_as<Subscribe>(decoder, text).options.match, policy);
  }
  const std::string text = bytes({32, 1, Json::object(), "a"});
  EXPECT_EQ(decode_as<Subscribe>(decoder, text).options.match, MatchPolicy::exact);
}

TEST_P(DecodeEachSerializer, hello_reads_roles_and_authentication) {
  Decoder decoder(serializer());
  const Json details = {
      {"roles",
       {{"subscriber", {{"features", {{"x", true}}}}}, {"caller", Json::object()}, {"juggler", 7}}},
      {"authid", "joe"},
      {"authmethods", {"ticket", "anonymous"}},
      {"agent", "someone"}};
  const std::string text = bytes({1, "realm1", details});
  const auto hello = decode_as<Hello>(decoder, text);
  EXPECT_EQ(hello.realm, "realm1");
  EXPECT_FALSE(hello.details.publisher);
  EXPECT_TRUE(hello.details.subscriber);
  EXPECT_TRUE(hello.details.caller);
  EXPECT_FALSE(hello.details.callee);
  EXPECT_EQ(hello.details.authid, "joe");
  EXPECT_EQ(parse(hello.details.authmethods, serializer()), details["authmethods"]);
  EXPECT_EQ(parse(hello.raw_details, serializer()), details);
}

TEST_P(DecodeEachSerializer, revocation_is_an_unregistered_of_request_0_with_details) {
  Decoder decoder(serializer());
  const Json details = {{"registration", 5}, {"reason", "com.gone"}};
  const std::string text = bytes({67, 0, details});
  const auto unregistered = decode_as<Unregistered>(decoder, text);
  EXPECT_EQ(unregistered.request, 0u);
  EXPECT_EQ(parse(unregistered.raw_details, serializer()), details);
  EXPECT_EQ(violation_in(Json::array({67, 0}), serializer()),
            "UNREGISTERED.Request must be an integer from 1 to 2^53, or 0 with Details");
}

TEST_P(DecodeEachSerializer, null_details_of_unregistered_count_as_absent) {
  Decoder decoder(serializer());
  const std::string text = bytes(Json::array({67, 10, nullptr}));
  EXPECT_TRUE(decode_as<Unregistered>(decoder, text).raw_details.empty());
  EXPECT_EQ(violation_in(Json::array({67, 0, nullptr}), serializer()),
            "UNREGISTERED.Request must be an integer from 1 to 2^53, or 0 with Details");
}

TEST_P(DecodeEachSerializer, empty_arguments_count_as_absent) {
  Decoder decoder(serializer());
  std::string text = bytes({16, 1, Json::object(), "a", Json::array(), Json::object()});
  auto publish = decode_as<Publish>(decoder, text);
  EXPECT_TRUE(publish.payload.args.empty());
  EXPECT_TRUE(publish.payload.kwargs.empty());
  text = bytes({16, 1, Json::object(), "a", Json::array(), {{"k", 1}}});
  publish = decode_as<Publish>(decoder, text);
  EXPECT_TRUE(publish.payload.args.empty());
  EXPECT_EQ(parse(publish.payload.kwargs, serializer()), (Json{{"k", 1}}));
}

TEST_P(DecodeEachSerializer, the_largest_id_is_accepted_and_the_next_is_not) {
  Decoder decoder(serializer());
  const std::string text = bytes(Json::array({35, std::uint64_t{1} << 53}));
  EXPECT_EQ(decode_as<Unsubscribed>(decoder, text).request, kIdMax);
  EXPECT_EQ(violation_in(Json::array({35, (std::uint64_t{1} << 53) + 1}), serializer()),
            "UNSUBSCRIBED.Request must be an integer from 1 to 2^53");
}

TEST_P(DecodeEachSerializer, payload_slices_are_the_bytes_of_the_input) {
  Decoder decoder(serializer());
  const Json args = {1, "x", {{"k", Json::array()}}};
  const std::string text = bytes({16, 1, Json::object(), "a", args, {{"k", 1}}});
  const auto publish = decode_as<Publish>(decoder, text);
  EXPECT_EQ(publish.payload.args, bytes(args));
  EXPECT_EQ(publish.payload.kwargs, bytes({{"k", 1}}));
  EXPECT_GE(publish.payload.args.data(), text.data());
  EXPECT_LE(publish.payload.args.data(), text.data() + text.size());
}

}  // namespace
}  // namespace ringcast::wire::test
