#include "client/bench/churn.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
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
      check_(options, board, run),
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
      if (member.link.state == Link::State::connecting) {
        if (const auto failure = handshake_.begin(member.link)) lose(member, failure->cause);
      }
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
  member.checks.clear();
  member.checks.resize(options_.publishers_of_topic(options_.topic_of_subscriber(index)));
  if (const auto failure = member.link.connect(epoll_, place, addresses_, options_.congestion)) {
    lose(member, failure->cause);
  }
}

void Churn::receive(Member& member) {
  Link& link = member.link;
  while (link.fd >= 0) {
    const ssize_t received = ::recv(link.fd, buffer_.data(), buffer_.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0) {
      if (member.leaving) return close(member);
      return lose(member, received == 0 ? "ended by the server" : std::strerror(errno));
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
      lose(member, failure->cause);
      return bytes.size();
    }
    if (link.state != Link::State::ready) return at;
  }
  const auto result = link.frames.scan(bytes.data() + at, bytes.size() - at,
                                       [&](wire::Opcode opcode, wire::Bytes payload) {
                                         on_message(member, opcode, payload);
                                         return link.fd >= 0;
                                       });
  if (result.violation != nullptr && link.fd >= 0) lose(member, result.violation);
  return at + result.consumed;
}

void Churn::on_message(Member& member, wire::Opcode opcode, wire::Bytes payload) {
  Link& link = member.link;
  if (opcode == wire::Opcode::close) {
    if (member.leaving) return close(member);
    return lose(member, "closed by the server: " + close_text(payload));
  }
  if (opcode == wire::Opcode::ping) {
    link.send_frame(wire::Opcode::pong, payload, masks_.next());
    link.flush();
  }
  if (opcode != wire::Opcode::binary && opcode != wire::Opcode::text) return;
  if (opcode != data_opcode(options_.protocol)) {
    ++tally_.counts.corrupt;
  } else if (is_stream(options_.protocol)) {
    const bool sound = scan_stream(options_.protocol == Protocol::nats, link.stream, payload,
                                   [&](const StreamPacket& packet) {
                                     if (packet.kind == StreamPacket::Kind::event)
                                       on_event(member, Codec::Event{0, packet.payload});
                                     return link.fd >= 0;
                                   });
    if (!sound) lose(member, fmt::format("sent what is no {}", protocol_name(options_.protocol)));
  } else if (const auto event = codec_.parse_event(payload)) {
    on_event(member, *event);
  } else {
    EventCheck::take_other(codec_.judge_other(payload), tally_.counts);
  }
}

void Churn::on_event(Member& member, const Codec::Event& event) {
  if (const auto stamp = check_.take(member.link, event, tally_.counts)) {
    auto& check = member.checks[options_.place_of_publisher(stamp->publisher)];
    if (!check) check.emplace(stamp->sequence);
    check->arrive(stamp->sequence, 1, tally_.counts);
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

void Churn::lose(Member& member, const std::string& why) {
  tally_.lose_connection("a churning connection: " + why);
  close(member);
}

void Churn::close(Member& member) {
  for (const auto& check : member.checks) {
    if (check) check->finish(check->next(), tally_.counts);
  }
  member.checks.clear();
  member.link.close();
  free_.push_back(static_cast<std::uint32_t>(&member - members_.data()));
}

void Churn::finish() {
  for (Member& member : members_) {
    if (member.link.fd >= 0) close(member);
  }
}

}  // namespace ringcast::bench
