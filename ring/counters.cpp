#include "ring/counters.h"

namespace ringcast::ring {
namespace {

constexpr std::array<std::string_view, kCounterCount> kNames = {
    "turns",
    "connections",
    "sessions",
    "subscriptions",
    "topics",
    "connections_accepted",
    "connections_closed",
    "connections_lost",
    "connections_refused",
    "upgrades_refused",
    "handshake_timeouts",
    "ping_timeouts",
    "protocol_violations",
    "slow_reader_bytes_dropped",
    "slow_readers_closed",
    "messages_received",
    "bytes_received",
    "bytes_sent",
    "sends",
    "publications",
    "publications_received",
    "events_queued",
    "stale_frames_dropped",
    "stale_completions_dropped",
    "stale_descriptors_dropped",
    "corrupt_descriptors_dropped",
    "corrupt_frames_dropped",
    "ring_full",
    "arena_full",
    "publishers_paused",
    "arena_free_bytes",
    "arena_frames",
    "log_evacuations",
    "buffers_exhausted",
    "home_topics",
    "wakeups_sent",
    "payloads_not_transcodable",
    "registrations",
    "calls_open",
    "calls",
    "invocations",
    "retained_events",
    "retained_bytes",
    "authorizations_denied",
    "authorizations_failed",
    "authorizer_calls",
    "history_events",
    "history_bytes",
    "router_events_dropped",
};
static_assert(!kNames.back().empty(), "every counter has a name");

}  // namespace

std::string_view counter_name(Counter counter) { return kNames[static_cast<std::size_t>(counter)]; }

void Counters::reset_gauges() {
  for (Counter gauge :
       {Counter::connections, Counter::sessions, Counter::subscriptions, Counter::topics,
        Counter::publishers_paused, Counter::arena_free_bytes, Counter::arena_frames,
        Counter::home_topics, Counter::registrations, Counter::calls_open, Counter::retained_events,
        Counter::retained_bytes, Counter::history_events, Counter::history_bytes}) {
    set(gauge, 0);
  }
}

}  // namespace ringcast::ring
