// Messages that are not what they must be: cut off, of wrong types, too deep, too many, made of
// random bytes. A defined Violation each time; under AddressSanitizer also no byte read that isn't
// there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "hostile_values.h"
#include "samples.h"
#include "wire/encode.h"
#include "wire/transcode.h"
#include "wire/utf8.h"

namespace ringcast::wire::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class HostileEachSerializer : public testing::TestWithParam<Serializer> {
 protected:
  Serializer serializer() const { return GetParam(); }
  bool msgpack() const { return GetParam() == Serializer::msgpack; }
  std::string bytes(const Json& elements) const { return serialize(elements, GetParam()); }
  std::string violation(const Json& elements) const { return violation_in(elements, GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Wamp, HostileEachSerializer, testing::ValuesIn(kSerializers),
                         [](const auto& param) { return to_string(param.param); });

bool fits(FieldKind kind, const Json& value) {
  switch (kind) {
    case FieldKind::id:
      return is_id(value, 1);
    case FieldKind::id_or_zero:
      return is_id(value, 0);
    case FieldKind::text:
      return value.is_string();
    case FieldKind::dict:
      return value.is_object();
    case FieldKind::args:
      return value.is_array() || is_absent(value);
    case FieldKind::kwargs:
      return value.is_object() || is_absent(value);
  }
  return false;
}

TEST_P(HostileEachSerializer, every_message_cut_off_at_every_byte_is_a_violation) {
  for (const Sample& sample : samples()) {
    const std::string whole = bytes(sample.elements);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_THAT(violation_of(Bytes(whole).substr(0, size), serializer()), Not(IsEmpty()))
          << sample.elements << " cut at " << size;
    }
  }
}

TEST_P(HostileEachSerializer, bytes_behind_a_message_are_a_violation) {
  for (const Sample& sample : samples()) {
    const std::string whole = bytes(sample.elements);
    for (const Bytes more : {Bytes("\x00", 1), Bytes("]"), Bytes("\xC0"), Bytes("[1]")}) {
      EXPECT_EQ(violation_of(whole + std::string(more), serializer()),
                "there are bytes behind the end of the message");
    }
  }
}

TEST_P(HostileEachSerializer, every_field_of_every_wrong_type_is_named) {
  for (const Sample& sample : samples()) {
    const Bytes name =
        message_name(static_cast<MessageType>(sample.elements[0].get<std::uint8_t>()));
    for (std::size_t i = 0; i < sample.fields.size(); ++i) {
      const Field& field = sample.fields[i];
      for (const Json& value : values_of_every_type(serializer())) {
        Json elements = sample.elements;
        elements[i + 1] = value;
        const std::string text = violation(elements);
        if (name == "HELLO" && field.name == "Details" && value.is_object()) {
          EXPECT_THAT(text, HasSubstr("HELLO.Details.roles must be"));
        } else if (fits(field.kind, value)) {
          EXPECT_EQ(text, "") << elements.dump(-1, ' ', true);
        } else {
          EXPECT_THAT(text, testing::StartsWith(std::string(name) + "." + field.name + " must be"))
              << "element " << i + 1 << " " << value.type_name();
        }
      }
    }
  }
}

TEST_P(HostileEachSerializer, too_few_and_too_many_elements_are_counted) {
  for (const Sample& sample : samples()) {
    const std::string name(
        message_name(static_cast<MessageType>(sample.elements[0].get<std::uint8_t>())));
    for (std::size_t size = 1; size < sample.elements_min; ++size) {
      const Json few(sample.elements.begin(),
                     sample.elements.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_THAT(violation(few),
                  HasSubstr(name + " has " + std::to_string(size) + " elements, expected " +
                            std::to_string(sample.elements_min)));
    }
    Json many = sample.elements;
    if (name == "UNREGISTERED" || name == "UNSUBSCRIBED") many.push_back(Json::object());
    const std::string most = std::to_string(many.size());
    many.push_back(Json::object());
    EXPECT_THAT(violation(many),
                HasSubstr(name + " has more than " + most + " elements, expected "));
  }
}

TEST_P(HostileEachSerializer, what_is_no_message_is_told_apart) {
  EXPECT_EQ(violation_of(Bytes(), serializer()), "the message is empty");
  EXPECT_EQ(violation(Json::array()), "the message is an empty list");
  EXPECT_EQ(violation(Json::object()), "a message must be a list");
  EXPECT_EQ(violation("text"), "a message must be a list");
  EXPECT_EQ(violation(7), "a message must be a list");
  EXPECT_EQ(violation(nullptr), "a message must be a list");
  EXPECT_EQ(violation({"1", "realm"}), "the message type must be an integer");
  EXPECT_EQ(violation(Json::array({-1})), "the message type must be an integer");
  EXPECT_EQ(violation(Json::array({16.5})), "the message type must be an integer");
  EXPECT_EQ(violation(Json::array({-16.0})), "the message type must be an integer");
}

TEST_P(HostileEachSerializer, every_other_type_code_is_unknown) {
  for (std::uint64_t code = 0; code < 300; ++code) {
    if (message_shape(code) != nullptr) continue;
    EXPECT_EQ(violation(Json::array({code, 1, 2})), "unknown message type " + std::to_string(code));
  }
  EXPECT_EQ(violation(Json::array({UINT64_MAX})), "unknown message type 18446744073709551615");
}

Json nested(std::size_t depth, bool dicts) {
  Json value = dicts ? Json::object() : Json::array();
  for (std::size_t i = 1; i < depth; ++i) {
    Json outer = dicts ? Json::object() : Json::array();
    if (dicts) {
      outer["k"] = std::move(value);
    } else {
      outer.push_back(std::move(value));
    }
    value = std::move(outer);
  }
  return value;
}

TEST_P(HostileEachSerializer, nesting_is_bounded_everywhere) {
  const std::string kTooDeep = "lists and dicts are nested too deeply";
  const DecodeLimits limits{8, 1000};
  for (const std::size_t depth : {7u, 8u}) {
    const std::string expected = depth == 7 ? "" : kTooDeep;
    const Json dict = nested(depth, true);
    EXPECT_EQ(
        violation_in({16, 1, Json::object(), "a", nested(depth, false)}, serializer(), limits),
        expected);
    EXPECT_EQ(violation_in({16, 1, Json::object(), "a", Json::array(), dict}, serializer(), limits),
              expected);
    EXPECT_EQ(violation_in({16, 1, dict, "a"}, serializer(), limits), expected);
    EXPECT_EQ(violation_in({6, dict, "a"}, serializer(), limits), expected);
  }
  const Json deep_roles = {{"roles", {{"publisher", nested(6, true)}}}};
  EXPECT_EQ(violation_in({1, "r", deep_roles}, serializer(), limits), kTooDeep);
}

TEST_P(HostileEachSerializer, bombs_of_opening_brackets_are_refused) {
  const std::string bomb(1u << 20, msgpack() ? '\x91' : '[');
  EXPECT_THAT(violation_of(bomb, serializer()), Not(IsEmpty()));
  const std::string head = msgpack() ? std::string(
                                           "\x95\x10\x01\x80\xA1"
                                           "a")
                                     : "[16,1,{},\"a\",";
  EXPECT_EQ(violation_of(head + bomb, serializer()), "lists and dicts are nested too deeply");
  EXPECT_EQ(violation_of(head + bomb, serializer(), DecodeLimits{SIZE_MAX, SIZE_MAX}),
            "lists and dicts are nested too deeply");
}

TEST_P(HostileEachSerializer, elements_are_bounded_over_the_whole_message) {
  const std::string kTooMany = "too many list elements and dict entries in one message";
  Json args = Json::array();
  for (int i = 0; i < 10; ++i) args.push_back({i, i});              // 10 + 20 elements
  const Json message = {16, 1, {{"x", 1}}, "a", args, {{"k", 1}}};  // and 6 + 1 + 1
  EXPECT_EQ(violation_in(message, serializer(), DecodeLimits{64, 38}), "");
  EXPECT_EQ(violation_in(message, serializer(), DecodeLimits{64, 37}), kTooMany);
  EXPECT_EQ(violation_in(message, serializer(), DecodeLimits{64, 3}), kTooMany);
}

TEST_P(HostileEachSerializer, violations_are_short_and_printable) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string text = bytes(samples()[random() % samples().size()].elements);
    for (int changes = 1 + static_cast<int>(random() % 4); changes > 0; --changes)
      text[random() % text.size()] = static_cast<char>(random());
    const std::string violation = violation_of(text, serializer());
    ASSERT_LE(violation.size(), 120u) << violation;
    for (const char c : violation) ASSERT_TRUE(c >= ' ' && c <= '~') << violation;
  }
}

// What a decoder accepted goes on to subscribers of both serializers, and they can decode it.
void expect_routable(const Payload& payload, Serializer serializer) {
  std::string event(event_size(serializer, 1, 2, payload), '\0');
  ASSERT_EQ(write_event(event.data(), serializer, 1, 2, payload), event.data() + event.size());
  ASSERT_EQ(violation_of(event, serializer), "");
  const Serializer other = serializer == Serializer::json ? Serializer::msgpack : Serializer::json;
  std::string args;
  std::string kwargs;
  if (!transcode(serializer, other, payload.args, args)) return;
  if (!transcode(serializer, other, payload.kwargs, kwargs)) return;
  const Payload converted{args, kwargs};
  event.assign(event_size(other, 1, 2, converted), '\0');
  ASSERT_EQ(write_event(event.data(), other, 1, 2, converted), event.data() + event.size());
  ASSERT_EQ(violation_of(event, other), "");
}

TEST_P(HostileEachSerializer, changed_bytes_never_break_decoding_or_what_follows) {
  std::mt19937_64 random(11);
  int accepted = 0;
  for (int i = 0; i < 40000; ++i) {
    std::string text = bytes(sample(MessageType::publish).elements);
    text[random() % text.size()] = static_cast<char>(random());
    if (random() % 4 == 0) text.erase(random() % text.size(), 1 + random() % 3);
    // Text frames are checked before they come here; the JSON decoder relies on it.
    if (!msgpack() && !utf8_valid(text)) continue;
    const Exact exact(text);
    Decoder decoder(serializer());
    const DecodeResult result = decoder.decode(exact);
    if (!std::holds_alternative<Message>(result)) continue;
    const Message& message = std::get<Message>(result);
    if (!std::holds_alternative<Publish>(message)) continue;
    ++accepted;
    ASSERT_NO_FATAL_FAILURE(expect_routable(std::get<Publish>(message).payload, serializer()));
  }
  EXPECT_GT(accepted, 1000);
}

TEST_P(HostileEachSerializer, random_bytes_never_break_the_decoder) {
  std::mt19937_64 random(13);
  for (int i = 0; i < 40000; ++i) {
    std::string text(random() % 64, '\0');
    for (char& c : text) c = static_cast<char>(random());
    if (!text.empty() && random() % 2 == 0) text[0] = msgpack() ? '\x95' : '[';
    violation_of(text, serializer());
    std::string out;
    transcode(Serializer::msgpack, Serializer::json, text, out);
    out.clear();
    transcode(Serializer::json, Serializer::msgpack, text, out);
  }
}

}  // namespace
}  // namespace ringcast::wire::test
