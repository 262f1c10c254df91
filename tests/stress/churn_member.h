// A session in the churn that knows what is meant for it and checks every frame against that.
// Member: what all have in common. Steady: stays from beginning to end and must miss nothing.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "tests/stress/churn_world.h"
#include "tests/stress/session.h"

namespace ringcast::stress {

class Member : public Session {
 public:
  Member(Engine& engine, World& world);
  ~Member() override;

  std::uint64_t uid() const { return uid_; }
  bool welcome() const { return welcome_; }
  // True exactly while no SUBSCRIBE is unanswered.
  bool all_subscribed() const { return unanswered_ == 0; }
  std::size_t unacknowledged() const { return unacknowledged_.size(); }

  // Which publisher it is that sends to this session's private topic.
  std::size_t private_publisher() const { return uid_ % kPublishers; }

  void join(std::uint32_t topic);
  void leave_any();  // one of the shared topics, if it holds any
  void tell(std::uint32_t topic, std::uint64_t sequence, bool acknowledge);
  void tell_privately(Member& addressee, bool acknowledge);

  static std::uint64_t checked(std::size_t kind) { return checked_[kind]; }
  enum Kind : std::size_t { kShared, kGossips, kPrivates, kReplies, kKinds };

 protected:
  // As another session on the same link: another identity, and nothing held.
  void be_reborn();
  // Nothing more is to be sent to this session's private topic.
  void withdraw();

  void on_welcome(std::uint64_t session) override;
  void on_event(std::uint64_t subscription, std::uint64_t publication, const Note& note) override;
  void on_subscribed(std::uint64_t request, std::uint64_t subscription) override;
  void on_unsubscribed(std::uint64_t request) override;
  void on_published(std::uint64_t request, std::uint64_t publication) override;

  // A shared note that is meant for this session and in order.
  virtual void on_shared() {}
  // Whether it must have had every note of every publisher from the first on.
  virtual bool from_the_beginning() const { return false; }

  World& world_;

 private:
  struct Held {
    std::uint32_t topic = 0;
    std::uint64_t request = 0;       // of SUBSCRIBE, later of UNSUBSCRIBE
    std::uint64_t subscription = 0;  // 0 until SUBSCRIBED
    bool leaving = false;
    std::array<std::uint64_t, kPublishers> last{};
  };
  struct Unacknowledged {
    std::uint64_t request;
    std::uint32_t topic;
    std::uint64_t sequence;
  };

  void check_order(Held& held, std::uint64_t publication, const Note& note);
  void check_gossip(const Note& note);
  void enlist();

  std::uint64_t uid_ = 0;
  bool welcome_ = false;
  std::vector<Held> held_;
  std::size_t unanswered_ = 0;
  std::deque<Unacknowledged> unacknowledged_;
  std::unordered_map<std::uint64_t, std::uint64_t> gossip_last_;  // by publisher
  std::uint64_t private_sent_ = 0;
  std::size_t place_ = SIZE_MAX;  // in World::addressees
  static inline std::array<std::uint64_t, kKinds> checked_{};
};

class Steady : public Member {
 public:
  using Member::Member;
  std::uint64_t shared_received() const { return shared_received_; }
  void begin_end() { ending_ = true; }
  // How many shared notes it must have had by now.
  std::uint64_t shared_due() const;

 private:
  void on_shared() override { ++shared_received_; }
  bool from_the_beginning() const override { return true; }
  void on_close(std::uint16_t code, wire::Bytes reason) override;
  void on_end(int error) override;

  std::uint64_t shared_received_ = 0;
  bool ending_ = false;
};

}  // namespace ringcast::stress
