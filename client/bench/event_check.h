// Whether what a subscriber received is what this run sent to it: by checksum, run, subscription,
// topic, publisher and sequence number. For the measured connections and the churning ones alike.
// One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "client/bench/board.h"
#include "client/bench/codec.h"
#include "client/bench/delivery_check.h"
#include "client/bench/fanout_options.h"
#include "client/bench/link.h"
#include "client/bench/stamp.h"

namespace ringcast::bench {

class EventCheck {
 public:
  EventCheck(const FanoutOptions& options, Board& board, std::uint32_t run)
      : options_(options), board_(board), form_(stamp_form(options.protocol)), run_(run) {}

  // The event's stamp if all is well; otherwise what was wrong is counted.
  std::optional<Stamp> take(const Link& link, const Codec::Event& event, CheckCounts& counts) const;
  // A WAMP message that is no event.
  static void take_other(Codec::Other other, CheckCounts& counts);

 private:
  bool was_sent(const Stamp& stamp) const;

  const FanoutOptions& options_;
  Board& board_;
  const StampForm form_;
  const std::uint32_t run_;
};

}  // namespace ringcast::bench
