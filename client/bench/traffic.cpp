#include "client/bench/traffic.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace ringcast::bench {
namespace {

// Queued for one publisher's socket: past this, publications wait (their intended time does not).
constexpr std::size_t kQueuedBytesMax = 1 << 20;

std::uint32_t random_run() {
  std::uint32_t run = 0;
  if (::getrandom(&run, sizeof run, 0) != sizeof run) run = static_cast<std::uint32_t>(now_ns());
  return run;
}

std::string make_padding(std::size_t size) {
  std::string padding(size, '\0');
  MaskSource letters;
  for (char& c : padding) c = static_cast<char>('a' + letters.next() % 26);
  return padding;
}

}  // namespace

Traffic::Traffic(const FanoutOptions& options, LinkPool& pool, const Handshake& handshake,
                 MaskSource& masks)
    : options_(options),
      pool_(pool),
      masks_(masks),
      codec_(options.protocol),
      form_(stamp_form(options.protocol)),
      subscriberless_(options.subscribers == 0),
      run_(random_run()),
      padding_(make_padding(options.payload_bytes)),
      publishers_(options.publishers),
      subscribers_(options.subscribers),
      live_in_topic_(options.topics, 0),
      live_publishers_(options.publishers),
      live_subscribers_(options.subscribers) {
  const std::uint64_t ring = std::bit_ceil(std::uint64_t{options.window});
  window_mask_ = ring - 1;
  for (std::uint32_t p = 0; p < options.publishers; ++p) {
    Publisher& publisher = publishers_[p];
    publisher.topics = options.topics_of_publisher(p);
    if (options.rate_per_s <= 0) publisher.remaining.resize(ring);
    for (std::uint32_t i = 0; i < publisher.topics; ++i) {
      publisher.publications.push_back(
          codec_.publication(handshake.topic_name(topic_of(p, i)), options.payload_bytes));
    }
  }
  std::size_t checks = 0;
  for (std::uint32_t s = 0; s < options.subscribers; ++s) {
    subscribers_[s].topic = options.topic_of_subscriber(s);
    subscribers_[s].first_check = checks;
    checks += options.publishers_of_topic(subscribers_[s].topic);
    ++live_in_topic_[subscribers_[s].topic];
  }
  checks_.resize(checks);
}

std::uint32_t Traffic::topic_of(std::uint32_t publisher, std::uint64_t ticket) const {
  if (options_.publishers >= options_.topics) return publisher % options_.topics;
  const std::uint32_t turn = static_cast<std::uint32_t>(ticket % publishers_[publisher].topics);
  return publisher + turn * options_.publishers;
}

std::uint64_t Traffic::sequences_sent(std::uint32_t publisher, std::uint32_t topic) const {
  const Publisher& p = publishers_[publisher];
  if (p.topics == 1) return p.sent;
  const std::uint64_t turn = topic / options_.publishers;
  return (p.sent + p.topics - 1 - turn) / p.topics;
}

void Traffic::measure(std::int64_t from_ns, std::int64_t to_ns) {
  measured_from_ns_ = from_ns;
  measured_to_ns_ = to_ns;
}

void Traffic::start(std::int64_t now) {
  started_ns_ = last_progress_ns_ = now;
  if (options_.rate_per_s > 0) return;
  for (std::uint32_t p = 0; p < options_.publishers; ++p) list(p);
}

void Traffic::list(std::uint32_t publisher) {
  if (std::exchange(publishers_[publisher].listed, true)) return;
  to_serve_.push_back(publisher);
}

std::int64_t Traffic::next_due_ns() const {
  if (options_.rate_per_s <= 0 || stopped_ || rate_blocked_)
    return std::numeric_limits<std::int64_t>::max();
  return started_ns_ + ns_of(static_cast<double>(rate_index_) / options_.rate_per_s);
}

void Traffic::publish_due() {
  if (options_.rate_per_s > 0 && !stopped_) publish_rate();
  // What becomes due while this runs has its turn after the next poll.
  const std::size_t count = to_serve_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t publisher = to_serve_[i];
    publishers_[publisher].listed = false;
    if (publishers_[publisher].dead) continue;
    Link& link = pool_.publisher(publisher);
    const bool by_window = options_.rate_per_s <= 0 && !stopped_;
    if (by_window) publish_window(publisher);
    link.flush();  // if it fails, reading tells why
    // A full socket lists its publisher again when it takes bytes.
    if (by_window && may_publish(publisher)) list(publisher);
  }
  to_serve_.erase(to_serve_.begin(), to_serve_.begin() + static_cast<std::ptrdiff_t>(count));
}

void Traffic::publish_window(std::uint32_t publisher) {
  Publisher& p = publishers_[publisher];
  const std::int64_t now = now_ns();
  const std::uint64_t ping_every = std::max<std::uint64_t>(1, options_.window / 2);
  // A topic that lost its last subscriber finishes at once: the budget ends the turn then.
  for (std::uint32_t budget = options_.window; budget > 0; --budget) {
    if (!may_publish(publisher)) break;
    const std::uint32_t due = subscriberless_ ? 1 : live_in_topic_[topic_of(publisher, p.sent)];
    p.remaining[p.sent & window_mask_] = due;
    publish_one(publisher, now);
    if (due == 0 && p.finished + 1 == p.sent) p.finished = p.sent;
    if (subscriberless_ && p.sent - p.pinged >= ping_every) send_ping(publisher);
  }
  last_progress_ns_ = now;
}

bool Traffic::may_publish(std::uint32_t publisher) {
  const Publisher& p = publishers_[publisher];
  return p.sent - p.finished < options_.window &&
         pool_.publisher(publisher).out.size() <= kQueuedBytesMax;
}

void Traffic::publish_rate() {
  const std::int64_t now = now_ns();
  for (std::int64_t due = next_due_ns(); due <= now; due = next_due_ns()) {
    const std::uint32_t publisher = static_cast<std::uint32_t>(rate_index_ % options_.publishers);
    if (!publishers_[publisher].dead) {
      Link& link = pool_.publisher(publisher);
      if (link.out.size() > kQueuedBytesMax) {
        link.flush();
        rate_blocked_ = !link.writable;
        return;
      }
      publish_one(publisher, due);
      list(publisher);
    }
    ++rate_index_;
  }
}

void Traffic::publish_one(std::uint32_t publisher, std::int64_t intended_ns) {
  Publisher& p = publishers_[publisher];
  Stamp stamp;
  stamp.sequence = p.topics == 1 ? p.sent : p.sent / p.topics;
  stamp.intended_ns = intended_ns;
  stamp.run = run_;
  stamp.publisher = static_cast<std::uint16_t>(publisher);
  stamp.topic = static_cast<std::uint16_t>(topic_of(publisher, p.sent));
  const std::uint64_t turn = p.topics == 1 ? 0 : p.sent % p.topics;
  ++p.sent;
  ++published_;
  due_ += live_in_topic_[stamp.topic];
  codec_.append_publish(pool_.publisher(publisher).out, p.publications[turn], p.sent, padding_,
                        stamp, masks_.next());
}

// The pong comes when the server has read everything before the ping.
void Traffic::send_ping(std::uint32_t publisher) {
  Publisher& p = publishers_[publisher];
  p.pinged = p.sent;
  const wire::Bytes count(reinterpret_cast<const char*>(&p.sent), sizeof p.sent);
  pool_.publisher(publisher).send_frame(wire::Opcode::ping, count, masks_.next());
}

std::size_t Traffic::on_bytes(Link& link, wire::Bytes bytes, std::int64_t now) {
  const auto result =
      link.frames.scan(bytes.data(), bytes.size(), [&](wire::Opcode opcode, wire::Bytes payload) {
        return on_message(link, opcode, payload, now);
      });
  if (result.violation != nullptr && link.fd >= 0) {
    link.close();
    on_gone(link, result.violation);
  }
  return result.consumed;
}

bool Traffic::on_message(Link& link, wire::Opcode opcode, wire::Bytes payload, std::int64_t now) {
  if (opcode == wire::Opcode::binary || opcode == wire::Opcode::text) [[likely]] {
    deliver(link, payload, now);
  } else {
    on_control(link, opcode, payload);
  }
  return link.fd >= 0;
}

void Traffic::deliver(Link& link, wire::Bytes message, std::int64_t now) {
  const auto event = codec_.parse_event(message);
  if (!event) return;  // GOODBYE or ABORT: a close follows, which ends the connection
  Stamp stamp;
  if (!read_stamp(event->payload, form_, stamp)) {
    ++counts_.corrupt;
    return;
  }
  if (stamp.run != run_) {
    ++counts_.foreign;
    return;
  }
  if (!link.subscriber || event->subscription != link.subscription ||
      stamp.topic != subscribers_[link.index].topic) {
    ++counts_.misdelivered;
    return;
  }
  const Subscriber& subscriber = subscribers_[link.index];
  const std::uint32_t publisher = stamp.publisher;
  if (publisher >= options_.publishers ||
      stamp.sequence >= sequences_sent(publisher, stamp.topic)) {
    ++counts_.corrupt;
    return;
  }
  const bool many = options_.publishers > options_.topics;
  SequenceCheck& check = checks_[subscriber.first_check + (many ? publisher / options_.topics : 0)];
  const std::uint64_t repeated = counts_.duplicate;
  const SequenceCheck::Settled settled = check.arrive(stamp.sequence, counts_);
  if (counts_.duplicate != repeated) return;
  ++deliveries_;
  due_ -= settled.end - settled.first;
  last_progress_ns_ = now;
  if (stamp.intended_ns >= measured_from_ns_ && stamp.intended_ns < measured_to_ns_) {
    latency_.record(now - stamp.intended_ns);
  }
  if (options_.rate_per_s > 0) return;
  const Publisher& p = publishers_[publisher];
  const std::uint64_t turn = p.topics == 1 ? 0 : stamp.topic / options_.publishers;
  for (std::uint64_t i = settled.first; i < settled.end; ++i)
    settle(publisher, i * p.topics + turn);
}

// One subscriber less to wait for.
void Traffic::settle(std::uint32_t publisher, std::uint64_t ticket) {
  Publisher& p = publishers_[publisher];
  if (--p.remaining[ticket & window_mask_] != 0 || ticket != p.finished) return;
  while (p.finished < p.sent && p.remaining[p.finished & window_mask_] == 0) ++p.finished;
  list(publisher);
}

void Traffic::on_control(Link& link, wire::Opcode opcode, wire::Bytes payload) {
  if (opcode == wire::Opcode::ping) {
    link.send_frame(wire::Opcode::pong, payload, masks_.next());
    link.flush();
  } else if (opcode == wire::Opcode::pong) {
    std::uint64_t taken = 0;
    if (!subscriberless_ || link.subscriber || payload.size() != sizeof taken) return;
    std::memcpy(&taken, payload.data(), sizeof taken);
    Publisher& p = publishers_[link.index];
    if (taken <= p.finished || taken > p.sent) return;
    last_progress_ns_ = now_ns();
    confirmed_ += taken - p.finished;
    p.finished = taken;
    list(link.index);
  } else if (opcode == wire::Opcode::close) {
    const unsigned code = payload.size() < 2 ? 1005
                                             : static_cast<unsigned char>(payload[0]) << 8 |
                                                   static_cast<unsigned char>(payload[1]);
    const std::string why = fmt::format("closed by the server: {} {}", code,
                                        payload.size() > 2 ? payload.substr(2) : "");
    link.close();
    on_gone(link, why);
  }
}

void Traffic::on_writable(Link& link) {
  rate_blocked_ = false;
  if (!link.subscriber) return list(link.index);
  link.flush();
}

void Traffic::on_gone(Link& link, const std::string& why) {
  ++disconnects_;
  if (first_disconnect_.empty()) {
    first_disconnect_ =
        fmt::format("{} {} was {}", link.subscriber ? "subscriber" : "publisher", link.index, why);
  }
  if (!link.subscriber) {
    publishers_[link.index].dead = true;
    --live_publishers_;
    return;
  }
  Subscriber& subscriber = subscribers_[link.index];
  subscriber.dead = true;
  --live_subscribers_;
  --live_in_topic_[subscriber.topic];
  // Nobody waits for the rest of its deliveries.
  for (std::uint32_t i = 0; i < options_.publishers_of_topic(subscriber.topic); ++i) {
    const bool many = options_.publishers >= options_.topics;
    const std::uint32_t publisher =
        many ? subscriber.topic + i * options_.topics : subscriber.topic % options_.publishers;
    const std::uint32_t topics = publishers_[publisher].topics;
    const std::uint64_t turn = topics == 1 ? 0 : subscriber.topic / options_.publishers;
    const std::uint64_t sent = sequences_sent(publisher, subscriber.topic);
    const std::uint64_t next = checks_[subscriber.first_check + i].next();
    due_ -= sent - next;
    if (options_.rate_per_s > 0) continue;
    for (std::uint64_t n = next; n < sent; ++n) settle(publisher, n * topics + turn);
  }
}

// visit(check, sequences that its publisher sent) for each live subscriber and each of its
// publishers; of a publisher that is gone only what came counts as sent.
template <typename Visit>
void Traffic::for_each_check(Visit&& visit) const {
  for (const Subscriber& subscriber : subscribers_) {
    if (subscriber.dead) continue;
    for (std::uint32_t i = 0; i < options_.publishers_of_topic(subscriber.topic); ++i) {
      const bool many = options_.publishers >= options_.topics;
      const std::uint32_t publisher =
          many ? subscriber.topic + i * options_.topics : subscriber.topic % options_.publishers;
      const SequenceCheck& check = checks_[subscriber.first_check + i];
      visit(check, publishers_[publisher].dead ? check.next()
                                               : sequences_sent(publisher, subscriber.topic));
    }
  }
}

bool Traffic::settled() const {
  bool all = true;
  for_each_check([&all](const SequenceCheck& check, std::uint64_t sent) {
    if (check.next() < sent) all = false;
  });
  for (const Publisher& p : publishers_) {
    if (subscriberless_ && !p.dead && p.finished < p.pinged) all = false;
  }
  return all;
}

CheckCounts Traffic::final_counts() const {
  CheckCounts counts = counts_;
  for_each_check(
      [&counts](const SequenceCheck& check, std::uint64_t sent) { check.finish(sent, counts); });
  return counts;
}

}  // namespace ringcast::bench
