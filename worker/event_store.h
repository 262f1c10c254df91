// What a home worker remembers of events: the history of subscriptions (WAMP specification, "Event
// History") and the retained event of topics ("Event Retention"). In memory only, bounded; owned
// and used by one worker thread. The time comes with each call: milliseconds since 1970, of a clock
// that may jump.
//
// Publications with an exclude or eligible list are in neither [decision]: whoever asks later must
// not see what was not for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "wire/bytes.h"
#include "wire/message.h"
#include "wire/serializer.h"
#include "worker/pattern_shapes.h"

namespace ringcast::worker {

// Views: into the caller's bytes where it is given; where it is read back, into the store, until
// that next changes.
struct Event {
  std::uint64_t publication = 0;
  std::int64_t time_ms = 0;
  wire::Bytes topic;
  wire::Serializer serializer = wire::Serializer::json;  // of payload and details
  wire::Payload payload;
  wire::Bytes details;  // a serialized dict of further details, such as ppt_*; empty: none
  // Whoever let itself be disclosed; session 0 and empty otherwise.
  std::uint64_t publisher = 0;
  wire::Bytes publisher_authid;
  wire::Bytes publisher_authrole;
  // The publisher's session if PUBLISH.Options.exclude_me kept the event from it, else 0. Whoever
  // sends a retained event keeps it from this session; a history does not heed it.
  std::uint64_t excluded_session = 0;
  // The publication had an exclude or eligible list. Never true of what is read back.
  bool restricted = false;
};

// An event in one piece of memory.
class StoredEvent {
 public:
  explicit StoredEvent(const Event& event);
  Event view() const;
  std::uint64_t publication() const { return publication_; }
  std::int64_t time_ms() const { return time_ms_; }
  wire::Bytes topic() const { return {text_.get(), topic_size_}; }

  // What it counts against the bounds: its bytes and what it takes to keep it.
  std::size_t bytes() const { return footprint(text_size_); }
  static std::size_t bytes(const Event& event) { return footprint(text_size(event)); }

 private:
  static std::size_t text_size(const Event& event);
  static std::size_t footprint(std::size_t text_size);

  std::uint64_t publication_;
  std::int64_t time_ms_;
  std::uint64_t publisher_;
  std::uint64_t excluded_session_;
  std::unique_ptr<char[]> text_;  // topic, args, kwargs, details, authid, authrole
  std::uint32_t text_size_;
  std::uint32_t topic_size_;
  std::uint32_t args_size_;
  std::uint32_t kwargs_size_;
  std::uint32_t details_size_;
  std::uint32_t authid_size_;
  wire::Serializer serializer_;
};

struct HistoryLimits {
  std::uint32_t events_max = 1000;
  std::size_t bytes_max = std::size_t{1} << 20;
  std::int64_t age_max_ms = std::int64_t{24} * 3600 * 1000;
};

// The arguments of wamp.subscription.get_events; conditions that are set must all hold.
struct EventQuery {
  bool reverse = false;
  std::uint32_t limit = std::numeric_limits<std::uint32_t>::max();
  std::optional<std::int64_t> from_time_ms{};    // >=
  std::optional<std::int64_t> after_time_ms{};   // >
  std::optional<std::int64_t> before_time_ms{};  // <
  std::optional<std::int64_t> until_time_ms{};   // <=
  // By the order in which the events came: ids have none.
  std::optional<std::uint64_t> from_publication{};    // that one and what came behind it
  std::optional<std::uint64_t> after_publication{};   // what came behind it
  std::optional<std::uint64_t> before_publication{};  // what came before it
  std::optional<std::uint64_t> until_publication{};   // that one and what came before it
  std::optional<wire::Bytes> topic{};
};

enum class QueryOutcome : std::uint8_t {
  ok,
  no_history,  // none is kept for this subscription
  // A publication that the query refers to is not in the history (any more): nothing was visited.
  // Who pages or recovers has missed something, and must be told.
  unknown_publication,
};

enum class AppendOutcome : std::uint8_t { stored, no_history, restricted, too_large };

// Histories by subscription id, for exact and pattern-based subscriptions alike. Each is what was
// published last, without a gap but for restricted publications: what has to go goes from its old
// end, and an event that alone is above a bound takes all before it out. So a publication that is
// found has everything behind it.
//
// What goes when a bound is passed: a history's own oldest events where its count, bytes or age
// is passed; then, where the store's bytes are, the events that came first, of whichever history.
class EventStore {
 public:
  // Events evicted since the start, by the bound that was passed.
  struct Evicted {
    std::uint64_t by_count = 0;
    std::uint64_t by_bytes = 0;
    std::uint64_t by_age = 0;
    std::uint64_t by_store_bytes = 0;
    std::uint64_t too_large = 0;  // never stored
  };

  explicit EventStore(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  EventStore(const EventStore&) = delete;
  EventStore& operator=(const EventStore&) = delete;

  // Keeps a history for this subscription from now on, or changes its limits, which hold from its
  // next event. An open history costs some 800 bytes besides its events, which are all that is
  // counted against bytes_max.
  void open(std::uint32_t subscription, const HistoryLimits& limits);

  // Forgets the history with its events.
  void close(std::uint32_t subscription);

  // The event was published now, at event.time_ms, and comes behind all others of the history.
  AppendOutcome append(std::uint32_t subscription, const Event& event);

  // Calls `visit(event)` for what the query asks for, in order, until it returns false: the caller
  // may have no room for more. Takes time in the number of events of this history, which
  // HistoryLimits::events_max bounds; looks into memory of an event only where it is visited or its
  // topic is asked for. `visit` may not change the store.
  template <typename Visit>
  QueryOutcome query(std::uint32_t subscription, const EventQuery& query, std::int64_t now_ms,
                     Visit visit);

  // Drops what is too old from the next `histories_max` histories, going round. To be called from
  // time to time, so that histories to which nothing comes give their memory back; a query does not
  // depend on it.
  void expire(std::int64_t now_ms, std::size_t histories_max);

  std::size_t histories() const { return histories_.size(); }
  std::size_t events() const { return events_.size(); }
  std::size_t bytes() const { return bytes_; }
  const Evicted& evicted() const { return evicted_; }

 private:
  struct History;
  struct Kept {
    StoredEvent event;
    History* history;
  };
  using Order = std::list<Kept>;
  // What a query needs of each event, side by side.
  struct Line {
    std::uint64_t publication;
    std::int64_t time_ms;
    Order::iterator kept;
  };
  struct History {
    HistoryLimits limits;
    std::size_t bytes = 0;
    std::deque<Line> lines;  // as they came
  };
  // Lines from `begin` to before `end`.
  struct Range {
    std::size_t begin;
    std::size_t end;
  };

  void drop_oldest(History& history);
  void clear(History& history);
  void drop_expired(History& history, std::int64_t now_ms);
  void make_room(History& history, std::size_t bytes);
  static std::optional<std::size_t> find(const History& history, std::uint64_t publication);
  // Nothing if the query names a publication that is not there.
  static std::optional<Range> range_of(const History& history, const EventQuery& query);
  static bool selects(const EventQuery& query, const Line& line);

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  Order events_;  // of all histories, in the order in which they came
  std::map<std::uint32_t, History> histories_;
  std::uint32_t expired_last_ = 0;  // where expire() goes on
  Evicted evicted_;
};

struct RetainedLimits {
  std::size_t events_max = 100'000;
  std::size_t bytes_max = std::size_t{64} << 20;
};

// The retained event of each topic. It stays until
// - another publication to the topic with retain=true takes its place,
// - it is forgotten by erase(): the specification has no message for that, so an administrator's,
// - it is the one retained longest ago when the bounds are passed ("best-effort").
// Publications without retain, an empty payload, and the leaving of subscribers or of the publisher
// change nothing [decision]: the specification names none of them. A restricted publication neither
// is retained nor takes the place of one that all may see, which remains the last for most.
class RetainedEvents {
 public:
  explicit RetainedEvents(const RetainedLimits& limits) : limits_(limits) {}
  RetainedEvents(const RetainedEvents&) = delete;
  RetainedEvents& operator=(const RetainedEvents&) = delete;

  enum class Put : std::uint8_t {
    retained,
    restricted,  // what was there is still there
    too_large,   // nothing is retained for the topic any more: it would be out of date
  };
  Put put(std::uint16_t realm, const Event& event);

  // REQUIRES of who sends it: not to event.excluded_session, and with EVENT.Details.retained.
  std::optional<Event> find(std::uint16_t realm, wire::Bytes topic) const;

  // False if there was none.
  bool erase(std::uint16_t realm, wire::Bytes topic);
  void erase_realm(std::uint16_t realm);

  // Calls `visit(event)` for retained events whose topics match and come behind `after` in the
  // order of topics (nothing: all of them), until it returns false. Looks at those that begin like
  // the pattern up to its first wildcard, `looked_at_max` at most. Where there may be more, the
  // topic to go on after, valid until the store changes. `visit` may not change the store.
  template <typename Visit>
  std::optional<wire::Bytes> for_each_match(std::uint16_t realm, wire::MatchPolicy match,
                                            wire::Bytes pattern, std::optional<wire::Bytes> after,
                                            std::size_t looked_at_max, Visit visit) const;

  std::size_t size() const { return by_topic_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t evicted() const { return evicted_; }  // for the bounds, since the start

 private:
  struct Kept {
    std::uint16_t realm;
    StoredEvent event;
  };
  using Order = std::list<Kept>;
  using Key = std::pair<std::uint16_t, wire::Bytes>;  // the topic's bytes lie in the event
  using ByTopic = std::map<Key, Order::iterator>;

  void drop(ByTopic::iterator at);
  // What all topics that may match begin with.
  static wire::Bytes literal_beginning(wire::MatchPolicy match, wire::Bytes pattern);

  RetainedLimits limits_;
  std::size_t bytes_ = 0;
  Order order_;  // the one retained longest ago first
  ByTopic by_topic_;
  std::uint64_t evicted_ = 0;
};

template <typename Visit>
QueryOutcome EventStore::query(std::uint32_t subscription, const EventQuery& query,
                               std::int64_t now_ms, Visit visit) {
  const auto known = histories_.find(subscription);
  if (known == histories_.end()) return QueryOutcome::no_history;
  History& history = known->second;
  drop_expired(history, now_ms);
  const std::optional<Range> range = range_of(history, query);
  if (!range) return QueryOutcome::unknown_publication;
  std::uint32_t left = query.limit;
  for (std::size_t step = range->begin; step < range->end && left != 0; ++step) {
    const std::size_t at = query.reverse ? range->end - 1 - (step - range->begin) : step;
    const Line& line = history.lines[at];
    if (!selects(query, line)) continue;
    if (!visit(line.kept->event.view())) break;
    --left;
  }
  return QueryOutcome::ok;
}

template <typename Visit>
std::optional<wire::Bytes> RetainedEvents::for_each_match(
    std::uint16_t realm, wire::MatchPolicy match, wire::Bytes pattern,
    std::optional<wire::Bytes> after, std::size_t looked_at_max, Visit visit) const {
  const wire::Bytes beginning = literal_beginning(match, pattern);
  auto at = after && *after >= beginning ? by_topic_.upper_bound({realm, *after})
                                         : by_topic_.lower_bound({realm, beginning});
  std::optional<wire::Bytes> last = after;
  for (; at != by_topic_.end(); ++at) {
    const auto& [key_realm, topic] = at->first;
    if (key_realm != realm || !topic.starts_with(beginning)) return std::nullopt;
    if (looked_at_max-- == 0) return last;
    last = topic;
    if (pattern_matches(match, pattern, topic) && !visit(at->second->event.view())) return last;
  }
  return std::nullopt;
}

}  // namespace ringcast::worker
