// What is asked of a history's home worker, as the request of a query (worker/queries.h), and how a
// client puts it.
//
// Values; any thread. Read from shared memory, so parse() believes no length before it has checked
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "worker/event_store.h"
#include "worker/meta_call.h"

namespace ringcast::worker {

struct EventsQuestion {
  std::uint32_t subscription = 0;
  std::uint16_t role = 0;  // of who asks
  EventQuery query;
};

// The arguments of wamp.subscription.get_events, or what is wrong with them. The topic is a view of
// `topic`. The role is left 0.
std::variant<EventsQuestion, std::string_view> read_events_question(
    const MetaArguments& arguments, std::optional<std::string>& topic);

std::string write_events_question(const EventsQuestion& question);
// The topic is a view of `bytes`.
std::optional<EventsQuestion> parse_events_question(std::string_view bytes);

}  // namespace ringcast::worker
