// A session that subscribes to the topics of a check and publishes to them in numbered runs, and
// that demands of every run it hears each note exactly once and in order, across all topics. Used
// by the checks that kill, stop and starve. Same thread as its Engine.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/stress/session.h"

namespace ringcast::stress {

inline constexpr std::uint32_t kPeerTopics = 4;  // so that each worker is home to some

// One publisher's run of notes, numbered from 1 on. Owned by the check, and begun by begin_run().
struct Run {
  std::uint64_t id = 0;
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
};

// What all peers of a check agree on.
struct PeerWorld {
  std::vector<std::uint64_t> sent;                         // by run: notes of it so far
  std::array<std::uint64_t, kPeerTopics> subscriptions{};  // ids, 0: not known yet
  std::uint64_t events = 0;                                // checked, by all peers together
};

inline Run begin_run(PeerWorld& world) {
  world.sent.push_back(0);
  return {.id = world.sent.size() - 1};
}

class Peer : public Session {
 public:
  Peer(Engine& engine, PeerWorld& world) : Session(engine, 1), world_(world) {}

  bool welcome() const { return welcome_; }
  bool subscribed() const { return subscribed_ == kPeerTopics; }
  std::size_t worker = SIZE_MAX;  // which one it is on, once the check has found out

  void join();
  // The next note of `run`, acknowledged, in an event of about `size` bytes.
  void speak(Run& run, std::size_t size);
  std::size_t unacknowledged() const { return unacknowledged_.size(); }
  // The number of the last note of a run that it got, or from behind which on it must get all.
  std::uint64_t heard(const Run& run) const;

  // True if it must get what the run goes on to say.
  bool expects(const Run& run) const;

  // From now on its end is expected, by a close frame or without one.
  void expect_end() { end_expected_ = true; }
  // 0 until the broker's close frame comes.
  std::uint16_t close_code() const { return close_code_; }

 protected:
  void on_end(int error) override;

 private:
  void on_welcome(std::uint64_t session) override;
  void on_event(std::uint64_t subscription, std::uint64_t publication, const Note& note) override;
  void on_subscribed(std::uint64_t request, std::uint64_t subscription) override;
  void on_published(std::uint64_t request, std::uint64_t publication) override;
  void on_goodbye(wire::Bytes reason) override;
  void on_close(std::uint16_t code, wire::Bytes reason) override;

  std::uint64_t sent_before(std::uint64_t run) const {
    return run < sent_before_.size() ? sent_before_[run] : 0;
  }

  struct Unacknowledged {
    std::uint64_t request;
    Run* run;
  };

  PeerWorld& world_;
  bool welcome_ = false;
  bool end_expected_ = false;
  std::uint16_t close_code_ = 0;
  std::uint32_t subscribed_ = 0;
  std::uint64_t first_request_ = 0;                        // of the SUBSCRIBEs
  std::uint64_t run_speaking_ = UINT64_MAX;                // its own is not sent to itself
  std::unordered_map<std::uint64_t, std::uint64_t> last_;  // by run
  // By run, what had been sent when the last SUBSCRIBED came: of that, some may have been published
  // before the subscription; what was sent after it must come.
  std::vector<std::uint64_t> sent_before_;
  std::deque<Unacknowledged> unacknowledged_;
};

}  // namespace ringcast::stress
