// The traffic of one process of a run: hands what arrives to the side it concerns. A LinkPool sink
// for the time after the set-up. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "client/bench/board.h"
#include "client/bench/codec.h"
#include "client/bench/deliveries.h"
#include "client/bench/fanout_options.h"
#include "client/bench/handshake.h"
#include "client/bench/link_pool.h"
#include "client/bench/publishing.h"

namespace ringcast::bench {

class Traffic {
 public:
  // `run` tells this run's messages from others'.
  Traffic(const FanoutOptions& options, std::uint32_t process, LinkPool& pool,
          const Handshake& handshake, MaskSource& masks, Board& board, std::uint32_t run);

  Publishing& publishing() { return publishing_; }
  Deliveries& deliveries() { return deliveries_; }
  // True once nothing is due any more here.
  bool settled() const { return deliveries_.settled() && publishing_.confirmed(); }

  std::size_t on_bytes(Link& link, wire::Bytes bytes, std::int64_t now);
  void on_writable(Link& link);
  void on_gone(Link& link, const std::string& why);
  void on_wakeup() { publishing_.on_delivered_elsewhere(); }

 private:
  void on_message(Link& link, wire::Bytes frame, wire::Opcode opcode, wire::Bytes payload,
                  std::int64_t now);
  void on_stream(Link& link, wire::Bytes payload, std::int64_t now);
  void end(Link& link, const std::string& why);

  const FanoutOptions& options_;
  MaskSource& masks_;
  Tally& tally_;
  Codec codec_;
  Publishing publishing_;
  Deliveries deliveries_;
};

}  // namespace ringcast::bench
