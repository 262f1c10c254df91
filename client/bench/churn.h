// Connections that come and go beside the measured ones (--churn): each subscribes, receives a
// little, and ends in another way. All that they receive is checked: by checksum, run, topic and
// publisher, and that nothing is missing or repeated from the first message on. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/addresses.h"
#include "client/bench/board.h"
#include "client/bench/codec.h"
#include "client/bench/delivery_check.h"
#include "client/bench/event_check.h"
#include "client/bench/fanout_options.h"
#include "client/bench/handshake.h"
#include "client/bench/link.h"
#include "client/bench/stream_scan.h"

namespace ringcast::bench {

class Churn {
 public:
  Churn(const FanoutOptions& options, Board& board, std::uint32_t run);
  ~Churn();
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;

  // Opens what is due, handles what has happened; never waits.
  void turn();
  std::int64_t next_due_ns() const;
  // Ends all that are still there.
  void finish();

 private:
  struct Member {
    Link link;
    std::uint32_t ending = 0;   // how it will end
    std::uint32_t to_take = 0;  // messages until then
    bool leaving = false;       // it has said goodbye and waits for the end
    std::int64_t opened_ns = 0;
    std::vector<std::optional<SequenceCheck>> checks;  // by publisher of its topic, from its first
  };

  void open();
  void receive(Member& member);
  std::size_t take(Member& member, wire::Bytes bytes);
  void on_message(Member& member, wire::Opcode opcode, wire::Bytes payload);
  void on_event(Member& member, const Codec::Event& event);
  void leave(Member& member);
  // The server ended it, or broke the protocol.
  void lose(Member& member, const std::string& why);
  // Its place is free for another then.
  void close(Member& member);

  const FanoutOptions& options_;
  Tally& tally_;
  const EventCheck check_;
  MaskSource masks_;
  Handshake handshake_;
  Codec codec_;
  Addresses addresses_;
  int epoll_;
  std::vector<Member> members_;
  std::vector<std::uint32_t> free_;
  std::vector<char> buffer_;
  std::int64_t started_ns_;
  std::uint64_t opened_ = 0;
};

}  // namespace ringcast::bench
