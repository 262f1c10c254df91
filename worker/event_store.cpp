#include "worker/event_store.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace ringcast::worker {

// ---- One event ----

StoredEvent::StoredEvent(const Event& event)
    : publication_(event.publication),
      time_ms_(event.time_ms),
      publisher_(event.publisher),
      excluded_session_(event.excluded_session),
      text_(std::make_unique<char[]>(text_size(event))),
      text_size_(static_cast<std::uint32_t>(text_size(event))),
      topic_size_(static_cast<std::uint32_t>(event.topic.size())),
      args_size_(static_cast<std::uint32_t>(event.payload.args.size())),
      kwargs_size_(static_cast<std::uint32_t>(event.payload.kwargs.size())),
      details_size_(static_cast<std::uint32_t>(event.details.size())),
      authid_size_(static_cast<std::uint32_t>(event.publisher_authid.size())),
      serializer_(event.serializer) {
  assert(text_size(event) <= UINT32_MAX);  // a message is far below
  char* out = text_.get();
  for (const wire::Bytes part : {event.topic, event.payload.args, event.payload.kwargs,
                                 event.details, event.publisher_authid, event.publisher_authrole}) {
    if (!part.empty()) std::memcpy(out, part.data(), part.size());
    out += part.size();
  }
}

Event StoredEvent::view() const {
  wire::Bytes rest(text_.get(), text_size_);
  const auto take = [&rest](std::size_t size) {
    const wire::Bytes part = rest.substr(0, size);
    rest.remove_prefix(size);
    return part;
  };
  Event event;
  event.publication = publication_;
  event.time_ms = time_ms_;
  event.serializer = serializer_;
  event.topic = take(topic_size_);
  event.payload.args = take(args_size_);
  event.payload.kwargs = take(kwargs_size_);
  event.details = take(details_size_);
  event.publisher = publisher_;
  event.publisher_authid = take(authid_size_);
  event.publisher_authrole = rest;
  event.excluded_session = excluded_session_;
  return event;
}

std::size_t StoredEvent::text_size(const Event& event) {
  return event.topic.size() + event.payload.args.size() + event.payload.kwargs.size() +
         event.details.size() + event.publisher_authid.size() + event.publisher_authrole.size();
}

// A list's node, the allocator's headers, and an entry of a history or of the topics.
std::size_t StoredEvent::footprint(std::size_t text_size) {
  return sizeof(StoredEvent) + 96 + text_size;
}

// ---- Histories ----

void EventStore::open(std::uint32_t subscription, const HistoryLimits& limits) {
  histories_[subscription].limits = limits;
}

void EventStore::close(std::uint32_t subscription) {
  const auto known = histories_.find(subscription);
  if (known == histories_.end()) return;
  clear(known->second);
  histories_.erase(known);
}

AppendOutcome EventStore::append(std::uint32_t subscription, const Event& event) {
  const auto known = histories_.find(subscription);
  if (known == histories_.end()) return AppendOutcome::no_history;
  if (event.restricted) return AppendOutcome::restricted;
  History& history = known->second;
  const std::size_t bytes = StoredEvent::bytes(event);
  if (bytes > std::min(history.limits.bytes_max, bytes_max_) || history.limits.events_max == 0) {
    // What came before it would look as if nothing were missing.
    clear(history);
    ++evicted_.too_large;
    return AppendOutcome::too_large;
  }
  drop_expired(history, event.time_ms);
  make_room(history, bytes);
  const auto kept = events_.insert(events_.end(), {StoredEvent(event), &history});
  history.lines.push_back({event.publication, event.time_ms, kept});
  history.bytes += bytes;
  bytes_ += bytes;
  return AppendOutcome::stored;
}

void EventStore::make_room(History& history, std::size_t bytes) {
  while (history.lines.size() >= history.limits.events_max) {
    drop_oldest(history);
    ++evicted_.by_count;
  }
  while (history.bytes + bytes > history.limits.bytes_max) {
    drop_oldest(history);
    ++evicted_.by_bytes;
  }
  while (bytes_ + bytes > bytes_max_) {
    drop_oldest(*events_.front().history);
    ++evicted_.by_store_bytes;
  }
}

void EventStore::drop_oldest(History& history) {
  const Order::iterator kept = history.lines.front().kept;
  const std::size_t bytes = kept->event.bytes();
  history.lines.pop_front();
  history.bytes -= bytes;
  bytes_ -= bytes;
  events_.erase(kept);
}

void EventStore::clear(History& history) {
  while (!history.lines.empty()) drop_oldest(history);
}

// An event that was stamped by a clock which then went back keeps those behind it until its own
// time is over: the other bounds hold for them.
void EventStore::drop_expired(History& history, std::int64_t now_ms) {
  while (!history.lines.empty() &&
         history.lines.front().time_ms < now_ms - history.limits.age_max_ms) {
    drop_oldest(history);
    ++evicted_.by_age;
  }
}

void EventStore::expire(std::int64_t now_ms, std::size_t histories_max) {
  const std::size_t count = std::min(histories_max, histories_.size());
  for (std::size_t i = 0; i < count; ++i) {
    auto next = histories_.upper_bound(expired_last_);
    if (next == histories_.end()) next = histories_.begin();
    drop_expired(next->second, now_ms);
    expired_last_ = next->first;
  }
}

// From the new end: who pages or recovers mostly asks for what came last.
std::optional<std::size_t> EventStore::find(const History& history, std::uint64_t publication) {
  for (std::size_t at = history.lines.size(); at != 0; --at) {
    if (history.lines[at - 1].publication == publication) return at - 1;
  }
  return std::nullopt;
}

std::optional<EventStore::Range> EventStore::range_of(const History& history,
                                                      const EventQuery& query) {
  Range range{0, history.lines.size()};
  const auto narrow = [&](const std::optional<std::uint64_t>& publication, auto to) {
    if (!publication) return true;
    const std::optional<std::size_t> at = find(history, *publication);
    if (at) to(*at);
    return at.has_value();
  };
  const bool known = narrow(query.from_publication,
                            [&](std::size_t at) { range.begin = std::max(range.begin, at); }) &&
                     narrow(query.after_publication,
                            [&](std::size_t at) { range.begin = std::max(range.begin, at + 1); }) &&
                     narrow(query.before_publication,
                            [&](std::size_t at) { range.end = std::min(range.end, at); }) &&
                     narrow(query.until_publication,
                            [&](std::size_t at) { range.end = std::min(range.end, at + 1); });
  if (!known) return std::nullopt;
  return range;
}

bool EventStore::selects(const EventQuery& query, const Line& line) {
  return (!query.from_time_ms || line.time_ms >= *query.from_time_ms) &&
         (!query.after_time_ms || line.time_ms > *query.after_time_ms) &&
         (!query.before_time_ms || line.time_ms < *query.before_time_ms) &&
         (!query.until_time_ms || line.time_ms <= *query.until_time_ms) &&
         (!query.topic || line.kept->event.topic() == *query.topic);
}

// ---- Retained events ----

RetainedEvents::Put RetainedEvents::put(std::uint16_t realm, const Event& event) {
  if (event.restricted) return Put::restricted;
  erase(realm, event.topic);
  const std::size_t bytes = StoredEvent::bytes(event);
  if (bytes > limits_.bytes_max || limits_.events_max == 0) return Put::too_large;
  while (order_.size() >= limits_.events_max || bytes_ + bytes > limits_.bytes_max) {
    const Kept& oldest = order_.front();
    drop(by_topic_.find({oldest.realm, oldest.event.topic()}));
    ++evicted_;
  }
  const auto kept = order_.insert(order_.end(), {realm, StoredEvent(event)});
  by_topic_.emplace(Key{realm, kept->event.topic()}, kept);
  bytes_ += bytes;
  return Put::retained;
}

std::optional<Event> RetainedEvents::find(std::uint16_t realm, wire::Bytes topic) const {
  const auto at = by_topic_.find({realm, topic});
  if (at == by_topic_.end()) return std::nullopt;
  return at->second->event.view();
}

bool RetainedEvents::erase(std::uint16_t realm, wire::Bytes topic) {
  const auto at = by_topic_.find({realm, topic});
  if (at == by_topic_.end()) return false;
  drop(at);
  return true;
}

void RetainedEvents::erase_realm(std::uint16_t realm) {
  for (auto at = by_topic_.lower_bound({realm, {}});
       at != by_topic_.end() && at->first.first == realm;) {
    drop(at++);
  }
}

void RetainedEvents::drop(ByTopic::iterator at) {
  const Order::iterator kept = at->second;
  bytes_ -= kept->event.bytes();
  by_topic_.erase(at);  // before the bytes that its key refers to
  order_.erase(kept);
}

wire::Bytes RetainedEvents::literal_beginning(wire::MatchPolicy match, wire::Bytes pattern) {
  if (match != wire::MatchPolicy::wildcard) return pattern;
  // Up to the dot before the first empty component.
  if (pattern.empty() || pattern.front() == '.') return {};
  if (const std::size_t empty = pattern.find(".."); empty != wire::Bytes::npos)
    return pattern.substr(0, empty + 1);
  return pattern;
}

}  // namespace ringcast::worker
