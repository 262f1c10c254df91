// Retained events over two workers: a page at a time, as fast as the receiver takes them, and
// nothing left behind when somebody goes.
#include "worker/retention.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "tests/worker/recorder.h"

namespace ringcast::worker {
namespace {

using ring::DescriptorKind;

struct Receiver : RetentionClient {
  State receiver_state(const RetainedReceiver&) override { return state; }
  void on_retained(const RetainedReceiver& receiver, const Publication& publication) override {
    EXPECT_EQ(receiver.subscription, 5u);
    EXPECT_TRUE(topics.emplace(publication.topic).second) << publication.topic << " came twice";
    last_scheme = publication.extras->passthru.scheme;
  }
  State state = State::ready;
  std::set<std::string> topics;
  std::string last_scheme;
};

class RetentionTest : public testing::Test {
 protected:
  struct One : PeerUser {
    void on_descriptor(std::uint32_t from, const ring::Descriptor& descriptor,
                       std::string_view frame) override {
      if (descriptor.kind == DescriptorKind::retained_request) {
        retention->on_request(from, descriptor.token, frame);
      } else {
        ASSERT_EQ(descriptor.kind, DescriptorKind::retained_page);
        ++pages;
        retention->on_page(from, descriptor.token, frame);
      }
    }
    void on_worker_lost(std::uint32_t worker) override { retention->on_worker_lost(worker); }
    void on_worker_live(std::uint32_t) override {}
    std::unique_ptr<Peers> peers;
    Receiver receiver;
    std::unique_ptr<Retention> retention;
    int pages = 0;
  };

  void SetUp() override {
    for (std::uint32_t w = 0; w < 2; ++w) {
      workers_[w].peers = board_.start(w);
      board_.set_live(w);
      workers_[w].retention = std::make_unique<Retention>(board_.segment(), w, *workers_[w].peers,
                                                          workers_[w].receiver);
    }
    for (One& one : workers_) one.peers->refresh(one);
  }
  TopicKey key(std::string_view uri, wire::MatchPolicy match = wire::MatchPolicy::exact) const {
    return {topic_hash(board_seed(), 0, uri, match), 0, uri, match};
  }
  std::uint64_t board_seed() const { return 17; }
  // At its home.
  void keep(const std::string& topic, std::string_view args = "[1]",
            std::string_view receivers = {}) {
    Publication publication = test::publication(1, args);
    publication.topic = topic;
    publication.extras =
        PublicationExtras{.passthru = {.scheme = "x_a"}, .receivers = receivers, .retain = true};
    workers_[home_of(key(topic).hash, 2)].retention->keep(publication);
  }
  void fetch(std::string_view uri, wire::MatchPolicy match) {
    workers_[0].retention->fetch(
        {.who = {.worker = 0, .slot = 1, .generation = 1}, .subscription = 5}, key(uri, match));
  }
  void turns(int count) {
    for (int i = 0; i < count; ++i) {
      for (One& one : workers_) {
        test::drain_all(*one.peers, one);
        one.retention->end_turn();
        one.peers->flush();
      }
    }
  }

  test::Board board_{2, 1u << 20};
  std::array<One, 2> workers_;
  Receiver& receiver_ = workers_[0].receiver;
};

TEST_F(RetentionTest, APatternGetsThoseOfAllHomes) {
  for (int n = 0; n < 50; ++n) keep("a." + std::to_string(n));
  keep("b.1");
  fetch("a.", wire::MatchPolicy::prefix);
  turns(3);
  EXPECT_EQ(receiver_.topics.size(), 50u);
  EXPECT_EQ(receiver_.topics.count("b.1"), 0u);
  EXPECT_EQ(receiver_.last_scheme, "x_a");
}

TEST_F(RetentionTest, AnExactTopicIsAskedOfItsHomeOnly) {
  for (int n = 0; n < 10; ++n) keep("a." + std::to_string(n));
  for (int n = 0; n < 10; ++n) fetch("a." + std::to_string(n), wire::MatchPolicy::exact);
  turns(10);
  EXPECT_EQ(receiver_.topics.size(), 10u);
  EXPECT_LT(workers_[0].pages, 10);
}

TEST_F(RetentionTest, ManyComeInPages) {
  const std::string large = '[' + std::string(50000, '1') + ']';
  for (int n = 0; n < 40; ++n) keep("a." + std::to_string(n), large);
  fetch("a.", wire::MatchPolicy::prefix);
  turns(20);
  EXPECT_EQ(receiver_.topics.size(), 40u);
  EXPECT_GT(workers_[0].pages, 4);
}

TEST_F(RetentionTest, ABusyReceiverGetsNothingUntilItIsReady) {
  const std::string large = '[' + std::string(50000, '1') + ']';
  for (int n = 0; n < 40; ++n) keep("a." + std::to_string(n), large);
  receiver_.state = RetentionClient::State::busy;
  fetch("a.", wire::MatchPolicy::prefix);
  turns(10);
  workers_[0].retention->resume();
  turns(10);
  EXPECT_TRUE(receiver_.topics.empty());
  receiver_.state = RetentionClient::State::ready;
  for (int n = 0; n < 10; ++n) {
    workers_[0].retention->resume();
    turns(10);
  }
  EXPECT_EQ(receiver_.topics.size(), 40u);
}

TEST_F(RetentionTest, NothingIsLeftOfAReceiverThatIsGone) {
  const std::string large = '[' + std::string(50000, '1') + ']';
  for (int n = 0; n < 40; ++n) keep("a." + std::to_string(n), large);
  fetch("a.", wire::MatchPolicy::prefix);
  turns(1);
  receiver_.state = RetentionClient::State::busy;
  turns(3);
  const std::size_t taken = receiver_.topics.size();
  receiver_.state = RetentionClient::State::gone;
  workers_[0].retention->resume();
  receiver_.state = RetentionClient::State::ready;
  workers_[0].retention->resume();
  turns(3);
  EXPECT_EQ(receiver_.topics.size(), taken);
  EXPECT_LT(taken, 40u);
}

TEST_F(RetentionTest, OneSessionsFetchesLeaveRoomForOthers) {
  const ring::ConnectionId who{.worker = 0, .slot = 1, .generation = 1};
  const ring::ConnectionId other{.worker = 0, .slot = 2, .generation = 1};
  receiver_.state = RetentionClient::State::busy;
  std::size_t fetches = 0;
  for (; !workers_[0].retention->full(who); ++fetches) fetch("a.b", wire::MatchPolicy::exact);
  EXPECT_EQ(fetches, Retention::kFetchesOfSessionMax + Retention::kUnderWayMax);
  EXPECT_FALSE(workers_[0].retention->full(other));
  receiver_.state = RetentionClient::State::gone;
  workers_[0].retention->resume();
  EXPECT_FALSE(workers_[0].retention->full(who));
}

TEST_F(RetentionTest, WhatHadListsIsNotKept) {
  keep("a.1", "[1]", "a filter");
  fetch("a.", wire::MatchPolicy::prefix);
  turns(3);
  EXPECT_TRUE(receiver_.topics.empty());
}

TEST_F(RetentionTest, AnAnswerToNobodyIsDropped) {
  workers_[0].retention->on_page(1, 4711, RetainedPageWriter().finish(std::nullopt));
  EXPECT_EQ(board_.count(0, ring::Counter::stale_frames_dropped), 1u);
  workers_[0].retention->on_request(1, 4711, "x");
  EXPECT_EQ(board_.count(0, ring::Counter::corrupt_frames_dropped), 1u);
}

}  // namespace
}  // namespace ringcast::worker
