// Opens all connections of a run, some hundred at a time, until each is ready. A LinkPool sink for
// the time of the set-up. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "client/bench/handshake.h"
#include "client/bench/link_pool.h"

namespace ringcast::bench {

class Connector {
 public:
  Connector(const FanoutOptions& options, LinkPool& pool, Handshake& handshake);

  // Returns when every connection is ready, or with why one could not be made.
  std::optional<client::Failure> run();

  std::size_t on_bytes(Link& link, wire::Bytes bytes, std::int64_t now);
  void on_writable(Link& link);
  void on_gone(Link& link, const std::string& why);
  void on_wakeup() {}

 private:
  void fail(client::Failure failure);

  const FanoutOptions& options_;
  LinkPool& pool_;
  Handshake& handshake_;
  std::size_t started_ = 0;
  std::size_t ready_ = 0;
  std::optional<client::Failure> failure_;  // the first
};

}  // namespace ringcast::bench
