#include "worker/history.h"

#include "wire/encode.h"
#include "wire/transcode.h"
#include "wire/writer.h"
#include "worker/kept_event.h"
#include "worker/rfc3339.h"
#include "worker/wall_clock.h"

namespace ringcast::worker {
namespace {

constexpr std::size_t kHistoriesPerExpiry = 64;

// Args or kwargs in MessagePack, which has a form for all that was decoded before it was kept.
std::string in_msgpack(wire::Serializer serializer, wire::Bytes value) {
  std::string out;
  if (!wire::transcode(serializer, wire::Serializer::msgpack, value, out)) out.clear();
  return out;
}

// The Event of the specification: what an EVENT says, and when it was.
void write_event(wire::Writer& writer, std::uint32_t subscription, wire::MatchPolicy match,
                 const Event& event) {
  const KeptPublication kept(0, event);
  const PublicationExtras& extras = *kept.view().extras;
  wire::EventDetails details{.publisher = extras.publisher,
                             .publisher_authid = extras.publisher_authid,
                             .publisher_authrole = extras.publisher_authrole};
  if (match != wire::MatchPolicy::exact) details.topic = event.topic;
  if (!extras.passthru.scheme.empty()) details.passthru = extras.passthru;
  std::string written;
  wire::append_event_details(written, wire::Serializer::msgpack, details);
  wire::DictWriter dict(writer);
  dict.text("timestamp", to_rfc3339(event.time_ms));
  dict.integer("subscription", subscription);
  dict.integer("publication", event.publication);
  dict.key("details");
  writer.serialized(written);
  dict.serialized_if_any("args", in_msgpack(event.serializer, event.payload.args));
  dict.serialized_if_any("kwargs", in_msgpack(event.serializer, event.payload.kwargs));
  dict.close();
}

}  // namespace

void History::open(std::uint32_t subscription, const TopicKey& key, const HistoryLimits& limits) {
  --awaited_;
  events_.open(subscription, limits);
  subscriptions_[subscription] = {
      .realm = key.realm, .match = key.match, .uri = std::string(key.uri)};
}

void History::append(std::uint32_t subscription, const Publication& publication) {
  events_.append(subscription, EventToKeep(publication, wall_clock_ms()).view());
  report();
}

void History::report() {
  counters_.set(ring::Counter::history_events, events_.events());
  counters_.set(ring::Counter::history_bytes, events_.bytes());
}

const History::Subscription* History::find(std::uint32_t subscription) const {
  const auto found = subscriptions_.find(subscription);
  return found == subscriptions_.end() ? nullptr : &found->second;
}

History::Outcome History::query(std::uint32_t subscription, const EventQuery& query,
                                std::size_t bytes_max, std::string& args) {
  const wire::MatchPolicy match = subscriptions_.at(subscription).match;
  std::string events;
  std::size_t count = 0;
  bool all = true;
  const QueryOutcome outcome =
      events_.query(subscription, query, wall_clock_ms(), [&](const Event& event) {
        const std::size_t size = events.size();
        wire::Writer writer(events, wire::Serializer::msgpack);
        write_event(writer, subscription, match, event);
        if (events.size() > bytes_max) {
          events.resize(size);
          all = false;
          return false;
        }
        ++count;
        return true;
      });
  if (outcome == QueryOutcome::unknown_publication) return Outcome::unknown_publication;
  if (count == 0 && !all) return Outcome::too_large;
  wire::Writer writer(args, wire::Serializer::msgpack);
  writer.open_list(1);
  writer.open_list(count);
  args += events;
  return Outcome::ok;
}

void History::expire() {
  events_.expire(wall_clock_ms(), kHistoriesPerExpiry);
  report();
}

}  // namespace ringcast::worker
