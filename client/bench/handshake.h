// Takes a connection from TCP to ready: upgrade, and for WAMP HELLO and SUBSCRIBE. Off the hot
// path, so it uses wire/ throughout. One per run, one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "client/bench/fanout_options.h"
#include "client/bench/link.h"
#include "client/failure.h"
#include "wire/bytes.h"
#include "wire/decode.h"

namespace ringcast::bench {

class Handshake {
 public:
  Handshake(const FanoutOptions& options, MaskSource& masks);

  // TCP is connected: asks for the upgrade.
  void begin(Link& link);

  // In state upgrading: takes bytes of the answer; `consumed` says how many.
  std::optional<client::Failure> take_response(Link& link, wire::Bytes bytes,
                                               std::size_t& consumed);
  // In states welcoming and subscribing: takes one WAMP message.
  std::optional<client::Failure> take_message(Link& link, wire::Bytes message);

  std::string topic_name(std::uint32_t topic) const;

 private:
  void send_message(Link& link, const std::string& message);
  client::Failure unexpected(const wire::DecodeResult& result) const;

  const FanoutOptions& options_;
  MaskSource& masks_;
  wire::Decoder decoder_;
};

}  // namespace ringcast::bench
