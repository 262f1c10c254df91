// Who may get a publication with exclude and eligible lists, against the specification's six
// statements taken literally; and that no bytes are believed which are not a filter.
#include "worker/receiver_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/ring/support.h"

namespace ringcast::worker {
namespace {

using ring::test::below;
using ring::test::Random;
using Sessions = std::vector<std::uint64_t>;
using Names = std::vector<std::string>;

struct Receiver {
  std::uint64_t session = 7;
  std::string authid = "alice";
  std::string authrole = "staff";
};

bool allows(const ReceiverLists& lists, const Receiver& receiver = {}) {
  const std::string bytes = write_receiver_filter(lists);
  const auto filter = ReceiverFilter::parse(bytes);
  EXPECT_TRUE(filter);
  return filter && filter->allows(receiver.session, receiver.authid, receiver.authrole);
}

TEST(ReceiverFilter, WithoutListsEverybodyIsAllowed) {
  EXPECT_TRUE(ReceiverLists{}.all_absent());
  EXPECT_TRUE(allows({}));
}

TEST(ReceiverFilter, AnEmptyEligibleListAllowsNobodyAndAnEmptyExcludeListAll) {
  EXPECT_FALSE(allows({.eligible = Sessions{}}));
  EXPECT_FALSE(allows({.eligible_authid = Names{}}));
  EXPECT_FALSE(allows({.eligible_authrole = Names{}}));
  EXPECT_TRUE(
      allows({.exclude = Sessions{}, .exclude_authid = Names{}, .exclude_authrole = Names{}}));
  EXPECT_FALSE(ReceiverLists{.exclude_authrole = Names{}}.all_absent());
}

TEST(ReceiverFilter, EachListDecidesByItself) {
  EXPECT_TRUE(allows({.eligible = Sessions{9, 7, 8}}));
  EXPECT_FALSE(allows({.eligible = Sessions{9, 8}}));
  EXPECT_FALSE(allows({.exclude = Sessions{9, 7, 8}}));
  EXPECT_TRUE(allows({.exclude = Sessions{9, 8}}));
  EXPECT_TRUE(allows({.eligible_authid = Names{"bob", "alice"}}));
  EXPECT_FALSE(allows({.eligible_authid = Names{"alic", "alicee", ""}}));
  EXPECT_FALSE(allows({.exclude_authid = Names{"bob", "alice"}}));
  EXPECT_TRUE(allows({.exclude_authid = Names{"bob", "staff"}}));
  EXPECT_TRUE(allows({.eligible_authrole = Names{"staff"}}));
  EXPECT_FALSE(allows({.eligible_authrole = Names{"alice"}}));
  EXPECT_FALSE(allows({.exclude_authrole = Names{"manager", "staff"}}));
}

TEST(ReceiverFilter, AllListsMustAgree) {
  const ReceiverLists lists{.eligible = Sessions{7, 8},
                            .exclude = Sessions{8},
                            .eligible_authid = Names{"alice", "carol"},
                            .exclude_authrole = Names{"guest"}};
  EXPECT_TRUE(allows(lists));
  EXPECT_FALSE(allows(lists, {.session = 8}));
  EXPECT_FALSE(allows(lists, {.session = 9}));
  EXPECT_FALSE(allows(lists, {.authid = "bob"}));
  EXPECT_FALSE(allows(lists, {.authrole = "guest"}));
}

TEST(ReceiverFilter, RepetitionsAndOrderDoNotMatter) {
  const ReceiverLists once{.eligible = Sessions{7, 8}, .exclude_authid = Names{"a", "b"}};
  const ReceiverLists often{.eligible = Sessions{8, 7, 7, 8, 8},
                            .exclude_authid = Names{"b", "a", "b", "b"}};
  EXPECT_EQ(write_receiver_filter(once), write_receiver_filter(often));
}

TEST(ReceiverFilter, NamesAreBytes) {
  const std::string with_zero("al\0ice", 6);
  EXPECT_TRUE(allows({.eligible_authid = Names{with_zero, "日本"}}, {.authid = with_zero}));
  EXPECT_TRUE(allows({.eligible_authid = Names{with_zero, "日本"}}, {.authid = "日本"}));
  EXPECT_FALSE(allows({.eligible_authid = Names{with_zero, "日本"}}, {.authid = "al"}));
  EXPECT_TRUE(allows({.eligible_authid = Names{""}}, {.authid = ""}));
}

TEST(ReceiverFilter, TellsWhichSessionsAreNamed) {
  const std::string none = write_receiver_filter({.exclude = Sessions{1}});
  EXPECT_FALSE(ReceiverFilter::parse(none)->eligible_sessions());
  const std::string some = write_receiver_filter({.eligible = Sessions{9, UINT64_MAX, 3, 9}});
  const auto sessions = ReceiverFilter::parse(some)->eligible_sessions();
  ASSERT_TRUE(sessions);
  ASSERT_EQ(sessions->size(), 3u);
  EXPECT_EQ((*sessions)[0], 3u);
  EXPECT_EQ((*sessions)[1], 9u);
  EXPECT_EQ((*sessions)[2], UINT64_MAX);
}

// ---- Against the specification's six statements ----

template <typename Element, typename Make>
std::optional<std::vector<Element>> random_list(Random& random, Make make) {
  if (below(random, 3) == 0) return std::nullopt;
  std::vector<Element> list(below(random, 8));
  for (Element& element : list) element = make();
  return list;
}

ReceiverLists random_lists(Random& random) {
  const auto session = [&random] { return below(random, 12); };
  const auto name = [&random] { return std::string(below(random, 4), 'a') + "b"; };
  ReceiverLists lists;
  lists.eligible = random_list<std::uint64_t>(random, session);
  lists.exclude = random_list<std::uint64_t>(random, session);
  lists.eligible_authid = random_list<std::string>(random, name);
  lists.exclude_authid = random_list<std::string>(random, name);
  lists.eligible_authrole = random_list<std::string>(random, name);
  lists.exclude_authrole = random_list<std::string>(random, name);
  return lists;
}

template <typename Element>
bool among(const std::vector<Element>& list, const Element& element) {
  return std::find(list.begin(), list.end(), element) != list.end();
}

bool by_the_statements(const ReceiverLists& lists, const Receiver& r) {
  return (!lists.eligible || among(*lists.eligible, r.session)) &&
         (!lists.eligible_authid || among(*lists.eligible_authid, r.authid)) &&
         (!lists.eligible_authrole || among(*lists.eligible_authrole, r.authrole)) &&
         (!lists.exclude || !among(*lists.exclude, r.session)) &&
         (!lists.exclude_authid || !among(*lists.exclude_authid, r.authid)) &&
         (!lists.exclude_authrole || !among(*lists.exclude_authrole, r.authrole));
}

TEST(ReceiverFilter, DecidesAsTheSpecificationsStatementsDo) {
  Random random(23);
  int allowed = 0;
  for (int round = 0; round < 20000; ++round) {
    const ReceiverLists lists = random_lists(random);
    const std::string bytes = write_receiver_filter(lists);
    const auto filter = ReceiverFilter::parse(bytes);
    ASSERT_TRUE(filter);
    for (int i = 0; i < 10; ++i) {
      const Receiver r{.session = below(random, 12),
                       .authid = std::string(below(random, 4), 'a') + "b",
                       .authrole = std::string(below(random, 4), 'a') + "b"};
      ASSERT_EQ(filter->allows(r.session, r.authid, r.authrole), by_the_statements(lists, r));
      allowed += by_the_statements(lists, r) ? 1 : 0;
    }
  }
  EXPECT_GT(allowed, 1000);
}

// ---- Bytes that are not a filter ----

std::string sample() {
  return write_receiver_filter({.eligible = Sessions{1, 2, 3},
                                .exclude = Sessions{4},
                                .eligible_authid = Names{"alice", "bob"},
                                .exclude_authrole = Names{"", "guest"}});
}

// In memory of exactly its size, so that AddressSanitizer sees a read beyond it.
bool parses(const std::string& bytes) {
  const std::vector<char> exact(bytes.begin(), bytes.end());
  return ReceiverFilter::parse({exact.data(), exact.size()}).has_value();
}

std::string with_word(std::string bytes, std::size_t at, std::uint32_t word) {
  std::memcpy(bytes.data() + at, &word, sizeof word);
  return bytes;
}

TEST(ReceiverFilter, BytesCutAnywhereOrTooLongAreRefused) {
  const std::string bytes = sample();
  EXPECT_TRUE(parses(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(parses(bytes.substr(0, size)));
  EXPECT_FALSE(parses(bytes + "x"));
}

// The header is eleven words: lists present, six counts, four sizes of text.
TEST(ReceiverFilter, AHeaderThatContradictsTheBytesIsRefused) {
  const std::string bytes = sample();
  for (std::size_t word = 0; word < 11; ++word) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + word * 4, sizeof value);
    for (const std::uint32_t wrong : {value + 1, value - 1, value ^ 0x80000000u, UINT32_MAX}) {
      EXPECT_FALSE(parses(with_word(bytes, word * 4, wrong))) << word << " " << wrong;
    }
  }
}

TEST(ReceiverFilter, ListsThatDoNotAscendAreRefused) {
  const std::string bytes = sample();
  const std::size_t sessions = 44;
  EXPECT_FALSE(parses(with_word(bytes, sessions, 2)));      // 2, 2, 3
  EXPECT_FALSE(parses(with_word(bytes, sessions + 8, 9)));  // 1, 9, 3
  EXPECT_TRUE(parses(with_word(bytes, sessions + 16, 9)));  // 1, 2, 9
  std::string swapped = bytes;
  const std::size_t names = swapped.find("alicebob");
  swapped.replace(names, 8, "zlicebob");
  EXPECT_FALSE(parses(swapped));
}

TEST(ReceiverFilter, OffsetsOutsideTheTextAreRefused) {
  const std::string bytes = sample();
  const std::size_t ends = bytes.find("alicebob") - 8;
  for (const std::uint32_t wrong : {9u, UINT32_MAX}) {
    EXPECT_FALSE(parses(with_word(bytes, ends, wrong)));
    EXPECT_FALSE(parses(with_word(bytes, ends + 4, wrong)));
  }
  EXPECT_FALSE(parses(with_word(bytes, ends + 4, 7)));  // a byte of text that is nobody's
  EXPECT_TRUE(parses(with_word(bytes, ends, 4)));       // "alic", "ebob"
}

// What was checked may change before it is used: an answer is wrong then, but no byte beyond the
// filter's is read.
TEST(ReceiverFilter, BytesThatChangeBehindItsBackAreReadNoFurther) {
  Random random(29);
  const std::string bytes = sample();
  for (int round = 0; round < 20000; ++round) {
    std::vector<char> shared(bytes.begin(), bytes.end());
    const auto filter = ReceiverFilter::parse({shared.data(), shared.size()});
    ASSERT_TRUE(filter);
    for (int i = 0; i < 6; ++i) shared[below(random, shared.size())] = static_cast<char>(random());
    for (const char* name : {"alice", "zoe", ""}) filter->allows(below(random, 6), name, name);
  }
}

TEST(ReceiverFilter, RandomBytesAreRefusedOrDecide) {
  Random random(31);
  std::size_t accepted = 0;
  for (int round = 0; round < 100000; ++round) {
    std::string bytes = sample();
    for (std::uint64_t n = 1 + below(random, 3); n != 0; --n)
      bytes[below(random, bytes.size())] = static_cast<char>(random());
    const std::vector<char> exact(bytes.begin(), bytes.end());
    const auto filter = ReceiverFilter::parse({exact.data(), exact.size()});
    if (!filter) continue;
    ++accepted;
    filter->allows(2, "bob", "guest");
  }
  EXPECT_GT(accepted, 0u);
}

TEST(ReceiverLists, AreReadInBothSerializers) {
  wire::ReceiverFilter options;
  options.eligible = "[3,1,3]";
  options.exclude_authid = "[\"joe\",\"ann\"]";
  options.eligible_authrole = "[]";
  const auto json = read_receiver_lists(wire::Serializer::json, options);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->eligible, (Sessions{3, 1, 3}));
  EXPECT_EQ(json->exclude_authid, (Names{"joe", "ann"}));
  EXPECT_EQ(json->eligible_authrole, Names{});
  EXPECT_FALSE(json->exclude || json->eligible_authid || json->exclude_authrole);
  options = {};
  options.exclude = std::string_view("\x92\x03\xCD\x01\x00", 5);
  const auto msgpack = read_receiver_lists(wire::Serializer::msgpack, options);
  ASSERT_TRUE(msgpack);
  EXPECT_EQ(msgpack->exclude, (Sessions{3, 256}));
}

TEST(ReceiverLists, HaveABoundTogether) {
  std::string half = "[1";
  for (std::size_t i = 1; i < kReceiversMax / 2; ++i) half += ",1";
  half += ']';
  wire::ReceiverFilter options;
  options.eligible = half;
  options.exclude = half;
  EXPECT_TRUE(read_receiver_lists(wire::Serializer::json, options));
  options.eligible_authid = "[\"one too many\"]";
  EXPECT_FALSE(read_receiver_lists(wire::Serializer::json, options));
}

}  // namespace
}  // namespace ringcast::worker
