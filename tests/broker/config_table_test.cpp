#include "broker/config_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ringcast::broker {
namespace {

using testing::HasSubstr;

class ConfigTableTest : public testing::Test {
 protected:
  ConfigTable table(std::string_view text) {
    document_ = toml::parse(text);
    return ConfigTable(document_, "", errors_);
  }
  std::string errors() const { return errors_.to_text("f"); }

  toml::table document_;
  ConfigErrors errors_;
};

TEST_F(ConfigTableTest, GivesValuesAndFallbacks) {
  ConfigTable t = table("a = \"x\"\nb = true\nc = 7\nd = [\"p\", \"q\"]\n");
  EXPECT_EQ(t.required_text("a"), "x");
  EXPECT_EQ(t.text("none", "fallback"), "fallback");
  EXPECT_TRUE(t.boolean("b", false));
  EXPECT_TRUE(t.boolean("no_boolean", true));
  EXPECT_EQ(t.integer("c", 1, 0, 10), 7u);
  EXPECT_EQ(t.integer("no_integer", 3, 0, 10), 3u);
  EXPECT_EQ(t.texts("d"), (std::vector<std::string>{"p", "q"}));
  EXPECT_TRUE(t.texts("no_texts").empty());
  EXPECT_TRUE(t.tables("no_tables").empty());
  EXPECT_TRUE(t.table("no_table").empty());
  t.finish();
  EXPECT_EQ(errors(), "");
}

TEST_F(ConfigTableTest, NamesLineKeyAndTypes) {
  ConfigTable t = table("a = 1\nb = \"yes\"\nc = 1.5\n\nd = [\"p\", 2]\ne = 3\nf = [[1]]\ng = 1");
  t.text("a");
  t.boolean("b", false);
  t.integer("c", 0, 0, 1);
  t.texts("d");
  t.texts("e");
  t.tables("f");
  t.table("g");
  t.finish();
  EXPECT_EQ(errors(),
            "f:1: a: an integer where a text belongs\n"
            "f:2: b: a text where true or false belongs\n"
            "f:3: c: a number with a fraction where an integer belongs\n"
            "f:5: d: an integer where a text belongs\n"
            "f:6: e: an integer where a list of texts belongs\n"
            "f:7: f: a list where a table belongs\n"
            "f:8: g: an integer where a table ([g]) belongs\n");
}

TEST_F(ConfigTableTest, NamesTheRangeOfIntegers) {
  ConfigTable t = table("a = 11\nb = -1\nc = 10\n");
  EXPECT_EQ(t.integer("a", 5, 0, 10), 5u);
  EXPECT_EQ(t.integer("b", 5, 0, 10), 5u);
  EXPECT_EQ(t.integer("c", 5, 0, 10), 10u);
  EXPECT_EQ(errors(), "f:1: a: 11 is not from 0 to 10\nf:2: b: -1 is not from 0 to 10\n");
}

TEST_F(ConfigTableTest, AMissingKeyIsAnErrorOfItsTable) {
  ConfigTable t = table("\n[[x]]\ny = 1\n\n[[x]]\nname = \"\"\n");
  for (ConfigTable& x : t.tables("x")) x.required_text("name");
  EXPECT_EQ(errors(), "f:2: x[0]: the key name is missing\nf:6: x[1].name: must not be empty\n");
}

TEST_F(ConfigTableTest, AnUnknownKeyNamesTheNearestKnownOne) {
  ConfigTable t = table("nmae = \"x\"\nzzzzzz = 1\n");
  t.text("name");
  t.text("anonymous");
  t.finish();
  EXPECT_THAT(
      errors(),
      HasSubstr("f:1: nmae: unknown key; did you mean name? Known here: name, anonymous\n"));
  EXPECT_THAT(errors(), HasSubstr("f:2: zzzzzz: unknown key. Known here: name, anonymous\n"));
}

TEST_F(ConfigTableTest, ErrorsAreBounded) {
  for (int i = 0; i < 60; ++i) errors_.add(1, "key", "message");
  EXPECT_EQ(errors_.all().size(), 50u);
  EXPECT_THAT(errors(), HasSubstr("and 10 more"));
}

}  // namespace
}  // namespace ringcast::broker
