// Every option and detail that is decoded, with values that are not what they must be.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hostile_values.h"
#include "samples.h"

namespace ringcast::wire::test {
namespace {

class OptionsEachSerializer : public testing::TestWithParam<Serializer> {};
INSTANTIATE_TEST_SUITE_P(Wamp, OptionsEachSerializer, testing::ValuesIn(kSerializers),
                         [](const auto& param) { return to_string(param.param); });

struct Option {
  MessageType type;
  std::size_t element;            // where its dict is
  std::vector<std::string> path;  // in that dict
  std::string name;               // as a Violation names it
  bool (*fits)(const Json& value);
};

bool boolean_or_absent(const Json& value) { return value.is_boolean() || is_absent(value); }
bool text_or_absent(const Json& value) { return value.is_string() || is_absent(value); }
bool dict_or_absent(const Json& value) { return value.is_object() || is_absent(value); }
bool natural_or_absent(const Json& value) { return is_id(value, 0) || is_absent(value); }
bool id_or_absent(const Json& value) { return is_id(value, 1) || is_absent(value); }
// None of the values tried holds strings only, but the empty list, and one holds an id only.
bool texts_or_absent(const Json& value) { return value == Json::array() || is_absent(value); }
bool ids_or_absent(const Json& value) {
  return value == Json::array({1}) || texts_or_absent(value);
}
bool never(const Json&) { return false; }

struct KnownKey {
  const char* key;
  bool (*fits)(const Json& value);
};

void add_options(std::vector<Option>& all, MessageType type, std::size_t element, const char* dict,
                 const std::vector<KnownKey>& keys) {
  const std::string prefix = std::string(message_name(type)) + "." + dict + ".";
  for (const KnownKey& known : keys)
    all.push_back({type, element, {known.key}, prefix + known.key, known.fits});
}

void add_passthru(std::vector<Option>& all, MessageType type, std::size_t element,
                  const char* dict) {
  add_options(all, type, element, dict,
              {{"ppt_scheme", text_or_absent},
               {"ppt_serializer", text_or_absent},
               {"ppt_cipher", text_or_absent},
               {"ppt_keyid", text_or_absent}});
}

void add_session_options(std::vector<Option>& all) {
  add_options(all, MessageType::abort, 1, "Details", {{"message", text_or_absent}});
  add_options(all, MessageType::hello, 2, "Details",
              {{"roles", never},
               {"authid", text_or_absent},
               {"authrole", text_or_absent},
               {"authmethods", texts_or_absent},
               {"authextra", dict_or_absent}});
  for (const std::string role : {"publisher", "subscriber", "caller", "callee"}) {
    const std::string name = "HELLO.Details.roles." + role;
    all.push_back({MessageType::hello, 2, {"roles", role}, name, dict_or_absent});
    all.push_back(
        {MessageType::hello, 2, {"roles", role, "features"}, name + ".features", dict_or_absent});
    for (const Bytes feature : kFeatureNames) {
      const std::string key(feature);
      all.push_back({MessageType::hello,
                     2,
                     {"roles", role, "features", key},
                     name + ".features." + key,
                     boolean_or_absent});
    }
  }
  add_passthru(all, MessageType::error, 3, "Details");
}

void add_pubsub_options(std::vector<Option>& all) {
  add_options(all, MessageType::publish, 2, "Options",
              {{"acknowledge", boolean_or_absent},
               {"exclude_me", boolean_or_absent},
               {"disclose_me", boolean_or_absent},
               {"retain", boolean_or_absent},
               {"exclude", ids_or_absent},
               {"exclude_authid", texts_or_absent},
               {"exclude_authrole", texts_or_absent},
               {"eligible", ids_or_absent},
               {"eligible_authid", texts_or_absent},
               {"eligible_authrole", texts_or_absent}});
  add_passthru(all, MessageType::publish, 2, "Options");
  add_options(all, MessageType::subscribe, 2, "Options",
              {{"match", text_or_absent}, {"get_retained", boolean_or_absent}});
  add_options(all, MessageType::unsubscribed, 2, "Details",
              {{"subscription", id_or_absent}, {"reason", text_or_absent}});
  add_options(all, MessageType::event, 3, "Details",
              {{"topic", text_or_absent},
               {"publisher", id_or_absent},
               {"publisher_authid", text_or_absent},
               {"publisher_authrole", text_or_absent},
               {"retained", boolean_or_absent}});
  add_passthru(all, MessageType::event, 3, "Details");
}

void add_rpc_options(std::vector<Option>& all) {
  add_options(all, MessageType::call, 2, "Options",
              {{"timeout", natural_or_absent},
               {"receive_progress", boolean_or_absent},
               {"progress", boolean_or_absent},
               {"disclose_me", boolean_or_absent}});
  add_passthru(all, MessageType::call, 2, "Options");
  add_options(all, MessageType::cancel, 2, "Options", {{"mode", text_or_absent}});
  add_options(all, MessageType::result, 2, "Details", {{"progress", boolean_or_absent}});
  add_passthru(all, MessageType::result, 2, "Details");
  add_options(all, MessageType::register_, 2, "Options",
              {{"match", text_or_absent},
               {"invoke", text_or_absent},
               {"concurrency", natural_or_absent},
               {"disclose_caller", boolean_or_absent},
               {"forward_timeout", boolean_or_absent}});
  add_options(all, MessageType::unregistered, 2, "Details",
              {{"registration", id_or_absent}, {"reason", text_or_absent}});
  add_options(all, MessageType::invocation, 3, "Details",
              {{"procedure", text_or_absent},
               {"caller", id_or_absent},
               {"caller_authid", text_or_absent},
               {"caller_authrole", text_or_absent},
               {"timeout", natural_or_absent},
               {"receive_progress", boolean_or_absent},
               {"progress", boolean_or_absent}});
  add_passthru(all, MessageType::invocation, 3, "Details");
  add_options(all, MessageType::interrupt, 2, "Options",
              {{"mode", text_or_absent}, {"reason", text_or_absent}});
  add_options(all, MessageType::yield, 2, "Options", {{"progress", boolean_or_absent}});
  add_passthru(all, MessageType::yield, 2, "Options");
}

std::vector<Option> known_options() {
  std::vector<Option> all;
  add_session_options(all);
  add_pubsub_options(all);
  add_rpc_options(all);
  return all;
}

TEST_P(OptionsEachSerializer, every_option_of_every_wrong_type_is_named) {
  for (const Option& option : known_options()) {
    for (const Json& value : values_of_every_type(GetParam())) {
      Json elements = sample(option.type).elements;
      Json* place = &elements[option.element];
      for (const std::string& key : option.path) place = &(*place)[key];
      *place = value;
      if (option.fits(value)) {
        EXPECT_EQ(violation_in(elements, GetParam()), "")
            << option.name << " " << value.type_name();
      } else {
        EXPECT_THAT(violation_in(elements, GetParam()),
                    testing::StartsWith(option.name + " must be "))
            << value.type_name();
      }
    }
  }
}

TEST_P(OptionsEachSerializer, unknown_options_are_ignored_whatever_their_type) {
  for (const Json& value : values_of_every_type(GetParam())) {
    const Json dict = {{"x_mine", value}, {"y", {{"acknowledge", 5}}}};
    EXPECT_EQ(violation_in({16, 1, dict, "a"}, GetParam()), "");
    EXPECT_EQ(violation_in({32, 1, dict, "a"}, GetParam()), "");
    EXPECT_EQ(violation_in({3, dict, "a"}, GetParam()), "");
  }
}

// One wrong element anywhere in a list is as bad as no list.
TEST_P(OptionsEachSerializer, lists_hold_nothing_else) {
  for (const char* key : {"exclude", "eligible"}) {
    const std::string expected =
        std::string("PUBLISH.Options.") + key + " must be a list of integers from 1 to 2^53";
    for (const Json& wrong : {Json("1"), Json(0), Json(-1), Json(1.5), Json(), Json::array()}) {
      const Json options = {{key, Json::array({1, wrong, 2})}};
      EXPECT_EQ(violation_in({16, 1, options, "a"}, GetParam()), expected);
    }
    const Json beyond = {{key, Json::array({kIdMax, kIdMax + 1})}};
    EXPECT_EQ(violation_in({16, 1, beyond, "a"}, GetParam()), expected);
  }
  for (const char* key :
       {"exclude_authid", "exclude_authrole", "eligible_authid", "eligible_authrole"}) {
    for (const Json& wrong : {Json(1), Json(), Json::array(), Json(true)}) {
      const Json options = {{key, Json::array({"joe", wrong, "jim"})}};
      EXPECT_EQ(violation_in({16, 1, options, "a"}, GetParam()),
                std::string("PUBLISH.Options.") + key + " must be a list of strings");
    }
  }
}

TEST_P(OptionsEachSerializer, details_of_a_revocation_are_a_dict_that_names_something) {
  for (const auto& [code, name, key] : {std::tuple(35, "UNSUBSCRIBED", "subscription"),
                                        std::tuple(67, "UNREGISTERED", "registration")}) {
    const std::string prefix = name;
    for (const Json& value : values_of_every_type(GetParam())) {
      const std::string text = violation_in({code, 7, value}, GetParam());
      if (value.is_object() || is_absent(value)) {
        EXPECT_EQ(text, "");
      } else {
        EXPECT_EQ(text, prefix + ".Details must be a dict");
      }
    }
    const std::string nothing_named =
        prefix +
        ".Request must be an integer from 1 to 2^53, or 0 with Details that say what is revoked";
    EXPECT_EQ(violation_in(Json::array({code, 0}), GetParam()), nothing_named);
    EXPECT_EQ(violation_in(Json::array({code, 0, nullptr}), GetParam()), nothing_named);
    EXPECT_EQ(violation_in({code, 0, {{"reason", "com.why"}}}, GetParam()), nothing_named);
    EXPECT_EQ(violation_in({code, 0, {{key, nullptr}}}, GetParam()), nothing_named);
    EXPECT_EQ(violation_in({code, 0, {{key, 5}}}, GetParam()), "");
  }
}

}  // namespace
}  // namespace ringcast::wire::test
