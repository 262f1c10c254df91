#include "client/bench/publishing.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "client/bench/delivery_lane.h"
#include "client/bench/stream_scan.h"

namespace ringcast::bench {
namespace {

// Queued for one publisher's socket: past this, publications wait (their intended time does not).
constexpr std::size_t kQueuedBytesMax = 1 << 20;

}  // namespace

Publishing::Publishing(const FanoutOptions& options, std::uint32_t process, LinkPool& pool,
                       const Handshake& handshake, MaskSource& masks, Board& board,
                       const Codec& codec, std::uint32_t run)
    : options_(options),
      process_(process),
      pool_(pool),
      handshake_(handshake),
      masks_(masks),
      board_(board),
      tally_(board.tally(process)),
      codec_(codec),
      run_(run),
      subscriberless_(options.subscribers == 0),
      feed_(options),
      choice_(options, process),
      publishers_(FanoutOptions::share(options.publishers, options.processes, process)),
      lanes_(options.lanes()) {
  for (std::uint32_t lane = 0; lane < options.lanes(); ++lane) {
    const std::uint32_t owner = options.publisher_of_lane(lane);
    if (ours(owner)) publisher(owner).lanes.push_back(lane);
  }
  tally_.live_publishers = static_cast<std::uint32_t>(publishers_.size());
}

void Publishing::start(std::int64_t now) {
  started_ns_ = tally_.last_progress_ns = now;
  if (!options_.windowed()) return;
  for (std::uint32_t p = process_; p < options_.publishers; p += options_.processes) list(p);
}

void Publishing::list(std::uint32_t index) {
  if (std::exchange(publisher(index).listed, true)) return;
  to_serve_.push_back(index);
}

std::int64_t Publishing::next_due_ns() const {
  if (options_.windowed() || stopped_ || rate_blocked_ || publishers_.empty())
    return std::numeric_limits<std::int64_t>::max();
  return started_ns_ + ns_of(static_cast<double>(rate_index_) / options_.rate_per_s);
}

void Publishing::publish_due() {
  if (!options_.windowed() && !stopped_) publish_rate();
  // What becomes due while this runs has its turn after the next poll.
  const std::size_t count = to_serve_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t index = to_serve_[i];
    publisher(index).listed = false;
    if (publisher(index).dead) continue;
    const bool by_window = options_.windowed() && !stopped_;
    if (by_window) publish_window(index);
    pool_.publisher(index).flush();  // if it fails, reading tells why
    // A full socket lists its publisher again when it takes bytes.
    if (by_window && may_publish(index)) list(index);
  }
  to_serve_.erase(to_serve_.begin(), to_serve_.begin() + static_cast<std::ptrdiff_t>(count));
}

void Publishing::publish_window(std::uint32_t index) {
  Publisher& p = publisher(index);
  const std::int64_t now = now_ns();
  const std::uint64_t ping_every = std::max<std::uint64_t>(1, options_.window / 2);
  // A topic that lost its last subscriber finishes at once: the budget ends the turn then.
  for (std::uint32_t budget = options_.window; budget > 0 && may_publish(index); --budget) {
    publish_one(index, now);
    const std::uint64_t pinged = p.pings.empty() ? p.finished : p.pings.back();
    if (subscriberless_ && p.sent - pinged >= ping_every) send_ping(index);
  }
  tally_.last_progress_ns = now;
}

bool Publishing::may_publish(std::uint32_t index) {
  const Publisher& p = publisher(index);
  return p.sent - p.finished < options_.window &&
         pool_.publisher(index).out.size() <= kQueuedBytesMax;
}

void Publishing::publish_rate() {
  const std::int64_t now = now_ns();
  for (std::int64_t due = next_due_ns(); due <= now; due = next_due_ns()) {
    const auto index = static_cast<std::uint32_t>(rate_index_ % options_.publishers);
    if (ours(index) && !publisher(index).dead) {
      Link& link = pool_.publisher(index);
      if (link.out.size() > kQueuedBytesMax) {
        link.flush();
        rate_blocked_ = !link.writable;
        return;
      }
      publish_one(index, due);
      list(index);
    }
    ++rate_index_;
  }
}

void Publishing::publish_one(std::uint32_t index, std::int64_t intended_ns) {
  Publisher& p = publisher(index);
  const std::uint32_t number = p.lanes[choice_.next(index, p.sent, p.lanes.size())];
  Lane& lane = lanes_[number];
  const wire::Bytes payload = feed_.next();
  const std::uint32_t topic = options_.topic_of_lane(number);
  auto publication = lane.publications.find(payload.size());
  if (publication == lane.publications.end()) {
    publication = lane.publications
                      .emplace(payload.size(),
                               codec_.publication(handshake_.topic_name(topic), payload.size()))
                      .first;
  }
  Stamp stamp;
  stamp.sequence = lane.sent++;
  stamp.intended_ns = intended_ns;
  stamp.run = run_;
  stamp.publisher = static_cast<std::uint16_t>(index);
  stamp.topic = static_cast<std::uint16_t>(topic);
  ++p.sent;
  ++tally_.published;
  tally_.published_bytes += payload.size();
  const std::uint32_t readers = board_.readers(topic).load(std::memory_order_relaxed);
  tally_.due += readers;
  // Before the message is on its way: whoever receives it finds it sent.
  board_.sent(number).store(lane.sent, std::memory_order_release);
  codec_.append_publish(pool_.publisher(index).out, publication->second, p.sent, payload, stamp,
                        masks_.next());
  if (!subscriberless_ && readers == 0) on_delivered(number);
}

void Publishing::on_delivered(std::uint32_t lane) {
  if (!ours(options_.publisher_of_lane(lane))) return;
  finish(lane, std::min(board_.delivered_to_all(lane), lanes_[lane].sent));
}

void Publishing::on_delivered_elsewhere() {
  for (std::uint32_t lane = 0; lane < options_.lanes(); ++lane) {
    if (lanes_[lane].finished < lanes_[lane].sent) on_delivered(lane);
  }
}

void Publishing::finish(std::uint32_t number, std::uint64_t below) {
  Lane& lane = lanes_[number];
  if (below <= lane.finished) return;
  const std::uint32_t index = options_.publisher_of_lane(number);
  publisher(index).finished += below - lane.finished;
  lane.finished = below;
  if (options_.windowed()) list(index);
}

// The answer comes when the server has read everything before it.
void Publishing::send_ping(std::uint32_t index) {
  publisher(index).pings.push_back(publisher(index).sent);
  Link& link = pool_.publisher(index);
  if (is_stream(options_.protocol)) {
    const wire::Bytes ping =
        options_.protocol == Protocol::nats ? wire::Bytes("PING\r\n") : kMqttPing;
    link.send_frame(wire::Opcode::binary, ping, masks_.next());
  } else {
    link.send_frame(wire::Opcode::ping, {}, masks_.next());
  }
}

void Publishing::on_pong(std::uint32_t index) {
  Publisher& p = publisher(index);
  if (p.pings.empty()) return;
  const std::uint64_t taken = p.pings.front() - p.finished;
  p.finished = p.pings.front();
  p.pings.pop_front();
  tally_.last_progress_ns = now_ns();
  tally_.confirmed += taken;
  list(index);
}

bool Publishing::confirmed() const {
  return std::all_of(publishers_.begin(), publishers_.end(),
                     [](const Publisher& p) { return p.dead || p.pings.empty(); });
}

void Publishing::on_writable(std::uint32_t index) {
  rate_blocked_ = false;
  list(index);
}

void Publishing::on_gone(std::uint32_t index) {
  Publisher& p = publisher(index);
  p.dead = true;
  --tally_.live_publishers;
  for (const std::uint32_t lane : p.lanes)
    board_.abandoned(lane).store(true, std::memory_order_release);
}

}  // namespace ringcast::bench
