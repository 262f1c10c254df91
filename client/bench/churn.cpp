#include "client/bench/churn.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "client/bench/clock.h"
#include "wire/encode.h"

namespace ringcast::bench {
namespace {

enum Ending : std::uint32_t { close_handshake, fin, rst, in_the_middle_of_a_frame, goodbye };
constexpr std::uint32_t kEndings = 5;

constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr std::uint32_t kMessagesMost = 16;          // that a member takes before it leaves
constexpr std::int64_t kLifeNs = 1'000'000'000;      // it leaves even if nothing came
constexpr std::int64_t kFarewellNs = 2'000'000'000;  // for the server's part of a close handshake

}  // namespace

Churn::Churn(const FanoutOptions& options, Board& board, std::uint32_t run)
    : options_(options),
      tally_(board.tally(0)),
      board_(board),
      run_(run),
      handshake_(options, masks_),
      codec_(options.protocol),
      addresses_(options.sources, 0),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      members_(options.churners),
      buffer_(kBufferBytes),
      started_ns_(now_ns()) {
  for (std::uint32_t i = 0; i < options.churners; ++i) {
    members_[i].link.subscriber = true;
    members_[i].link.index = options.subscribers + options.stalled + i;
    free_.push_back(i);
  }
  // The server's address was found before: it is the one that all connections go to.
  static_cast<void>(addresses_.resolve(options.url));
}

Churn::~Churn() { ::close(epoll_); }

std::int64_t Churn::next_due_ns() const {
  return started_ns_ + ns_of(static_cast<double>(opened_) / options_.churn_rate);
}

void Churn::turn() {
  const std::int64_t now = now_ns();
  while (next_due_ns() <= now) {
    ++opened_;  // one that finds no free place is left out
    if (!free_.empty()) open();
  }
  std::array<epoll_event, 128> events;
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    Member& member = members_[event.data.u64];
    if (member.link.fd < 0) continue;
    if ((event.events & EPOLLOUT) != 0 && !member.link.writable) {
      member.link.writable = true;
      if (member.link.state == Link::State::connecting) handshake_.begin(member.link);
      member.link.flush();  // if it fails, reading tells
    }
    receive(member);
  }
  for (Member& member : members_) {
    if (member.link.fd < 0) continue;
    const std::int64_t age = now - member.opened_ns;
    if (member.leaving ? age > kLifeNs + kFarewellNs : age > kLifeNs) {
      if (member.leaving) {
        close(member);
      } else {
        leave(member);
      }
    }
  }
}

void Churn::open() {
  const std::uint32_t place = free_.back();
  free_.pop_back();
  Member& member = members_[place];
  const std::uint32_t index = member.link.index;
  member.link.reset();
  member.ending = static_cast<std::uint32_t>(opened_ % kEndings);
  member.to_take = 1 + masks_.next() % kMessagesMost;
  member.leaving = false;
  member.opened_ns = now_ns();
  member.next.assign(options_.publishers_of_topic(options_.topic_of_subscriber(index)), 0);
  if (const auto failure = member.link.connect(epoll_, place, addresses_, options_.congestion)) {
    if (++tally_.disconnects == 1) {
      std::snprintf(tally_.first_disconnect, sizeof tally_.first_disconnect, "churn: %s",
                    failure->cause.c_str());
    }
    close(member);
  }
}

void Churn::receive(Member& member) {
  Link& link = member.link;
  while (link.fd >= 0) {
    const ssize_t received = ::recv(link.fd, buffer_.data(), buffer_.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0) {
      // Before it was to leave, the server has refused it.
      if (!member.leaving && ++tally_.disconnects == 1) {
        std::snprintf(tally_.first_disconnect, sizeof tally_.first_disconnect,
                      "a churning connection was ended by the server");
      }
      return close(member);
    }
    link.partial.append(buffer_.data(), static_cast<std::size_t>(received));
    const std::size_t taken = take(member, link.partial);
    if (link.fd >= 0) link.partial.erase(0, taken);
  }
}

std::size_t Churn::take(Member& member, wire::Bytes bytes) {
  Link& link = member.link;
  std::size_t at = 0;
  if (link.state != Link::State::ready) {
    std::optional<client::Failure> failure;
    at = handshake_.take(link, bytes, failure);
    if (failure) {
      if (++tally_.disconnects == 1) {
        std::snprintf(tally_.first_disconnect, sizeof tally_.first_disconnect, "churn: %s",
                      failure->cause.c_str());
      }
      close(member);
      return bytes.size();
    }
    if (link.state != Link::State::ready) return at;
  }
  const auto result =
      link.frames.scan(bytes.data() + at, bytes.size() - at, [&](auto opcode, wire::Bytes payload) {
        if (opcode == wire::Opcode::close) {
          close(member);
        } else if (opcode == wire::Opcode::ping) {
          link.send_frame(wire::Opcode::pong, payload, masks_.next());
          link.flush();
        } else if (opcode == wire::Opcode::binary || opcode == wire::Opcode::text) {
          if (is_stream(options_.protocol)) {
            scan_stream(options_.protocol == Protocol::nats, link.stream, payload,
                        [&](const StreamPacket& packet) {
                          if (packet.kind == StreamPacket::Kind::event)
                            on_event(member, Codec::Event{0, packet.payload});
                          return link.fd >= 0;
                        });
          } else if (const auto event = codec_.parse_event(payload)) {
            on_event(member, *event);
          }
        }
        return link.fd >= 0;
      });
  return at + result.consumed;
}

void Churn::on_event(Member& member, const Codec::Event& event) {
  CheckCounts& counts = tally_.counts;
  const std::uint32_t topic = options_.topic_of_subscriber(member.link.index);
  Stamp stamp;
  if (!read_stamp(event.payload, stamp_form(options_.protocol), stamp)) {
    ++counts.corrupt;
  } else if (stamp.run != run_) {
    ++counts.foreign;
  } else if (event.subscription != member.link.subscription || stamp.topic != topic) {
    ++counts.misdelivered;
  } else if (stamp.publisher >= options_.publishers ||
             stamp.sequence >= board_.sent(options_.lane_of(stamp.publisher, topic))
                                   .load(std::memory_order_acquire)) {
    ++counts.corrupt;
  } else {
    const bool many = options_.publishers > options_.topics;
    std::uint64_t& next = member.next[many ? stamp.publisher / options_.topics : 0];
    if (next != 0 && stamp.sequence + 1 <= next) ++counts.duplicate;
    if (next != 0 && stamp.sequence > next) counts.lost += stamp.sequence - next;
    next = std::max(next, stamp.sequence + 1);
    ++tally_.churned_deliveries;
  }
  if (member.to_take > 0) --member.to_take;
  if (member.to_take == 0 && !member.leaving) leave(member);
}

void Churn::leave(Member& member) {
  Link& link = member.link;
  member.leaving = true;
  const bool ready = link.state == Link::State::ready;
  switch (ready ? static_cast<Ending>(member.ending) : fin) {
    case rst:
      link.abort();
      return close(member);
    case in_the_middle_of_a_frame:
      link.out.append(wire::Bytes("\x82\xFE\x04\x00\x01\x02\x03\x04half", 12));  // of 1024 bytes
      link.flush();
      return close(member);
    case goodbye:
      if (is_wamp(options_.protocol)) {
        std::string text;
        wire::append_goodbye(text,
                             options_.protocol == Protocol::json ? wire::Serializer::json
                                                                 : wire::Serializer::msgpack,
                             "wamp.close.close_realm", {});
        link.send_frame(data_opcode(options_.protocol), text, masks_.next());
      } else if (options_.protocol == Protocol::mqtt) {
        link.send_frame(wire::Opcode::binary, kMqttGoodbye, masks_.next());
      }
      [[fallthrough]];
    case close_handshake:
      link.send_frame(wire::Opcode::close, wire::close_payload(1000, {}), masks_.next());
      link.flush();
      return;  // the server's answer ends it
    case fin:
      return close(member);
  }
}

void Churn::close(Member& member) {
  member.link.close();
  free_.push_back(static_cast<std::uint32_t>(&member - members_.data()));
}

void Churn::finish() {
  for (Member& member : members_) {
    if (member.link.fd >= 0) close(member);
  }
}

}  // namespace ringcast::bench
