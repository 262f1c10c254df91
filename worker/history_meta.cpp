#include "worker/history_meta.h"

#include "wire/uri.h"
#include "worker/error_uris.h"
#include "worker/events_question.h"

namespace ringcast::worker {
namespace {

// Room for the rest of the reply.
constexpr std::size_t kEventsBytesMax = Queries::kReplyBytesMax - 64;

auth::UriMatch uri_match(wire::MatchPolicy match) {
  switch (match) {
    case wire::MatchPolicy::prefix:
      return auth::UriMatch::prefix;
    case wire::MatchPolicy::wildcard:
      return auth::UriMatch::wildcard;
    case wire::MatchPolicy::exact:
    case wire::MatchPolicy::unknown:
      break;
  }
  return auth::UriMatch::exact;
}

}  // namespace

HistoryMeta::HistoryMeta(MetaProcedures& procedures, Queries& queries, History& history,
                         const Realms& realms, std::uint32_t workers)
    : procedures_(procedures),
      queries_(queries),
      history_(history),
      realms_(realms),
      workers_(workers) {
  procedures.add("wamp.subscription.get_events",
                 [this](const MetaCall& call) { return get_events(call); });
}

Taken HistoryMeta::get_events(const MetaCall& call) {
  std::optional<std::string> topic;
  auto read = read_events_question(call.arguments, topic);
  if (const auto* wrong = std::get_if<std::string_view>(&read)) {
    return procedures_.invalid(call.caller, *wrong);
  }
  EventsQuestion& question = std::get<EventsQuestion>(read);
  const Session& session = *call.connection.session;
  question.role = session.identity ? session.identity->role : realms_[session.realm].anonymous_role;
  // Who has given the id (worker/node_ids.h).
  const std::uint32_t home = (question.subscription + workers_ - 1) % workers_;
  const bool asked =
      queries_.ask(std::uint64_t{1} << home, QueryKind::events, call.caller.realm,
                   write_events_question(question),
                   [this, caller = call.caller](const std::vector<QueryReply>& replies) {
                     procedures_.pass_on(caller, replies.front());
                   });
  return asked ? Taken::yes : Taken::blocked;
}

bool HistoryMeta::may_subscribe(std::uint16_t realm, std::uint16_t number,
                                const History::Subscription& subscription) const {
  if (number >= realms_[realm].roles.size()) return false;
  const Role& role = realms_[realm].roles[number];
  const auth::UriPattern pattern{subscription.uri, uri_match(subscription.match)};
  return role.unrestricted || role.rules.check_pattern(auth::Action::subscribe, pattern).allowed;
}

bool HistoryMeta::serve(std::uint16_t realm, std::string_view request, std::string& reply) {
  if (!history_.complete()) return false;
  const auto question = parse_events_question(request);
  // No question: a sender that lies. An empty reply is none.
  if (!question || !realms_.contains(realm)) return true;
  const History::Subscription* subscription = history_.find(question->subscription);
  if (subscription == nullptr || subscription->realm != realm) {
    MetaProcedures::write_error(reply, wire::uri::kNoSuchSubscription,
                                "no history is kept for a subscription with this id");
    return true;
  }
  if (!may_subscribe(realm, question->role, *subscription)) {
    MetaProcedures::write_error(reply, wire::uri::kNotAuthorized,
                                "who may not subscribe may not see what was published");
    return true;
  }
  std::string args;
  switch (history_.query(question->subscription, question->query, kEventsBytesMax, args)) {
    case History::Outcome::ok:
      MetaProcedures::write_result(reply, args);
      break;
    case History::Outcome::unknown_publication:
      MetaProcedures::write_error(reply, kUnknownPublication,
                                  "a publication that is referred to is not in the history (any "
                                  "more): others may be missing too");
      break;
    case History::Outcome::too_large:
      MetaProcedures::write_error(reply, kLimitExceeded, "the next event is too long for a result");
      break;
  }
  return true;
}

}  // namespace ringcast::worker
