// Options and details as they are encoded: what was decoded and is written again is the same, and
// what says nothing is left out.

#include <gtest/gtest.h>

#include <variant>

#include "samples.h"
#include "wire/encode.h"
#include "wire/list_reader.h"

namespace ringcast::wire::test {
namespace {

// Writes a message as it was decoded; nothing for those that have no options.
class Again {
 public:
  Again(std::string& out, Serializer serializer) : out_(out), serializer_(serializer) {}

  void operator()(const Hello& m) const {
    append_hello(out_, serializer_, m.realm, "me", m.details);
  }
  void operator()(const Error& m) const {
    append_error(out_, serializer_, static_cast<MessageType>(m.request_type), m.request, m.details,
                 m.error, m.payload);
  }
  void operator()(const Publish& m) const {
    append_publish(out_, serializer_, m.request, m.options, m.topic, m.payload);
  }
  void operator()(const Subscribe& m) const {
    append_subscribe(out_, serializer_, m.request, m.topic, m.options);
  }
  void operator()(const Event& m) const {
    std::string details;
    append_event_details(details, serializer_, m.details);
    const std::size_t size =
        event_size(serializer_, m.subscription, m.publication, m.payload, details);
    const std::size_t before = out_.size();
    out_.resize(before + size);
    const char* const end = write_event(out_.data() + before, serializer_, m.subscription,
                                        m.publication, m.payload, details);
    EXPECT_EQ(end, out_.data() + out_.size());
  }
  void operator()(const Call& m) const {
    append_call(out_, serializer_, m.request, m.options, m.procedure, m.payload);
  }
  void operator()(const Cancel& m) const { append_cancel(out_, serializer_, m.request, m.options); }
  void operator()(const Result& m) const {
    append_result(out_, serializer_, m.request, m.details, m.payload);
  }
  void operator()(const Register& m) const {
    append_register(out_, serializer_, m.request, m.options, m.procedure);
  }
  void operator()(const Invocation& m) const {
    append_invocation(out_, serializer_, m.request, m.registration, m.details, m.payload);
  }
  void operator()(const Interrupt& m) const {
    append_interrupt(out_, serializer_, m.request, m.options);
  }
  void operator()(const Yield& m) const {
    append_yield(out_, serializer_, m.request, m.options, m.payload);
  }
  template <class M>
  void operator()(const M&) const {}

 private:
  std::string& out_;
  Serializer serializer_;
};

class EncodeOptions : public testing::TestWithParam<Serializer> {
 protected:
  // The message decoded and written again, null if there is nothing to write.
  static Json again(const Json& elements) {
    const std::string bytes = serialize(elements, GetParam());
    Decoder decoder(GetParam());
    const DecodeResult& result = decoder.decode(bytes);
    std::string out;
    std::visit(Again(out, GetParam()), std::get<Message>(result));
    return out.empty() ? Json() : parse(out, GetParam());
  }
  template <class Append>
  static Json written(Append append) {
    return test::written(GetParam(), append);
  }
};
INSTANTIATE_TEST_SUITE_P(Wamp, EncodeOptions, testing::ValuesIn(kSerializers),
                         [](const auto& param) { return to_string(param.param); });

Json* options_of(Json& elements) {
  for (std::size_t i = 1; i < 4; ++i) {
    if (elements[i].is_object()) return &elements[i];
  }
  return nullptr;
}

TEST_P(EncodeOptions, are_those_that_were_decoded) {
  int messages = 0;
  for (const Sample& sample : samples()) {
    const Json out = again(sample.elements);
    if (out.is_null()) continue;
    ++messages;
    Json expected = sample.elements;
    Json& options = *options_of(expected);
    options.erase("x_unknown");
    if (sample.elements[0] == 1) {
      options["agent"] = "me";
      options["roles"]["publisher"]["features"] = Json::object();
      options["roles"]["callee"]["features"].erase("registration_revocation");
    }
    EXPECT_EQ(out, expected);
  }
  EXPECT_EQ(messages, 12);
}

TEST_P(EncodeOptions, of_default_are_left_out) {
  for (const Sample& sample : samples()) {
    if (sample.elements[0] == 1 || again(sample.elements).is_null()) continue;
    Json elements = sample.elements;
    Json& options = *options_of(elements);
    options = Json::object();
    Json expected = elements;
    if (sample.elements[0] == 49) (*options_of(expected))["mode"] = "killnowait";
    if (sample.elements[0] == 69) (*options_of(expected))["mode"] = "kill";
    EXPECT_EQ(again(elements), expected);
  }
}

TEST_P(EncodeOptions, every_name_of_an_enumeration_is_written) {
  for (const char* match : {"prefix", "wildcard"}) {
    for (const char* invoke : {"roundrobin", "random", "first", "last"}) {
      const Json elements = {64, 1, {{"match", match}, {"invoke", invoke}}, "a.b"};
      EXPECT_EQ(again(elements), elements);
    }
    const Json elements = {32, 1, {{"match", match}}, "a.b"};
    EXPECT_EQ(again(elements), elements);
  }
  for (const char* mode : {"skip", "kill", "killnowait"}) {
    const Json elements = {49, 1, {{"mode", mode}}};
    EXPECT_EQ(again(elements), elements);
  }
}

TEST_P(EncodeOptions, every_feature_of_every_role_is_announced) {
  Json features = Json::object();
  for (const Bytes name : kFeatureNames) features[std::string(name)] = true;
  Json roles = Json::object();
  for (const char* role : {"publisher", "subscriber", "caller", "callee"})
    roles[role]["features"] = features;
  const Json elements = {1, "r", {{"roles", roles}, {"agent", "me"}}};
  EXPECT_EQ(again(elements), elements);
}

TEST_P(EncodeOptions, passthru_without_a_scheme_is_none) {
  ResultDetails details;
  details.passthru = Passthru{.scheme = {}, .serializer = "cbor", .cipher = {}, .keyid = {}};
  EXPECT_EQ(written([&](std::string& out) { append_result(out, GetParam(), 1, details, {}); }),
            Json({50, 1, Json::object()}));
}

TEST_P(EncodeOptions, lists_of_receivers_can_be_built) {
  std::string eligible;
  append_id_list(eligible, GetParam(), {1, 300, kIdMax});
  std::string exclude_authid;
  append_text_list(exclude_authid, GetParam(), {"joe", "say \"hi\"", ""});
  std::string nobody;
  append_text_list(nobody, GetParam(), {});
  PublishOptions options;
  options.receivers.emplace();
  options.receivers->eligible = eligible;
  options.receivers->exclude_authid = exclude_authid;
  options.receivers->eligible_authrole = nobody;
  EXPECT_EQ(
      written([&](std::string& out) { append_publish(out, GetParam(), 1, options, "a", {}); }),
      Json({16,
            1,
            {{"eligible", {1, 300, kIdMax}},
             {"exclude_authid", {"joe", "say \"hi\"", ""}},
             {"eligible_authrole", Json::array()}},
            "a"}));
}

TEST_P(EncodeOptions, events_with_details_are_as_large_as_announced) {
  const std::string args = serialize({1, "x"}, GetParam());
  const std::string kwargs = serialize({{"k", 1}}, GetParam());
  std::string details;
  append_event_details(details, GetParam(), {.topic = "say \"hi\".Grüße", .publisher = 5});
  for (const Payload& payload : {Payload{}, {args, {}}, {{}, kwargs}, {args, kwargs}}) {
    const std::size_t size = event_size(GetParam(), 300, kIdMax, payload, details);
    const std::unique_ptr<char[]> out(new char[size]);
    ASSERT_EQ(write_event(out.get(), GetParam(), 300, kIdMax, payload, details), out.get() + size);
    Json expected = {36, 300, kIdMax, {{"topic", "say \"hi\".Grüße"}, {"publisher", 5}}};
    if (!payload.args.empty() || !payload.kwargs.empty())
      expected.push_back(payload.args.empty() ? Json::array() : Json({1, "x"}));
    if (!payload.kwargs.empty()) expected.push_back({{"k", 1}});
    ASSERT_EQ(parse(Bytes(out.get(), size), GetParam()), expected);
  }
}

}  // namespace
}  // namespace ringcast::wire::test
