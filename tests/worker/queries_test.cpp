// Questions between three workers, driven by hand in one thread: each callback runs once, whatever
// becomes of those who were asked.
#include "worker/queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/recorder.h"

namespace ringcast::worker {
namespace {

using ring::Counter;
using ring::DescriptorKind;

constexpr std::uint64_t bit(std::uint32_t worker) { return std::uint64_t{1} << worker; }

// One worker's end: hands over what comes, and answers with what it was asked.
struct End final : PeerUser, QueryServer {
  void on_descriptor(std::uint32_t from, const ring::Descriptor& descriptor,
                     std::string_view frame) override {
    descriptor.kind == DescriptorKind::query ? queries->on_query(from, descriptor, frame)
                                             : queries->on_reply(from, descriptor, frame);
  }
  void on_worker_lost(std::uint32_t worker) override { queries->on_worker_lost(worker); }
  void on_worker_live(std::uint32_t) override {}
  bool serve_query(QueryKind, std::uint16_t realm, std::string_view request,
                   std::string& reply) override {
    if (!ready) return false;
    reply = std::to_string(realm) + " " + std::string(request) + std::string(padding, 'x');
    return true;
  }

  bool ready = true;
  std::size_t padding = 0;
  std::unique_ptr<Peers> peers;
  std::unique_ptr<Queries> queries;
};

class QueriesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (std::uint32_t w = 0; w < 3; ++w) {
      ends_[w].peers = board_.start(w);
      ends_[w].queries = std::make_unique<Queries>(board_.segment(), w, *ends_[w].peers, ends_[w]);
      board_.set_live(w);
    }
    for (End& end : ends_) end.peers->refresh(end);
  }
  void exchange() {
    for (int round = 0; round < 2; ++round) {
      for (End& end : ends_) end.peers->flush();
      for (End& end : ends_) test::drain_all(*end.peers, end);
    }
  }
  bool ask(std::uint64_t workers) {
    return ends_[0].queries->ask(workers, QueryKind::registrations, 7, "what",
                                 [this](const std::vector<QueryReply>& replies) {
                                   ++answers_;
                                   replies_ = replies;
                                 });
  }

  test::Board board_{3, 8u << 20};
  std::array<End, 3> ends_;
  int answers_ = 0;
  std::vector<QueryReply> replies_;
};

TEST_F(QueriesTest, EverybodyAnswersThisWorkerToo) {
  ASSERT_TRUE(ask(ends_[0].queries->everybody()));
  EXPECT_EQ(answers_, 0);
  exchange();
  ASSERT_EQ(answers_, 1);
  ASSERT_EQ(replies_.size(), 3u);
  for (std::uint32_t w = 0; w < 3; ++w) {
    EXPECT_EQ(replies_[w].worker, w);
    EXPECT_EQ(replies_[w].result, QueryResult::answered);
    EXPECT_EQ(replies_[w].bytes, "7 what");
  }
}

TEST_F(QueriesTest, ItsOwnAnswerComesAtOnce) {
  ASSERT_TRUE(ask(bit(0)));
  EXPECT_EQ(answers_, 1);
}

TEST_F(QueriesTest, AWorkerThatDiesCountsAsLost) {
  ASSERT_TRUE(ask(bit(1) | bit(2)));
  ends_[0].peers->flush();
  board_.set_dead(1);
  ends_[0].peers->refresh(ends_[0]);
  EXPECT_EQ(answers_, 0);
  exchange();
  ASSERT_EQ(answers_, 1);
  EXPECT_EQ(replies_[0].result, QueryResult::lost);
  EXPECT_EQ(replies_[1].result, QueryResult::answered);
  // One that is away already is not waited for.
  ASSERT_TRUE(ask(bit(1)));
  EXPECT_EQ(answers_, 2);
  EXPECT_EQ(replies_[0].result, QueryResult::lost);
}

TEST_F(QueriesTest, WhatCanNotBeKnownYetIsAskedAgain) {
  ends_[0].ready = ends_[1].ready = false;
  ASSERT_TRUE(ask(bit(0) | bit(1)));
  exchange();
  EXPECT_TRUE(ends_[1].queries->has_deferred());
  ends_[1].queries->retry();
  ends_[0].ready = ends_[1].ready = true;
  ends_[0].queries->retry();
  exchange();
  EXPECT_EQ(answers_, 0);
  ends_[1].queries->retry();
  exchange();
  EXPECT_EQ(answers_, 1);
  EXPECT_FALSE(ends_[1].queries->has_deferred());
}

TEST_F(QueriesTest, WhoDoesNotAnswerIsGivenUpAndItsAnswerIsDropped) {
  ends_[0].queries->expire(1000);
  ASSERT_TRUE(ask(bit(1)));
  ends_[0].queries->expire(1000 + Queries::kTimeoutMs - 1);
  EXPECT_EQ(answers_, 0);
  ends_[0].queries->expire(1000 + Queries::kTimeoutMs);
  ASSERT_EQ(answers_, 1);
  EXPECT_EQ(replies_[0].result, QueryResult::lost);
  exchange();
  EXPECT_EQ(answers_, 1);
  EXPECT_EQ(board_.count(0, Counter::stale_frames_dropped), 1u);
}

TEST_F(QueriesTest, RepliesAreBounded) {
  ends_[1].padding = Queries::kReplyBytesMax;
  ASSERT_TRUE(ask(bit(1)));
  exchange();
  ASSERT_EQ(answers_, 1);
  EXPECT_EQ(replies_[0].result, QueryResult::too_large);
  EXPECT_EQ(replies_[0].bytes, "");
}

TEST_F(QueriesTest, TheirNumberIsBounded) {
  for (std::size_t i = 0; i < Queries::kPendingMax; ++i) ASSERT_TRUE(ask(bit(1) | bit(2)));
  EXPECT_FALSE(ask(bit(1)));
  EXPECT_EQ(answers_, 0);
}

}  // namespace
}  // namespace ringcast::worker
