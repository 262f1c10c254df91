// The home worker's answers: to its own sessions at once, to others by the rings, and after a
// restart not before everybody has announced what it holds, or is lost.
#include "worker/home_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/recorder.h"

namespace ringcast::worker {
namespace {

using ring::DescriptorKind;
using test::Recorder;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TopicKey kTopic{11, 0, "com.example"};
constexpr TopicKey kOther{12, 0, "com.other"};

struct Replies : HomeClient {
  struct Reply {
    std::uint64_t token;
    std::uint32_t subscription;
    bool operator==(const Reply&) const = default;
  };
  void on_home_reply(std::uint64_t token, std::uint32_t subscription) override {
    all.push_back({token, subscription});
  }
  void on_topic_change(MembershipChange change, ring::ConnectionId session,
                       const HomeTopic& topic) override {
    changes.push_back({change, session.packed(), topic.subscription});
  }
  struct Changed {
    MembershipChange change;
    std::uint64_t session;
    std::uint32_t subscription;
    bool operator==(const Changed&) const = default;
  };
  std::vector<Reply> all;
  std::vector<Changed> changes;
};

// Worker 0 is the home; workers 1 and 2 ask.
class HomeServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    for (std::uint32_t w = 0; w < 3; ++w) {
      peers_[w] = board_.start(w);
      board_.set_live(w);
    }
    for (std::uint32_t w = 0; w < 3; ++w) peers_[w]->refresh(told_[w]);
    service_ = std::make_unique<HomeService>(board_.segment(), 0, *peers_[0], replies_);
  }
  const std::vector<test::Handed>& answers_to(std::uint32_t worker) {
    peers_[0]->flush();
    test::drain_all(*peers_[worker], told_[worker]);
    return told_[worker].handed;
  }

  test::Board board_{3, 1u << 16};
  std::array<Recorder, 3> told_;
  std::array<std::unique_ptr<Peers>, 3> peers_;
  Replies replies_;
  std::unique_ptr<HomeService> service_;
};

TEST_F(HomeServiceTest, AnswersItsOwnWorkerAtOnce) {
  service_->subscribe(0, 5, 0, kTopic);
  ASSERT_EQ(replies_.all.size(), 1u);
  EXPECT_EQ(replies_.all[0].token, 5u);
  EXPECT_NE(replies_.all[0].subscription, 0u);
}

TEST_F(HomeServiceTest, AnswersOthersByTheRingWithTokenTargetAndTheSameId) {
  service_->subscribe(0, 5, 0, kTopic);
  service_->subscribe(1, 77, 88, kTopic);
  const auto& answers = answers_to(1);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].descriptor.kind, DescriptorKind::subscribe_reply);
  EXPECT_EQ(answers[0].descriptor.token, 77u);
  EXPECT_EQ(answers[0].descriptor.target, 88u);
  EXPECT_EQ(answers[0].descriptor.topic_hash, kTopic.hash);
  EXPECT_EQ(answers[0].descriptor.argument, replies_.all[0].subscription);
}

TEST_F(HomeServiceTest, CountsTheTopicsItIsHomeTo) {
  service_->subscribe(0, 1, 0, kTopic);
  service_->subscribe(1, 1, 0, kOther);
  EXPECT_EQ(board_.count(0, ring::Counter::home_topics), 2u);
  service_->release(0, kTopic.hash, replies_.all[0].subscription);
  EXPECT_EQ(board_.count(0, ring::Counter::home_topics), 1u);
}

TEST_F(HomeServiceTest, AfterARestartRequestsWaitUntilEveryOtherHasAnnounced) {
  service_->begin(0b110);
  service_->subscribe(0, 1, 0, kTopic);
  service_->subscribe(1, 2, 0, kTopic);
  service_->announce(1, 500, kOther);
  service_->announce_done(1);
  EXPECT_THAT(replies_.all, IsEmpty());
  EXPECT_THAT(answers_to(1), IsEmpty());
  service_->announce(2, 600, kTopic);
  service_->announce_done(2);
  EXPECT_THAT(replies_.all, ElementsAre(Replies::Reply{1, 600}));
  ASSERT_EQ(answers_to(1).size(), 1u);
  EXPECT_EQ(answers_to(1)[0].descriptor.argument, 600u);
  service_->subscribe(0, 3, 0, kOther);
  EXPECT_EQ(replies_.all.back().subscription, 500u);
}

TEST_F(HomeServiceTest, OneThatIsLostIsNotWaitedForAndItsRequestsAreForgotten) {
  service_->begin(0b110);
  service_->subscribe(0, 1, 0, kTopic);
  service_->subscribe(2, 2, 0, kOther);
  service_->announce_done(1);
  service_->on_worker_lost(2);
  EXPECT_EQ(replies_.all.size(), 1u);
  EXPECT_THAT(answers_to(2), IsEmpty());
  EXPECT_EQ(board_.count(0, ring::Counter::home_topics), 1u);
}

TEST_F(HomeServiceTest, WhatALostWorkerAnnouncedItHoldsNoMore) {
  service_->begin(0b110);
  service_->announce(2, 600, kTopic);
  service_->announce_done(2);
  service_->on_worker_lost(2);
  service_->announce_done(1);
  service_->subscribe(0, 1, 0, kTopic);
  EXPECT_NE(replies_.all[0].subscription, 600u);
}

TEST_F(HomeServiceTest, TellsOfATopicsBeginningAndEndOnce) {
  constexpr ring::ConnectionId kFirst{.worker = 1, .slot = 5, .generation = 9};
  constexpr ring::ConnectionId kLast{.worker = 2, .slot = 6, .generation = 7};
  service_->subscribe(1, 1, kFirst.packed(), kTopic);
  service_->subscribe(2, 1, kLast.packed(), kTopic);
  const std::uint32_t id = service_->find(kTopic)->subscription;
  EXPECT_EQ(service_->find(id), service_->find(kTopic));
  service_->subscriber_changed(MembershipChange::joined, kLast, id);
  service_->subscriber_changed(MembershipChange::joined, kLast, id + 3);  // of no topic
  service_->release(1, kTopic.hash, id, kFirst);
  service_->release(1, kTopic.hash, id, kFirst);
  service_->release(2, kOther.hash, id, kLast);  // another topic's hash
  service_->release(2, kTopic.hash, id, kLast);
  EXPECT_EQ(service_->find(id), nullptr);
  EXPECT_THAT(replies_.changes,
              ElementsAre(Replies::Changed{MembershipChange::created, kFirst.packed(), id},
                          Replies::Changed{MembershipChange::joined, kLast.packed(), id},
                          Replies::Changed{MembershipChange::deleted, kLast.packed(), id}));
}

TEST_F(HomeServiceTest, TellsOfTheEndOfWhatALostWorkerAloneHeld) {
  service_->begin(0b110);
  service_->announce(1, 500, kOther);
  service_->announce(2, 500, kOther);
  service_->announce(2, 600, kTopic);
  EXPECT_FALSE(service_->complete());
  service_->announce_done(1);
  service_->announce_done(2);
  EXPECT_TRUE(service_->complete());
  service_->on_worker_lost(2);
  EXPECT_THAT(replies_.changes, ElementsAre(Replies::Changed{MembershipChange::deleted, 0, 600}));
}

TEST_F(HomeServiceTest, AFirstStartWaitsForNobody) {
  service_->begin(0);
  service_->subscribe(0, 1, 0, kTopic);
  EXPECT_EQ(replies_.all.size(), 1u);
}

}  // namespace
}  // namespace ringcast::worker
