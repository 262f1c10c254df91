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
  const std::string text = bytes(Json::array({65, std::uint64_t{1} << 53, 1}));
  EXPECT_EQ(decode_as<Registered>(decoder, text).request, kIdMax);
  EXPECT_EQ(violation_in(Json::array({65, (std::uint64_t{1} << 53) + 1, 1}), serializer()),
            "REGISTERED.Request must be an integer from 1 to 2^53");
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
