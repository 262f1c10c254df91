#include "worker/id_index.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>

namespace ringcast::worker {
namespace {

struct Numbered {
  std::uint32_t subscription = 0;
};

TEST(IdIndex, AgreesWithAMapThroughGrowthAndErasure) {
  IdIndex<Numbered> index;
  std::map<std::uint32_t, std::unique_ptr<Numbered>> model;
  std::minstd_rand random(1);
  EXPECT_EQ(index.find(1), nullptr);
  for (int step = 0; step < 60'000; ++step) {
    // First it grows, then it shrinks; ids of one worker of seven.
    const std::uint32_t id = 3 + 7 * (random() % 2000);
    const auto found = model.find(id);
    const bool grow = step < 30'000 ? random() % 4 != 0 : random() % 4 == 0;
    if (grow && found == model.end()) {
      auto& made = model[id] = std::make_unique<Numbered>(Numbered{id});
      index.insert(*made);
    } else if (!grow && found != model.end()) {
      index.erase(*found->second);
      model.erase(found);
    }
    const std::uint32_t other = 3 + 7 * (random() % 2000);
    const auto expected = model.find(other);
    ASSERT_EQ(index.find(other), expected == model.end() ? nullptr : expected->second.get());
  }
  for (const auto& [id, record] : model) ASSERT_EQ(index.find(id), record.get());
}

TEST(IdIndex, FindsTheLargestId) {
  IdIndex<Numbered> index;
  Numbered last{UINT32_MAX};
  index.insert(last);
  EXPECT_EQ(index.find(UINT32_MAX), &last);
  EXPECT_EQ(index.find(UINT32_MAX - 1), nullptr);
  index.erase(last);
  EXPECT_EQ(index.find(UINT32_MAX), nullptr);
}

}  // namespace
}  // namespace ringcast::worker
