// Takes a connection from TCP to ready: upgrade, then HELLO and SUBSCRIBE, or what the protocol has
// for them. Off the hot path, so it uses wire/ throughout. One per run, one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "client/bench/fanout_options.h"
#include "client/bench/link.h"
#include "client/bench/stream_scan.h"
#include "client/failure.h"
#include "wire/bytes.h"
#include "wire/decode.h"

namespace ringcast::bench {

class Handshake {
 public:
  Handshake(const FanoutOptions& options, MaskSource& masks);

  // TCP is connected, or has failed to: asks for the upgrade, or says why not.
  std::optional<client::Failure> begin(Link& link);

  // Takes what came on a link, up to the message that makes it ready; once it is, answers pings and
  // drops the rest. Returns how many bytes were taken; the others come again with more. Answers go
  // out at once. With a failure, which a close frame is too, the link is of no use.
  std::size_t take(Link& link, wire::Bytes bytes, std::optional<client::Failure>& failure);

  std::string topic_name(std::uint32_t topic) const;

 private:
  std::optional<client::Failure> take_response(Link& link, wire::Bytes bytes,
                                               std::size_t& consumed);
  void open_session(Link& link);
  std::optional<client::Failure> on_frame(Link& link, wire::Opcode opcode, wire::Bytes payload);
  std::optional<client::Failure> take_wamp(Link& link, wire::Bytes message);
  std::optional<client::Failure> take_packet(Link& link, const StreamPacket& packet);
  void connect_nats(Link& link);
  void subscribe_mqtt(Link& link);
  void send_message(Link& link, wire::Bytes message);
  client::Failure unexpected(const wire::DecodeResult& result) const;

  const FanoutOptions& options_;
  MaskSource& masks_;
  wire::Decoder decoder_;
};

}  // namespace ringcast::bench
