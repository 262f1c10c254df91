// From a publication to the frames that its subscribers get: to which workers it goes, and how each
// of them hands it to its own sessions.
#include <cassert>
#include <cstring>
#include <utility>

#include "wire/encode.h"
#include "worker/router.h"

namespace ringcast::worker {
namespace {

constexpr std::uint32_t kNobody = UINT32_MAX;  // no slot has this number

}  // namespace

// Alone, a worker need not look into the table of interests, which is seldom in the cache.
std::uint64_t Router::interested_workers(std::uint16_t realm, std::uint64_t hash) const {
  const std::uint64_t live = peers_.live();
  if (live == 0) return 0;
  return (segment_.interested_workers(hash) | segment_.pattern_interested_workers(realm)) & live;
}

void Router::publication_from(const ring::Descriptor& descriptor, std::string_view frame) {
  counters_.add(ring::Counter::publications_received);
  const auto publication = parse_publication(frame);
  if (!publication || !realms_.contains(publication->realm)) {
    counters_.add(ring::Counter::corrupt_frames_dropped);
    return;
  }
  fan_out(*publication, descriptor.topic_hash, nullptr);
}

// Each subscription that matches gets an EVENT of its own (WAMP, "Pattern-based Subscriptions").
void Router::fan_out(const Publication& publication, std::uint64_t hash, Connection* excluded) {
  forms_.begin(publication);
  if (const Topic* topic = topics_.find({hash, publication.realm, publication.topic})) {
    fan_out(*topic, excluded);
  }
  topics_.match_patterns(publication.realm, publication.topic,
                         [&](const Topic& topic) { fan_out(topic, excluded); });
}

void Router::fan_out(const Topic& topic, Connection* excluded) {
  // A publisher that is no subscriber is no exception: so the runs of several publishers are one.
  const bool except = excluded != nullptr &&
                      excluded->session->memberships.find(topic.subscription) != Memberships::kNone;
  const std::uint32_t excluded_slot = except ? excluded->id.slot : kNobody;
  for (std::size_t s = 0; s < wire::kSerializerCount; ++s) {
    if (topic.subscribers[s].empty()) continue;
    const auto serializer = static_cast<wire::Serializer>(s);
    if (const wire::Payload* payload = forms_.payload(serializer)) {
      fan_out(topic, serializer, *payload, excluded_slot);
    } else {
      counters_.add(ring::Counter::payloads_not_transcodable);  // the others get it
    }
  }
}

// Room for an event behind the run that it continues, or else for the first of a new one.
char* Router::reserve_event(const Topic& topic, wire::Serializer serializer,
                            std::uint32_t excluded_slot, std::size_t size) {
  if (run_.topic == &topic && run_.serializer == serializer &&
      run_.excluded_slot == excluded_slot &&
      run_.frames.size() + size <= options_.queue_bytes_max) {
    if (char* room = transport_.reserve_behind_unsettled(size)) return room;
  }
  char* room = transport_.reserve(size);  // settles the run before
  run_ = {.topic = &topic,
          .serializer = serializer,
          .excluded_slot = excluded_slot,
          .frames = {},
          .events = 0};
  transport_.set_unsettled(true);
  return room;
}

// One event, encoded once, that each subscriber gets by reference when its run is settled.
void Router::fan_out(const Topic& topic, wire::Serializer serializer, const wire::Payload& payload,
                     std::uint32_t excluded_slot) {
  const auto& subscribers = topic.subscribers[static_cast<std::size_t>(serializer)];
  if (subscribers.size() == 1 && subscribers[0].slot == excluded_slot) return;
  const std::uint64_t id = forms_.publication().id;
  const wire::Bytes details = forms_.details(serializer, topic.match);
  const std::size_t event =
      details.empty() ? wire::event_size(serializer, topic.subscription, id, payload)
                      : wire::event_size(serializer, topic.subscription, id, payload, details);
  const std::size_t size = wire::frame_header_size(event) + event;
  // Text of control characters grows sixfold as JSON; there is an end to that.
  if (size > transport_.frame_size_max()) {
    counters_.add(ring::Counter::payloads_not_transcodable);
    return;
  }
  char* const begin = reserve_event(topic, serializer, excluded_slot, size);
  char* out = wire::write_frame_header(begin, wire::frame_opcode(serializer), event);
  out = details.empty()
            ? wire::write_event(out, serializer, topic.subscription, id, payload)
            : wire::write_event(out, serializer, topic.subscription, id, payload, details);
  assert(out == begin + size);
  const LogRange frame = transport_.commit(size, subscribers.size());
  if (run_.events++ == 0) run_.frames.begin = frame.begin;
  run_.frames.end = frame.end;
}

void Router::settle_fan_out() {
  const FanOutRun run = std::exchange(run_, {});
  transport_.set_unsettled(false);
  if (run.topic == nullptr) return;
  std::size_t queued = 0;
  for (const Subscriber& subscriber :
       run.topic->subscribers[static_cast<std::size_t>(run.serializer)]) {
    if (subscriber.slot == run.excluded_slot) continue;
    if (transport_.queue(*transport_.connections().in_slot(subscriber.slot), run.frames)) ++queued;
  }
  counters_.add(ring::Counter::events_queued, queued * run.events);
  send_held_replies();
}

void Router::acknowledge(Connection& connection, std::uint64_t request, std::uint64_t publication) {
  if (replies_.publisher != nullptr && replies_.publisher != &connection) settle_fan_out();
  out_.clear();
  wire::append_published(out_, connection.serializer, request, publication);
  if (run_.topic == nullptr) return send(connection, out_);
  std::string& frames = replies_.frames;
  const std::size_t begin = frames.size();
  frames.resize(begin + wire::frame_header_size(out_.size()) + out_.size());
  char* const end = wire::write_frame_header(
      frames.data() + begin, wire::frame_opcode(connection.serializer), out_.size());
  std::memcpy(end, out_.data(), out_.size());
  replies_.publisher = &connection;
}

void Router::send_held_replies() {
  Connection* const publisher = std::exchange(replies_.publisher, nullptr);
  if (publisher == nullptr) return;
  const std::size_t size = replies_.frames.size();
  std::memcpy(transport_.reserve(size), replies_.frames.data(), size);
  transport_.queue(*publisher, transport_.commit(size));
  replies_.frames.clear();
}

}  // namespace ringcast::worker
