#include "client/cli/records.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ringcast::cli {
namespace {

// All records as text, then the failure's cause, if any; fed in pieces of `piece` bytes.
std::vector<std::string> parse(InputFormat format, const std::string& input, std::size_t piece) {
  auto parser = RecordParser::create(format, "input");
  std::vector<std::string> records;
  const auto drain = [&] {
    for (;;) {
      auto next = parser->next();
      if (std::holds_alternative<std::monostate>(next)) return true;
      if (const auto* failure = std::get_if<client::Failure>(&next)) {
        records.push_back("failure: " + failure->cause);
        return false;
      }
      const auto& publication = std::get<Publication>(next);
      records.push_back(publication.args.dump() + publication.kwargs.dump());
    }
  };
  for (std::size_t at = 0; at < input.size(); at += piece) {
    parser->feed(std::string_view(input).substr(at, piece));
    if (!drain()) return records;
  }
  parser->finish();
  drain();
  return records;
}

void expect(InputFormat format, const std::string& input,
            const std::vector<std::string>& expected) {
  for (const std::size_t piece : {1u, 2u, 7u, 10'000u}) {
    EXPECT_EQ(parse(format, input, piece), expected) << "in pieces of " << piece;
  }
}

TEST(Records, JsonLinesAreArgumentsKeywordsOrOneArgument) {
  expect(InputFormat::jsonl, "[1,2]\n{\"a\":1}\n\"text\"\r\n\n  \n5",
         {"[1,2]null", "null{\"a\":1}", "[\"text\"]null", "[5]null"});
}

TEST(Records, AJsonLineThatIsNoneIsNamed) {
  expect(InputFormat::jsonl, "1\n\n{broken\n3\n",
         {"[1]null", "failure: input: line 3 is not a JSON value"});
}

TEST(Records, AJsonArrayGivesItsElements) {
  expect(InputFormat::json, "[ {\"date\":\"2001\",\"delay\":-19},\n [1], 2 ]\n",
         {"null{\"date\":\"2001\",\"delay\":-19}", "[1]null", "[2]null"});
  expect(InputFormat::json, "[]", {});
  expect(InputFormat::json, "{\"a\":1}", {"failure: input is not one JSON array"});
  expect(InputFormat::json, "[1,", {"failure: input is not one JSON array"});
}

TEST(Records, CsvRowsAreKeywordsNamedByTheHeader) {
  expect(InputFormat::csv, "date,price\nJan 1 2000,1394.46\r\nFeb 1 2000,\n",
         {"null{\"date\":\"Jan 1 2000\",\"price\":1394.46}",
          "null{\"date\":\"Feb 1 2000\",\"price\":\"\"}"});
}

TEST(Records, QuotedCellsHoldAnything) {
  expect(InputFormat::csv,
         "\xEF\xBB\xBF"
         "a,b\n\"x,\"\"y\"\"\nz\",\"\"\n\n1,\"2\"",
         {"null{\"a\":\"x,\\\"y\\\"\\nz\",\"b\":\"\"}", "null{\"a\":1,\"b\":2}"});
}

TEST(Records, ARowThatDoesNotFitIsNamed) {
  expect(InputFormat::csv, "a,b\n1,2\n3\n",
         {"null{\"a\":1,\"b\":2}", "failure: input: line 3 has 1 cells where the header has 2"});
  expect(InputFormat::csv, "a,b\n1,\"2\n",
         {"failure: input: line 2 begins a quoted cell that is not closed"});
}

TEST(Records, TheFormatFollowsTheFileName) {
  EXPECT_EQ(format_for_file("data/sp500.csv"), InputFormat::csv);
  EXPECT_EQ(format_for_file("flights-2k.json"), InputFormat::json);
  EXPECT_EQ(format_for_file("log.jsonl"), InputFormat::jsonl);
  EXPECT_EQ(format_for_file("-"), InputFormat::jsonl);
}

}  // namespace
}  // namespace ringcast::cli
