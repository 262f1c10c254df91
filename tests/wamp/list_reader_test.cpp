// Lists and dicts that are kept as they are written: what is read of them later.

#include "wire/list_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "samples.h"
#include "wire/members.h"
#include "wire/string_list.h"

namespace ringcast::wire::test {
namespace {

using Texts = std::vector<std::string>;
using Ids = std::vector<std::uint64_t>;

Texts texts_in(ListReader& reader, Serializer serializer, const std::string& list) {
  const Exact exact(list);
  reader.open(serializer, exact);
  Texts texts;
  for (Bytes text; reader.next(text);) texts.emplace_back(text);
  Bytes more;
  EXPECT_FALSE(reader.next(more));
  return texts;
}

Ids ids_in(ListReader& reader, Serializer serializer, const std::string& list) {
  const Exact exact(list);
  reader.open(serializer, exact);
  Ids ids;
  for (std::uint64_t id = 0; reader.next(id);) ids.push_back(id);
  return ids;
}

class KeptEachSerializer : public testing::TestWithParam<Serializer> {
 protected:
  std::string bytes(const Json& value) const { return serialize(value, GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Wamp, KeptEachSerializer, testing::ValuesIn(kSerializers),
                         [](const auto& param) { return to_string(param.param); });

TEST_P(KeptEachSerializer, lists_are_walked_from_the_first_element_to_the_last) {
  ListReader reader;
  const Texts texts = {"a", "", "say \"hi\"\n", "Grüße 🎈", std::string(300, 'x')};
  const Ids ids = {1, 127, 128, 65536, 4294967296, kIdMax};
  for (int again = 0; again < 3; ++again) {
    EXPECT_EQ(texts_in(reader, GetParam(), bytes(texts)), texts);
    EXPECT_EQ(ids_in(reader, GetParam(), bytes(ids)), ids);
    EXPECT_EQ(texts_in(reader, GetParam(), bytes(Json::array())), Texts());
  }
  EXPECT_EQ(decode_string_list(GetParam(), bytes(texts)), texts);
}

TEST_P(KeptEachSerializer, texts_stay_valid_until_the_next_list) {
  const std::string list = bytes({"\n1", "\n2", "\n3", "4"});
  ListReader reader;
  reader.open(GetParam(), list);
  std::vector<Bytes> texts;
  for (Bytes text; reader.next(text);) texts.push_back(text);
  EXPECT_EQ(texts, (std::vector<Bytes>{"\n1", "\n2", "\n3", "4"}));
}

TEST_P(KeptEachSerializer, no_list_is_an_empty_one) {
  ListReader reader;
  EXPECT_EQ(texts_in(reader, GetParam(), ""), Texts());
  EXPECT_EQ(decode_string_list(GetParam(), ""), Texts());
  for (const Json& value : {Json(), Json("text"), Json(7), Json{{"k", "v"}}}) {
    EXPECT_EQ(texts_in(reader, GetParam(), bytes(value)), Texts());
    EXPECT_EQ(ids_in(reader, GetParam(), bytes(value)), Ids());
  }
  ListReader unopened;
  Bytes text;
  EXPECT_FALSE(unopened.next(text));
}

TEST_P(KeptEachSerializer, an_element_of_another_type_ends_a_list) {
  ListReader reader;
  for (const Json& wrong : {Json(), Json(true), Json::array({"b"}), Json{{"k", "v"}}}) {
    EXPECT_EQ(texts_in(reader, GetParam(), bytes({"a", wrong, "c"})), Texts{"a"});
    EXPECT_EQ(ids_in(reader, GetParam(), bytes({1, wrong, 3})), Ids{1});
  }
}

// They come from shared memory too.
TEST_P(KeptEachSerializer, broken_lists_and_dicts_are_read_to_where_they_break) {
  const std::string texts = bytes({"a", "b\n", "c"});
  const std::string dict = bytes({{"a", 1}, {"b", "text"}, {"c", {1, "x"}}});
  ListReader reader;
  for (std::size_t size = 0; size < texts.size(); ++size)
    EXPECT_LE(texts_in(reader, GetParam(), texts.substr(0, size)).size(), 3u);
  for (std::size_t size = 0; size < dict.size(); ++size) {
    const Exact cut(Bytes(dict).substr(0, size));
    EXPECT_EQ(text_member(GetParam(), cut, "b"), std::nullopt);
    EXPECT_EQ(integer_member(GetParam(), cut, "a"), std::nullopt);
    EXPECT_EQ(raw_member(GetParam(), cut, "c"), "");
  }
  std::mt19937_64 random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string changed = i % 2 == 0 ? texts : dict;
    changed[random() % changed.size()] = static_cast<char>(random());
    texts_in(reader, GetParam(), changed);
    ids_in(reader, GetParam(), changed);
    const Exact exact(changed);
    text_member(GetParam(), exact, "b");
    raw_member(GetParam(), exact, "c");
  }
}

TEST_P(KeptEachSerializer, members_are_found_by_name_and_type) {
  const Json nested = {{"pubkey", "inner"}, {"deep", {1, {{"a", Json::array()}}}}};
  const std::string dict = bytes({{"nonce", "n\n1"},
                                  {"iterations", 4096},
                                  {"channel_binding", nullptr},
                                  {"nested", nested},
                                  {"Grüße", "🎈"}});
  EXPECT_EQ(text_member(GetParam(), dict, "nonce"), "n\n1");
  EXPECT_EQ(text_member(GetParam(), dict, "Grüße"), "🎈");
  EXPECT_EQ(integer_member(GetParam(), dict, "iterations"), 4096u);
  EXPECT_EQ(parse(raw_member(GetParam(), dict, "nested"), GetParam()), nested);
  EXPECT_EQ(text_member(GetParam(), raw_member(GetParam(), dict, "nested"), "pubkey"), "inner");
  EXPECT_EQ(text_member(GetParam(), dict, "pubkey"), std::nullopt);
  EXPECT_EQ(text_member(GetParam(), dict, "iterations"), std::nullopt);
  EXPECT_EQ(text_member(GetParam(), dict, "channel_binding"), std::nullopt);
  EXPECT_EQ(integer_member(GetParam(), dict, "nonce"), std::nullopt);
  EXPECT_EQ(raw_member(GetParam(), dict, "channel_binding"), "");
  EXPECT_EQ(raw_member(GetParam(), dict, "nothing"), "");
  EXPECT_EQ(text_member(GetParam(), "", "nonce"), std::nullopt);
  EXPECT_EQ(text_member(GetParam(), bytes({"nonce", "x"}), "nonce"), std::nullopt);
}

TEST_P(KeptEachSerializer, an_answer_is_read_by_its_type) {
  const Serializer serializer = GetParam();
  const auto first = [&](const Json& list) { return first_element(serializer, bytes(list)); };
  const std::string yes = bytes({true, false});
  EXPECT_EQ(as_boolean(serializer, first_element(serializer, yes)), true);
  const std::string text = bytes({"n\n1"});
  EXPECT_EQ(as_text(serializer, first_element(serializer, text)), "n\n1");
  EXPECT_EQ(as_boolean(serializer, first_element(serializer, text)), std::nullopt);
  const std::string dict = bytes({{{"allow", false}}});
  const Bytes answer = first_element(serializer, dict);
  EXPECT_TRUE(is_dict(serializer, answer));
  EXPECT_EQ(as_boolean(serializer, raw_member(serializer, answer, "allow")), false);
  EXPECT_EQ(as_boolean(serializer, answer), std::nullopt);
  EXPECT_EQ(first(Json::array()), "");
  EXPECT_EQ(first({nullptr}), "");
  EXPECT_EQ(first_element(serializer, bytes({{"a", 1}})), "");
  EXPECT_EQ(first_element(serializer, ""), "");
  EXPECT_EQ(as_boolean(serializer, ""), std::nullopt);
  EXPECT_FALSE(is_dict(serializer, ""));
  const std::string two = bytes(true) + bytes(true);
  EXPECT_EQ(as_boolean(serializer, two), std::nullopt);
}

TEST(KeptJson, of_a_member_that_comes_twice_the_last_counts) {
  const Bytes dict = R"({"a":"x","b":1,"c":[],"a":"y","b":"z","c":null})";
  EXPECT_EQ(text_member(Serializer::json, dict, "a"), "y");
  EXPECT_EQ(integer_member(Serializer::json, dict, "b"), std::nullopt);
  EXPECT_EQ(raw_member(Serializer::json, dict, "c"), "");
}

TEST(KeptJson, white_space_and_escapes_are_read_through) {
  ListReader reader;
  EXPECT_EQ(texts_in(reader, Serializer::json, R"( [ "a\u0062" , "\u00fc" ] )"),
            (Texts{"ab", "ü"}));
  EXPECT_EQ(ids_in(reader, Serializer::json, "[ 1 , 2.0, 3e2 ]"), (Ids{1, 2, 300}));
  EXPECT_EQ(text_member(Serializer::json, R"( { "\u0061" : "b" } )", "a"), "b");
}

}  // namespace
}  // namespace ringcast::wire::test
