// Options and details as they are decoded: their values, their defaults, and what counts as
// unknown.

#include "wire/options.h"

#include <gtest/gtest.h>

#include "samples.h"
#include "wire/list_reader.h"

namespace ringcast::wire::test {
namespace {

class DecodeOptions : public testing::TestWithParam<Serializer> {
 protected:
  // The message, whose views live until the next call.
  template <class M>
  M decoded(const Json& elements) {
    bytes_ = serialize(elements, GetParam());
    return decode_as<M>(decoder_, bytes_);
  }
  template <class M>
  M decoded(MessageType type) {
    return decoded<M>(sample(type).elements);
  }

 private:
  Decoder decoder_{GetParam()};
  std::string bytes_;
};
INSTANTIATE_TEST_SUITE_P(Wamp, DecodeOptions, testing::ValuesIn(kSerializers),
                         [](const auto& param) { return to_string(param.param); });

const Json kNone = Json::object();

void expect_passthru(const std::optional<Passthru>& passthru) {
  ASSERT_TRUE(passthru.has_value());
  EXPECT_EQ(passthru->scheme, "x_mine");
  EXPECT_EQ(passthru->serializer, "cbor");
  EXPECT_EQ(passthru->cipher, "aes256gcm");
  EXPECT_EQ(passthru->keyid, "key 1");
}

// Every key of `known` set to null.
Json nulls(const Json& known) {
  Json all = Json::object();
  for (const auto& entry : known.items()) all[entry.key()] = nullptr;
  return all;
}

TEST_P(DecodeOptions, of_publish) {
  const PublishOptions options = decoded<Publish>(MessageType::publish).options;
  EXPECT_TRUE(options.acknowledge);
  EXPECT_FALSE(options.exclude_me);
  EXPECT_TRUE(options.disclose_me);
  EXPECT_TRUE(options.retain);
  expect_passthru(options.passthru);
  ASSERT_TRUE(options.receivers.has_value());
  const Json sent = sample(MessageType::publish).elements[2];
  const auto list = [](Bytes raw) { return parse(raw, GetParam()); };
  EXPECT_EQ(list(options.receivers->exclude), sent["exclude"]);
  EXPECT_EQ(list(options.receivers->exclude_authid), sent["exclude_authid"]);
  EXPECT_EQ(list(options.receivers->exclude_authrole), sent["exclude_authrole"]);
  EXPECT_EQ(list(options.receivers->eligible), sent["eligible"]);
  EXPECT_EQ(list(options.receivers->eligible_authid), sent["eligible_authid"]);
  EXPECT_EQ(list(options.receivers->eligible_authrole), sent["eligible_authrole"]);
}

TEST_P(DecodeOptions, of_publish_have_their_defaults) {
  for (const Json& none : {kNone, nulls(sample(MessageType::publish).elements[2])}) {
    const PublishOptions options = decoded<Publish>({16, 1, none, "a"}).options;
    EXPECT_FALSE(options.acknowledge);
    EXPECT_TRUE(options.exclude_me);
    EXPECT_FALSE(options.disclose_me);
    EXPECT_FALSE(options.retain);
    EXPECT_FALSE(options.receivers.has_value());
    EXPECT_FALSE(options.passthru.has_value());
  }
}

TEST_P(DecodeOptions, an_empty_list_of_receivers_is_a_list) {
  const Json lists[] = {"exclude",  "exclude_authid",  "exclude_authrole",
                        "eligible", "eligible_authid", "eligible_authrole"};
  for (const Json& key : lists) {
    const std::string name = key;
    const PublishOptions options = decoded<Publish>({16, 1, {{name, Json::array()}}, "a"}).options;
    ASSERT_TRUE(options.receivers.has_value()) << name;
    EXPECT_TRUE(options.receivers->any());
    EXPECT_EQ(options.receivers->names_sessions(), name == "exclude" || name == "eligible");
    EXPECT_EQ(options.receivers->eligible.empty(), name != "eligible");
    EXPECT_EQ(options.receivers->exclude_authid.empty(), name != "exclude_authid");
  }
}

TEST_P(DecodeOptions, passthru_is_in_use_if_it_has_a_scheme) {
  const auto passthru = [&](const Json& options) {
    return decoded<Publish>({16, 1, options, "a"}).options.passthru;
  };
  EXPECT_FALSE(passthru({{"ppt_serializer", "cbor"}, {"ppt_keyid", "k"}}).has_value());
  EXPECT_FALSE(passthru({{"ppt_scheme", ""}, {"ppt_keyid", "k"}}).has_value());
  EXPECT_FALSE(passthru({{"ppt_other", 1}}).has_value());
  const auto alone = passthru({{"ppt_scheme", "mqtt"}});
  ASSERT_TRUE(alone.has_value());
  EXPECT_EQ(alone->scheme, "mqtt");
  EXPECT_TRUE(alone->serializer.empty());
}

TEST_P(DecodeOptions, of_subscribe) {
  const SubscribeOptions options = decoded<Subscribe>(MessageType::subscribe).options;
  EXPECT_EQ(options.match, MatchPolicy::prefix);
  EXPECT_TRUE(options.get_retained);
  for (const Json& none : {kNone, nulls(sample(MessageType::subscribe).elements[2])}) {
    const SubscribeOptions defaults = decoded<Subscribe>({32, 1, none, "a"}).options;
    EXPECT_EQ(defaults.match, MatchPolicy::exact);
    EXPECT_FALSE(defaults.get_retained);
  }
}

TEST_P(DecodeOptions, of_event) {
  const EventDetails details = decoded<Event>(MessageType::event).details;
  EXPECT_EQ(details.topic, "com.topic");
  EXPECT_EQ(details.publisher, 9007199254740991u);
  EXPECT_EQ(details.publisher_authid, "joe");
  EXPECT_EQ(details.publisher_authrole, "user");
  EXPECT_TRUE(details.retained);
  expect_passthru(details.passthru);
  for (const Json& none : {kNone, nulls(sample(MessageType::event).elements[3])}) {
    const EventDetails defaults = decoded<Event>({36, 1, 2, none}).details;
    EXPECT_EQ(defaults.topic, "");
    EXPECT_EQ(defaults.publisher, 0u);
    EXPECT_EQ(defaults.publisher_authid, "");
    EXPECT_EQ(defaults.publisher_authrole, "");
    EXPECT_FALSE(defaults.retained);
    EXPECT_FALSE(defaults.passthru.has_value());
  }
}

TEST_P(DecodeOptions, of_call) {
  const CallOptions options = decoded<Call>(MessageType::call).options;
  EXPECT_EQ(options.timeout_ms, 1500u);
  EXPECT_TRUE(options.receive_progress);
  EXPECT_TRUE(options.progress);
  EXPECT_TRUE(options.disclose_me);
  expect_passthru(options.passthru);
  for (const Json& none : {kNone, nulls(sample(MessageType::call).elements[2])}) {
    const CallOptions defaults = decoded<Call>({48, 1, none, "a"}).options;
    EXPECT_EQ(defaults.timeout_ms, 0u);
    EXPECT_FALSE(defaults.receive_progress);
    EXPECT_FALSE(defaults.progress);
    EXPECT_FALSE(defaults.disclose_me);
    EXPECT_FALSE(defaults.passthru.has_value());
  }
}

TEST_P(DecodeOptions, of_cancel_and_interrupt) {
  EXPECT_EQ(decoded<Cancel>(MessageType::cancel).options.mode, CancelMode::kill);
  const InterruptOptions options = decoded<Interrupt>(MessageType::interrupt).options;
  EXPECT_EQ(options.mode, CancelMode::killnowait);
  EXPECT_EQ(options.reason, "com.why");
  for (const Json& none : {kNone, Json{{"mode", nullptr}, {"reason", nullptr}}}) {
    EXPECT_EQ(decoded<Cancel>({49, 1, none}).options.mode, CancelMode::killnowait);
    EXPECT_EQ(decoded<Interrupt>({69, 1, none}).options.mode, CancelMode::kill);
    EXPECT_EQ(decoded<Interrupt>({69, 1, none}).options.reason, "");
  }
}

TEST_P(DecodeOptions, of_register) {
  const RegisterOptions options = decoded<Register>(MessageType::register_).options;
  EXPECT_EQ(options.match, MatchPolicy::wildcard);
  EXPECT_EQ(options.invoke, InvokePolicy::roundrobin);
  EXPECT_EQ(options.concurrency, 5u);
  EXPECT_TRUE(options.disclose_caller);
  EXPECT_TRUE(options.forward_timeout);
  for (const Json& none : {kNone, nulls(sample(MessageType::register_).elements[2])}) {
    const RegisterOptions defaults = decoded<Register>({64, 1, none, "a"}).options;
    EXPECT_EQ(defaults.match, MatchPolicy::exact);
    EXPECT_EQ(defaults.invoke, InvokePolicy::single);
    EXPECT_EQ(defaults.concurrency, 0u);
    EXPECT_FALSE(defaults.disclose_caller);
    EXPECT_FALSE(defaults.forward_timeout);
  }
}

TEST_P(DecodeOptions, of_invocation) {
  const InvocationDetails details = decoded<Invocation>(MessageType::invocation).details;
  EXPECT_EQ(details.procedure, "com.proc");
  EXPECT_EQ(details.caller, 9007199254740991u);
  EXPECT_EQ(details.caller_authid, "joe");
  EXPECT_EQ(details.caller_authrole, "user");
  EXPECT_EQ(details.timeout_ms, 1500u);
  EXPECT_TRUE(details.receive_progress);
  EXPECT_TRUE(details.progress);
  expect_passthru(details.passthru);
  for (const Json& none : {kNone, nulls(sample(MessageType::invocation).elements[3])}) {
    const InvocationDetails defaults = decoded<Invocation>({68, 1, 2, none}).details;
    EXPECT_EQ(defaults.procedure, "");
    EXPECT_EQ(defaults.caller, 0u);
    EXPECT_EQ(defaults.timeout_ms, 0u);
    EXPECT_FALSE(defaults.receive_progress);
    EXPECT_FALSE(defaults.progress);
    EXPECT_FALSE(defaults.passthru.has_value());
  }
}

TEST_P(DecodeOptions, of_answers_to_calls) {
  const ResultDetails result = decoded<Result>(MessageType::result).details;
  EXPECT_TRUE(result.progress);
  expect_passthru(result.passthru);
  const YieldOptions yield = decoded<Yield>(MessageType::yield).options;
  EXPECT_TRUE(yield.progress);
  expect_passthru(yield.passthru);
  expect_passthru(decoded<Error>(MessageType::error).details.passthru);
  EXPECT_FALSE(decoded<Result>({50, 1, kNone}).details.progress);
  EXPECT_FALSE(decoded<Yield>({70, 1, {{"progress", nullptr}}}).options.progress);
  EXPECT_FALSE(decoded<Error>({8, 68, 1, kNone, "a"}).details.passthru.has_value());
}

TEST_P(DecodeOptions, every_name_of_an_enumeration_has_its_value) {
  const auto match = [&](const Json& name) {
    return decoded<Subscribe>({32, 1, {{"match", name}}, "a"}).options.match;
  };
  EXPECT_EQ(match("exact"), MatchPolicy::exact);
  EXPECT_EQ(match("prefix"), MatchPolicy::prefix);
  EXPECT_EQ(match("wildcard"), MatchPolicy::wildcard);
  const auto invoke = [&](const Json& name) {
    return decoded<Register>({64, 1, {{"invoke", name}}, "a"}).options.invoke;
  };
  EXPECT_EQ(invoke("single"), InvokePolicy::single);
  EXPECT_EQ(invoke("roundrobin"), InvokePolicy::roundrobin);
  EXPECT_EQ(invoke("random"), InvokePolicy::random);
  EXPECT_EQ(invoke("first"), InvokePolicy::first);
  EXPECT_EQ(invoke("last"), InvokePolicy::last);
  const auto mode = [&](const Json& name) {
    return decoded<Cancel>({49, 1, {{"mode", name}}}).options.mode;
  };
  EXPECT_EQ(mode("skip"), CancelMode::skip);
  EXPECT_EQ(mode("kill"), CancelMode::kill);
  EXPECT_EQ(mode("killnowait"), CancelMode::killnowait);
}

// They are answered with an ERROR, not taken for the default.
TEST_P(DecodeOptions, other_names_are_unknown) {
  for (const char* name : {"", "Exact", "exact ", "telepathy", "unknown"}) {
    EXPECT_EQ(decoded<Subscribe>({32, 1, {{"match", name}}, "a"}).options.match,
              MatchPolicy::unknown);
    const Json both = {{"match", name}, {"invoke", name}};
    EXPECT_EQ(decoded<Register>({64, 1, both, "a"}).options.match, MatchPolicy::unknown);
    EXPECT_EQ(decoded<Register>({64, 1, both, "a"}).options.invoke, InvokePolicy::unknown);
  }
  EXPECT_EQ(decoded<Cancel>({49, 1, {{"mode", "abort"}}}).options.mode, CancelMode::unknown);
  EXPECT_EQ(decoded<Interrupt>({69, 1, {{"mode", ""}}}).options.mode, CancelMode::unknown);
}

TEST_P(DecodeOptions, of_hello) {
  const Json roles = {{"subscriber", {{"features", {{"x", 7}, {"subscription_revocation", true}}}}},
                      {"caller", {{"features", nullptr}, {"y", 1}}},
                      {"publisher", nullptr},
                      {"juggler", 7}};
  const Json details = {{"roles", roles},
                        {"authid", "joe"},
                        {"authrole", "user"},
                        {"authmethods", {"ticket", "anonymous"}},
                        {"authextra", {{"pubkey", "00ff"}, {"nested", {{"a", 1}}}}},
                        {"agent", "someone"}};
  const auto hello = decoded<Hello>({1, "realm1", details});
  EXPECT_EQ(hello.realm, "realm1");
  EXPECT_FALSE(hello.details.publisher.announced);
  EXPECT_TRUE(hello.details.subscriber.announced);
  EXPECT_TRUE(hello.details.subscriber.features.has(Feature::subscription_revocation));
  EXPECT_FALSE(hello.details.subscriber.features.has(Feature::payload_passthru_mode));
  EXPECT_TRUE(hello.details.caller.announced);
  EXPECT_EQ(hello.details.caller.features, Features());
  EXPECT_FALSE(hello.details.callee.announced);
  EXPECT_EQ(hello.details.authid, "joe");
  EXPECT_EQ(hello.details.authrole, "user");
  EXPECT_EQ(parse(hello.details.authmethods, GetParam()), details["authmethods"]);
  EXPECT_EQ(parse(hello.details.authextra, GetParam()), details["authextra"]);
  EXPECT_EQ(parse(hello.raw_details, GetParam()), details);
}

TEST_P(DecodeOptions, of_hello_may_be_absent) {
  const Json roles = {{"callee", Json::object()}};
  const Json absent = {{"roles", roles},
                       {"authid", nullptr},
                       {"authrole", nullptr},
                       {"authmethods", nullptr},
                       {"authextra", nullptr}};
  for (const Json& details : {absent, Json{{"roles", roles}}}) {
    const HelloDetails hello = decoded<Hello>({1, "r", details}).details;
    EXPECT_EQ(hello.authid, "");
    EXPECT_EQ(hello.authrole, "");
    EXPECT_EQ(hello.authmethods, "");
    EXPECT_EQ(hello.authextra, "");
  }
}

TEST_P(DecodeOptions, every_feature_counts_for_its_role_only) {
  for (std::size_t i = 0; i < std::size(kFeatureNames); ++i) {
    const auto feature = static_cast<Feature>(i);
    Json features = {{std::string(kFeatureNames[i]), true}};
    const HelloDetails details =
        decoded<Hello>({1, "r", {{"roles", {{"callee", {{"features", features}}}}}}}).details;
    Features expected;
    expected.set(feature);
    EXPECT_EQ(details.callee.features, expected);
    EXPECT_FALSE(details.caller.features.has(feature));
    for (const Json& no : {Json(false), Json()}) {
      features[std::string(kFeatureNames[i])] = no;
      EXPECT_FALSE(decoded<Hello>({1, "r", {{"roles", {{"callee", {{"features", features}}}}}}})
                       .details.callee.features.has(feature));
    }
  }
}

TEST_P(DecodeOptions, of_a_revocation) {
  const Json details = {{"subscription", 5}, {"reason", "com.gone"}, {"x", 1}};
  const auto unsubscribed = decoded<Unsubscribed>({35, 0, details});
  EXPECT_EQ(unsubscribed.request, 0u);
  EXPECT_EQ(unsubscribed.subscription, 5u);
  EXPECT_EQ(unsubscribed.reason, "com.gone");
  EXPECT_EQ(parse(unsubscribed.raw_details, GetParam()), details);
  const auto unregistered = decoded<Unregistered>({67, 0, {{"registration", kIdMax}}});
  EXPECT_EQ(unregistered.request, 0u);
  EXPECT_EQ(unregistered.registration, kIdMax);
  EXPECT_EQ(unregistered.reason, "");
  const auto plain = decoded<Unregistered>(Json::array({67, 10, nullptr}));
  EXPECT_EQ(plain.request, 10u);
  EXPECT_EQ(plain.registration, 0u);
  EXPECT_EQ(plain.raw_details, "");
}

TEST(Features, can_be_set_and_taken_back) {
  Features features;
  features.set(Feature::call_timeout);
  features.set(Feature::subscription_revocation);
  EXPECT_TRUE(features.has(Feature::call_timeout));
  EXPECT_TRUE(features.has(Feature::subscription_revocation));
  EXPECT_FALSE(features.has(Feature::call_canceling));
  features.set(Feature::call_timeout, false);
  EXPECT_FALSE(features.has(Feature::call_timeout));
  EXPECT_TRUE(features.has(Feature::subscription_revocation));
}

}  // namespace
}  // namespace ringcast::wire::test
