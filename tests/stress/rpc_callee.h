// A session that registers the check's procedures, does with each call what the call asks for, and
// ends in any of the ways that sessions have. It demands that each invocation is one of its
// registrations' and comes once, with all its parts in order, and that nothing interrupts it if it
// has not announced that it understands. Same thread as its Engine.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tests/stress/rpc_peer.h"

namespace ringcast::stress {

enum class Death : std::uint8_t {
  rst,
  fin,             // close(2)
  fin_first,       // half-closed, and goes on reading
  half_frame_rst,  // in the middle of an answer
  close_frame,
  unregister_rst,  // UNREGISTER for everything, and gone before the answers
  goodbye_again,   // GOODBYE and another session's HELLO at once, on the same link
  half_open,       // neither reads nor answers, until the broker's pings find out
  count_,
};

class Callee : public RpcPeer {
 public:
  // Registers the procedures whose bits are set in `procedures`.
  Callee(Engine& engine, RpcWorld& world, bool understands_interrupt, std::uint32_t procedures);

  bool registered() const { return welcome() && unanswered_ == 0; }
  // Gives what is due.
  void tick(std::int64_t now);
  // The callers of half of what it holds cancel it.
  void provoke_cancels();
  void die(Death how);
  // True once it has begun to die and may be thrown away.
  bool finished(std::int64_t now) const {
    return ended() || (thrown_away_ms_ != 0 && now >= thrown_away_ms_);
  }

 private:
  struct Work {
    Note note;
    CallOrder order;
    std::uint8_t parts = 1;
    bool complete = true;       // its last part has come
    std::uint8_t progress = 0;  // results sent before the last
  };

  struct Hold {
    std::uint64_t request;
    std::int64_t until_ms;
  };

  void on_open() override;
  void on_welcome(std::uint64_t session) override;
  void on_other(const wire::Message& message) override;
  void on_goodbye(wire::Bytes reason) override;
  void on_registered(const wire::Registered& registered);
  void on_invocation(const wire::Invocation& invocation);
  void on_part(const wire::Invocation& invocation, const Note& note, const CallOrder& order);
  void on_interrupt(const wire::Interrupt& interrupt);
  void on_error(const wire::Error& error);

  void register_all();
  void do_as_wished(std::uint64_t request);
  void give_progress(std::uint64_t request, Work& work);
  void give_result(std::uint64_t request);
  void give_error(std::uint64_t request, wire::Bytes error);
  std::string answer_arguments(const Work& work, std::uint8_t part) const;
  void forget(std::uint64_t request);

  bool understands_interrupt_;
  std::uint32_t procedures_;
  bool dying_ = false;
  std::int64_t thrown_away_ms_ = 0;
  std::size_t unanswered_ = 0;
  std::uint64_t last_invocation_ = 0;
  std::unordered_map<std::uint64_t, std::uint32_t> asked_;          // REGISTER to procedure
  std::unordered_map<std::uint64_t, std::uint32_t> registrations_;  // to procedure
  std::unordered_map<std::uint64_t, Work> work_;                    // by invocation
  std::unordered_set<std::uint64_t> ended_in_parts_;  // invocations of which more may come
  std::vector<std::uint64_t> later_;                  // to be answered in the next turn
  std::deque<Hold> holds_;
};

}  // namespace ringcast::stress
