#include "client/bench/traffic.h"

#include <fmt/format.h>

#include "client/bench/stream_scan.h"

namespace ringcast::bench {

Traffic::Traffic(const FanoutOptions& options, std::uint32_t process, LinkPool& pool,
                 const Handshake& handshake, MaskSource& masks, Board& board, std::uint32_t run)
    : options_(options),
      masks_(masks),
      tally_(board.tally(process)),
      codec_(options.protocol),
      publishing_(options, process, pool, handshake, masks, board, codec_, run),
      deliveries_(options, process, board, publishing_, run) {}

std::size_t Traffic::on_bytes(Link& link, wire::Bytes bytes, std::int64_t now) {
  std::size_t at = 0;
  while (at < bytes.size() && link.fd >= 0) {
    if (!link.frames.midway()) at += deliveries_.take_known(link, bytes.substr(at), now);
    const wire::Bytes rest = bytes.substr(at);
    bool one = false;
    const auto result =
        link.frames.scan(rest.data(), rest.size(), [&](wire::Opcode opcode, wire::Bytes payload) {
          one = true;
          // A fragmented message lies elsewhere.
          const bool whole = payload.data() > rest.data() &&
                             payload.data() + payload.size() <= rest.data() + rest.size();
          const wire::Bytes frame =
              whole ? rest.substr(0, static_cast<std::size_t>(payload.data() - rest.data()) +
                                         payload.size())
                    : wire::Bytes();
          on_message(link, frame, opcode, payload, now);
          return false;
        });
    at += result.consumed;
    if (result.violation != nullptr && link.fd >= 0) end(link, result.violation);
    if (!one) break;
  }
  return at;
}

void Traffic::on_message(Link& link, wire::Bytes frame, wire::Opcode opcode, wire::Bytes payload,
                         std::int64_t now) {
  if (opcode == wire::Opcode::binary || opcode == wire::Opcode::text) [[likely]] {
    if (opcode != data_opcode(options_.protocol)) {
      ++tally_.counts.corrupt;
    } else if (is_stream(options_.protocol)) {
      on_stream(link, payload, now);
    } else if (const auto event = codec_.parse_event(payload)) [[likely]] {
      deliveries_.take_event(link, frame, *event, now);
    } else {
      EventCheck::take_other(codec_.judge_other(payload), tally_.counts);
    }
  } else if (opcode == wire::Opcode::ping) {
    link.send_frame(wire::Opcode::pong, payload, masks_.next());
    link.flush();
  } else if (opcode == wire::Opcode::pong) {
    if (!link.subscriber) publishing_.on_pong(link.index);
  } else if (opcode == wire::Opcode::close) {
    end(link, fmt::format("closed by the server: {}", close_text(payload)));
  }
}

void Traffic::on_stream(Link& link, wire::Bytes payload, std::int64_t now) {
  using Kind = StreamPacket::Kind;
  std::string refusal;
  const bool sound = scan_stream(
      options_.protocol == Protocol::nats, link.stream, payload, [&](const StreamPacket& packet) {
        if (packet.kind == Kind::event) [[likely]] {
          deliveries_.take_event(link, {}, Codec::Event{0, packet.payload}, now);
        } else if (packet.kind == Kind::pong) {
          if (!link.subscriber) publishing_.on_pong(link.index);
        } else if (packet.kind == Kind::ping) {
          link.send_frame(wire::Opcode::binary, "PONG\r\n", masks_.next());
          link.flush();
        } else if (packet.kind == Kind::refused) {
          refusal = packet.payload;
        }
        return refusal.empty();
      });
  if (!refusal.empty()) return end(link, "refused by the server: " + refusal);
  if (!sound) end(link, fmt::format("sent what is no {}", protocol_name(options_.protocol)));
}

void Traffic::on_writable(Link& link) {
  if (!link.subscriber) return publishing_.on_writable(link.index);
  link.flush();
}

void Traffic::end(Link& link, const std::string& why) {
  link.close();
  on_gone(link, why);
}

void Traffic::on_gone(Link& link, const std::string& why) {
  tally_.lose_connection(
      fmt::format("{} {}: {}", link.subscriber ? "subscriber" : "publisher", link.index, why));
  if (link.subscriber) {
    deliveries_.on_gone(link);
  } else {
    publishing_.on_gone(link.index);
  }
}

}  // namespace ringcast::bench
