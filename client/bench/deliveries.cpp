#include "client/bench/deliveries.h"

#include <unistd.h>

#include <algorithm>
#include <bit>

namespace ringcast::bench {
namespace {

// Logs of all topics together, and of one.
constexpr std::size_t kLogsBytesMax = 64 << 20;
constexpr std::size_t kLogBytesMin = 64 << 10;
constexpr std::size_t kLogBytesMax = 4 << 20;
constexpr std::size_t kFrameOverhead = 64;  // what a broker adds to a payload, about

std::unique_ptr<EventLog> make_log(const FanoutOptions& options) {
  const std::size_t frame = options.payload_bytes + kFrameOverhead;
  const std::size_t wanted = std::size_t{2} * options.window * frame;
  const std::size_t bytes = std::clamp(wanted, kLogBytesMin, kLogBytesMax);
  if (bytes * options.topics > kLogsBytesMax) return nullptr;
  return std::make_unique<EventLog>(bytes, std::bit_ceil(std::max<std::size_t>(bytes / frame, 2)));
}

}  // namespace

Deliveries::Deliveries(const FanoutOptions& options, std::uint32_t process, Board& board,
                       Publishing& publishing, std::uint32_t run)
    : options_(options),
      process_(process),
      board_(board),
      tally_(board.tally(process)),
      publishing_(publishing),
      check_(options, board, run),
      subscribers_(FanoutOptions::share(options.subscribers, options.processes, process)),
      logs_(options.topics),
      to_tell_(options.processes, false) {
  std::vector<std::uint32_t> readers(options.topics, 0);
  std::size_t checks = 0;
  for (std::size_t i = 0; i < subscribers_.size(); ++i) {
    Subscriber& subscriber = subscribers_[i];
    subscriber.topic =
        options.topic_of_subscriber(static_cast<std::uint32_t>(i * options.processes + process));
    subscriber.first_check = checks;
    checks += options.publishers_of_topic(subscriber.topic);
    ++readers[subscriber.topic];
    board.readers(subscriber.topic).fetch_add(1, std::memory_order_relaxed);
  }
  checks_.resize(checks);
  if (!is_stream(options.protocol)) {
    for (std::uint32_t topic = 0; topic < options.topics; ++topic) {
      if (readers[topic] > 1) logs_[topic] = make_log(options);
    }
  }
  for (std::uint32_t lane = 0; lane < options.lanes(); ++lane) {
    const std::uint32_t waiting = readers[options.topic_of_lane(lane)];
    if (options.windowed()) lanes_.emplace_back(waiting, options.window);
    board.delivered(process, lane).store(waiting > 0 ? 0 : kNobodyWaits);
  }
  tally_.live_subscribers = static_cast<std::uint32_t>(subscribers_.size());
}

std::size_t Deliveries::take_known(const Link& link, wire::Bytes bytes, std::int64_t now) {
  if (!link.subscriber) return 0;
  Subscriber& to = subscriber(link);
  const EventLog* const log = logs_[to.topic].get();
  if (log == nullptr || log->subscription() != link.subscription) return 0;
  std::uint64_t next = to.next_in_log;
  const std::size_t taken = log->match(next, bytes.data(), bytes.size());
  for (std::uint64_t i = to.next_in_log; i < next;) {
    const EventLog::Entry& known = log->entry(i);
    std::uint64_t count = 1;
    while (i + count < next && log->entry(i + count).continues(known, count)) ++count;
    arrive(to, {known.publisher, known.sequence, count, known.intended_ns}, now);
    i += count;
  }
  to.next_in_log = next;
  return taken;
}

void Deliveries::take_event(const Link& link, wire::Bytes frame, const Codec::Event& event,
                            std::int64_t now) {
  const auto stamp = check_.take(link, event, tally_.counts);
  if (!stamp) return;
  Subscriber& to = subscriber(link);
  if (arrive(to, {stamp->publisher, stamp->sequence, 1, stamp->intended_ns}, now)) {
    log(to, link.subscription, frame, *stamp);
  }
}

bool Deliveries::arrive(const Subscriber& to, const Arrivals& messages, std::int64_t now) {
  const std::uint64_t repeated = tally_.counts.duplicate;
  const std::size_t place = options_.place_of_publisher(messages.publisher);
  const SequenceCheck::Settled settled =
      checks_[to.first_check + place].arrive(messages.sequence, messages.count, tally_.counts);
  const std::uint64_t came = messages.count - (tally_.counts.duplicate - repeated);
  if (came == 0) [[unlikely]]
    return false;
  tally_.deliveries += came;
  tally_.last_progress_ns = now;
  if (messages.intended_ns >= measured_from_ns_ && messages.intended_ns < measured_to_ns_) {
    tally_.latency.record(now - messages.intended_ns, came);
  }
  if (settled.first == settled.end) return false;
  if (options_.windowed())
    advance(options_.lane_of(messages.publisher, to.topic), settled.first, settled.end);
  return true;
}

void Deliveries::log(Subscriber& to, std::uint64_t subscription, wire::Bytes frame,
                     const Stamp& stamp) {
  EventLog* const log = logs_[to.topic].get();
  if (log == nullptr || frame.empty()) return;
  if (log->end() == 0) log->set_subscription(subscription);
  if (log->subscription() != subscription) return;
  if (to.next_in_log == log->end()) {
    log->append(frame, stamp.sequence, stamp.intended_ns, stamp.publisher);
    to.next_in_log = log->end();
    return;
  }
  // It went another way than the log; perhaps they meet again.
  std::uint64_t near = to.next_in_log;
  if (options_.publishers_of_topic(to.topic) == 1 && log->first() < log->end()) {
    const std::uint64_t oldest = log->entry(log->first()).sequence;
    near = log->first() + (stamp.sequence > oldest ? stamp.sequence - oldest : 0);
  }
  to.next_in_log = log->behind(near, stamp.sequence, stamp.publisher);
}

void Deliveries::advance(std::uint32_t lane, std::uint64_t from, std::uint64_t to) {
  if (lanes_[lane].advance(from, to)) on_slowest_changed(lane);
}

void Deliveries::on_slowest_changed(std::uint32_t lane) {
  board_.delivered(process_, lane).store(lanes_[lane].slowest(), std::memory_order_release);
  const std::uint32_t owner = options_.publisher_of_lane(lane) % options_.processes;
  if (owner == process_) {
    publishing_.on_delivered(lane);
  } else {
    to_tell_[owner] = true;
  }
}

void Deliveries::tell_others() {
  for (std::uint32_t p = 0; p < options_.processes; ++p) {
    if (!to_tell_[p]) continue;
    to_tell_[p] = false;
    const std::uint64_t one = 1;
    // Full is as good: it is readable.
    static_cast<void>(!::write(board_.wakeup(p), &one, sizeof one));
  }
}

void Deliveries::on_gone(const Link& link) {
  Subscriber& gone = subscriber(link);
  gone.dead = true;
  --tally_.live_subscribers;
  board_.readers(gone.topic).fetch_sub(1, std::memory_order_relaxed);
  // Nobody waits for the rest of its deliveries.
  for (std::uint32_t i = 0; i < options_.publishers_of_topic(gone.topic); ++i) {
    const std::uint32_t lane = options_.lane_of_topic(gone.topic, i);
    const std::uint64_t next = checks_[gone.first_check + i].next();
    tally_.given_up += board_.sent(lane).load(std::memory_order_acquire) - next;
    if (options_.windowed() && lanes_[lane].leave(next)) on_slowest_changed(lane);
  }
}

template <typename Visit>
void Deliveries::for_each_check(Visit&& visit) const {
  for (const Subscriber& subscriber : subscribers_) {
    for (std::uint32_t i = 0; i < options_.publishers_of_topic(subscriber.topic); ++i) {
      const std::uint32_t lane = options_.lane_of_topic(subscriber.topic, i);
      const SequenceCheck& check = checks_[subscriber.first_check + i];
      const bool over = subscriber.dead || board_.abandoned(lane).load(std::memory_order_acquire);
      visit(check, over ? check.next() : board_.sent(lane).load(std::memory_order_acquire));
    }
  }
}

bool Deliveries::settled() const {
  bool all = true;
  for_each_check([&all](const SequenceCheck& check, std::uint64_t sent) {
    if (check.next() < sent) all = false;
  });
  return all;
}

void Deliveries::finish() {
  for_each_check([this](const SequenceCheck& check, std::uint64_t sent) {
    check.finish(sent, tally_.counts);
  });
}

}  // namespace ringcast::bench
