#include "worker/subscription_meta.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "ring/session_id.h"
#include "wire/uri.h"
#include "worker/error_uris.h"
#include "worker/meta_details.h"

namespace ringcast::worker {
namespace {

// Numbers, as replies that the asking worker puts together.
void append_number(std::string& reply, std::uint64_t number) {
  reply.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// Calls `take` for each of them. False if a worker had more than a reply holds.
template <typename Take>
bool for_each_number(const std::vector<QueryReply>& replies, Take take) {
  for (const QueryReply& reply : replies) {
    if (reply.result == QueryResult::too_large) return false;
    std::uint64_t number = 0;
    for (std::size_t at = 0; at + sizeof number <= reply.bytes.size(); at += sizeof number) {
      std::memcpy(&number, reply.bytes.data() + at, sizeof number);
      take(number);
    }
  }
  return true;
}

// An id has 32 bits; its match policy lies above.
constexpr unsigned kMatchShift = 32;

// What is located: the match policy, then the URI.
constexpr char kLocated = 'k';

// As the id in a question about holders: how many there are is enough.
constexpr std::uint64_t kCountOnly = 1;

}  // namespace

SubscriptionMeta::SubscriptionMeta(MetaProcedures& procedures, Queries& queries,
                                   ring::Segment& segment, std::uint32_t self, Transport& transport,
                                   Topics& topics, HomeService& home, SubscriptionRevoker& revoker)
    : procedures_(procedures),
      queries_(queries),
      segment_(segment),
      self_(self),
      transport_(transport),
      topics_(topics),
      home_(home),
      revoker_(revoker) {
  const auto add = [this, &procedures](std::string_view name,
                                       Taken (SubscriptionMeta::*handler)(const MetaCall&)) {
    procedures.add(name, [this, handler](const MetaCall& call) { return (this->*handler)(call); });
  };
  add("wamp.subscription.list", &SubscriptionMeta::list);
  add("wamp.subscription.lookup", &SubscriptionMeta::lookup);
  add("wamp.subscription.match", &SubscriptionMeta::match);
  add("wamp.subscription.get", &SubscriptionMeta::get);
  add("wamp.subscription.remove_subscriber", &SubscriptionMeta::remove_subscriber);
  procedures.add("wamp.subscription.list_subscribers",
                 [this](const MetaCall& call) { return subscribers(call, Wanted::list); });
  procedures.add("wamp.subscription.count_subscribers",
                 [this](const MetaCall& call) { return subscribers(call, Wanted::count); });
}

Taken SubscriptionMeta::ask(const MetaCaller& caller, std::uint64_t workers,
                            const MetaQuestion& question, Queries::Done done) {
  const bool asked = queries_.ask(workers, QueryKind::subscriptions, caller.realm,
                                  write_meta_question(question), std::move(done));
  return asked ? Taken::yes : Taken::blocked;
}

Taken SubscriptionMeta::ask_one(const MetaCaller& caller, std::uint32_t worker,
                                const MetaQuestion& question) {
  return ask(caller, std::uint64_t{1} << worker, question,
             [this, caller](const std::vector<QueryReply>& replies) {
               procedures_.pass_on(caller, replies.front());
             });
}

TopicKey SubscriptionMeta::key(std::uint16_t realm, const MetaQuestion& question) const {
  const std::uint64_t hash =
      topic_hash(segment_.header().topic_seed, realm, question.text, question.match);
  return {hash, realm, question.text, question.match};
}

Taken SubscriptionMeta::list(const MetaCall& call) {
  return ask(call.caller, queries_.everybody(), {.what = static_cast<std::uint8_t>(What::list)},
             [this, caller = call.caller](const std::vector<QueryReply>& replies) {
               answer_list(caller, replies);
             });
}

void SubscriptionMeta::answer_list(const MetaCaller& caller,
                                   const std::vector<QueryReply>& replies) {
  std::array<std::vector<std::uint64_t>, kMatchPolicies> ids;
  const bool whole = for_each_number(replies, [&ids](std::uint64_t number) {
    const std::size_t match = number >> kMatchShift;
    if (match < ids.size()) ids[match].push_back(number & UINT32_MAX);
  });
  if (!whole) return procedures_.error(caller, kLimitExceeded, "there are too many to be listed");
  std::string args;
  write_id_lists(args, ids);
  procedures_.result_from_msgpack(caller, args);
}

Taken SubscriptionMeta::lookup(const MetaCall& call) {
  const auto uri = call.arguments.text(0);
  if (!uri) return procedures_.invalid(call.caller, "expected the URI of a topic");
  const auto match = match_option(call.arguments, 1);
  if (!match) return procedures_.invalid(call.caller, kMatchOptionExpected);
  const MetaQuestion question{
      .what = static_cast<std::uint8_t>(What::lookup), .match = *match, .text = *uri};
  return ask_one(call.caller, home_of(key(call.caller.realm, question).hash, segment_.workers()),
                 question);
}

// Every subscription is held by the worker of one of its sessions at least.
Taken SubscriptionMeta::match(const MetaCall& call) {
  const auto uri = call.arguments.text(0);
  if (!uri) return procedures_.invalid(call.caller, "expected the URI of a topic");
  return ask(call.caller, queries_.everybody(),
             {.what = static_cast<std::uint8_t>(What::match), .text = *uri},
             [this, caller = call.caller](const std::vector<QueryReply>& replies) {
               answer_match(caller, replies);
             });
}

void SubscriptionMeta::answer_match(const MetaCaller& caller,
                                    const std::vector<QueryReply>& replies) {
  std::vector<std::uint64_t> ids;
  if (!for_each_number(replies, [&ids](std::uint64_t id) { ids.push_back(id); })) {
    return procedures_.error(caller, kLimitExceeded, "there are too many to be listed");
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::string args;
  wire::Writer writer(args, wire::Serializer::msgpack);
  writer.open_list(1);
  ids.empty() ? writer.null() : write_ids(writer, ids);
  writer.close_list();
  procedures_.result_from_msgpack(caller, args);
}

Taken SubscriptionMeta::get(const MetaCall& call) {
  const auto id = call.arguments.id(0);
  if (!id) return procedures_.invalid(call.caller, kSubscriptionExpected);
  return ask_one(call.caller, home_of_id(*id),
                 {.what = static_cast<std::uint8_t>(What::get), .id = *id});
}

// First its home worker says what it is, then everybody who of its sessions has it.
Taken SubscriptionMeta::subscribers(const MetaCall& call, Wanted wanted) {
  const auto id = call.arguments.id(0);
  if (!id) return procedures_.invalid(call.caller, kSubscriptionExpected);
  return ask(call.caller, std::uint64_t{1} << home_of_id(*id),
             {.what = static_cast<std::uint8_t>(What::locate), .id = *id},
             [this, caller = call.caller, wanted](const std::vector<QueryReply>& replies) {
               ask_holders(caller, wanted, replies.front());
             });
}

void SubscriptionMeta::ask_holders(const MetaCaller& caller, Wanted wanted,
                                   const QueryReply& located) {
  const std::string_view bytes = located.bytes;
  if (bytes.size() < 2 || bytes.front() != kLocated) return procedures_.pass_on(caller, located);
  const auto match = static_cast<wire::MatchPolicy>(bytes[1]);
  if (match >= wire::MatchPolicy::unknown) return procedures_.pass_on(caller, {});
  const Taken taken = ask(caller, queries_.everybody(),
                          {.what = static_cast<std::uint8_t>(What::holders),
                           .match = match,
                           .id = wanted == Wanted::count ? kCountOnly : 0,
                           .text = bytes.substr(2)},
                          [this, caller, wanted](const std::vector<QueryReply>& replies) {
                            answer_holders(caller, wanted, replies);
                          });
  if (taken == Taken::blocked) {
    procedures_.error(caller, kLimitExceeded, "too many such calls are open; call again later");
  }
}

void SubscriptionMeta::answer_holders(const MetaCaller& caller, Wanted wanted,
                                      const std::vector<QueryReply>& replies) {
  std::vector<std::uint64_t> sessions;
  std::uint64_t count = 0;
  const bool whole = for_each_number(replies, [&](std::uint64_t number) {
    if (wanted == Wanted::count) {
      count += number;
    } else {
      sessions.push_back(number);
    }
  });
  if (!whole) return procedures_.error(caller, kLimitExceeded, "there are too many to be listed");
  std::string args;
  wire::Writer writer(args, wire::Serializer::msgpack);
  writer.open_list(1);
  wanted == Wanted::list ? write_ids(writer, sessions) : writer.integer(count);
  writer.close_list();
  procedures_.result_from_msgpack(caller, args);
}

// As crossbar has it: (subscription, session, reason?), no result.
Taken SubscriptionMeta::remove_subscriber(const MetaCall& call) {
  const auto id = call.arguments.id(0);
  const auto session = call.arguments.id(1);
  if (!id || !session) {
    return procedures_.invalid(call.caller, "expected the ids of a subscription and a session");
  }
  const auto reason = revocation_reason(call.arguments);
  if (!reason) {
    procedures_.error(call.caller, wire::uri::kInvalidUri, "the reason is not a valid URI");
    return Taken::yes;
  }
  const auto who = ring::connection_of_session(*session, segment_.header().session_key);
  if (who.generation == 0 || who.worker >= segment_.workers()) {
    procedures_.error(call.caller, wire::uri::kNoSuchSession, "there is no session with this id");
    return Taken::yes;
  }
  return ask_one(call.caller, who.worker,
                 {.what = static_cast<std::uint8_t>(What::remove),
                  .id = *id,
                  .session = who.packed(),
                  .reason = *reason});
}

bool SubscriptionMeta::serve(std::uint16_t realm, std::string_view request, std::string& reply) {
  const auto question = parse_meta_question(request);
  // No question: a sender that lies. An empty reply is none.
  if (!question) return true;
  switch (static_cast<What>(question->what)) {
    case What::match:
      serve_match(realm, *question, reply);
      return true;
    case What::holders:
      serve_holders(realm, *question, reply);
      return true;
    case What::remove:
      serve_remove(realm, *question, reply);
      return true;
    default:
      if (!home_.complete()) return false;
      serve_at_home(realm, *question, reply);
      return true;
  }
}

void SubscriptionMeta::serve_at_home(std::uint16_t realm, const MetaQuestion& question,
                                     std::string& reply) {
  const auto what = static_cast<What>(question.what);
  if (what == What::list) {
    transport_.count_work(home_.size());
    home_.for_each([&](const HomeTopic& topic) {
      if (topic.realm != realm || reply.size() > Queries::kReplyBytesMax) return;
      append_number(reply, std::uint64_t{static_cast<std::uint8_t>(topic.match)} << kMatchShift |
                               topic.subscription);
    });
    return;
  }
  std::string args;
  wire::Writer writer(args, wire::Serializer::msgpack);
  writer.open_list(1);
  if (what == What::lookup) {
    const HomeTopic* found = home_.find(key(realm, question));
    found == nullptr ? writer.null() : writer.integer(found->subscription);
  } else {
    const HomeTopic* found =
        question.id > UINT32_MAX ? nullptr : home_.find(static_cast<std::uint32_t>(question.id));
    if (found == nullptr || found->realm != realm) {
      return MetaProcedures::write_error(reply, wire::uri::kNoSuchSubscription,
                                         "there is no subscription with this id");
    }
    if (what == What::locate) {
      reply.append(1, kLocated).append(1, static_cast<char>(found->match)).append(found->uri());
      return;
    }
    write_details(writer, *found);
  }
  writer.close_list();
  MetaProcedures::write_result(reply, args);
}

void SubscriptionMeta::serve_match(std::uint16_t realm, const MetaQuestion& question,
                                   std::string& reply) {
  const auto add = [&reply](const Topic& topic) {
    if (topic.wanted()) append_number(reply, topic.subscription);
  };
  MetaQuestion exact = question;
  exact.match = wire::MatchPolicy::exact;
  if (const Topic* topic = topics_.find(key(realm, exact))) add(*topic);
  topics_.match_patterns(realm, question.text, add);
}

void SubscriptionMeta::serve_holders(std::uint16_t realm, const MetaQuestion& question,
                                     std::string& reply) {
  Topic* topic = topics_.find(key(realm, question));
  if (topic == nullptr) return;
  if (question.id == kCountOnly) {
    return append_number(reply, topic->subscribers[0].size() + topic->subscribers[1].size());
  }
  for (Subscribers& subscribers : topic->subscribers) {
    transport_.count_work(subscribers.size());
    for (const Subscriber& subscriber : subscribers) {
      if (reply.size() > Queries::kReplyBytesMax) return;
      const Connection& connection = *transport_.connections().in_slot(subscriber.slot);
      append_number(reply, ring::session_id_of(connection.id, segment_.header().session_key));
    }
  }
}

void SubscriptionMeta::serve_remove(std::uint16_t realm, const MetaQuestion& question,
                                    std::string& reply) {
  Connection* connection =
      transport_.connections().find(ring::ConnectionId::from_packed(question.session));
  const bool there = connection != nullptr && connection->session &&
                     connection->session->state == Session::State::established &&
                     connection->session->realm == realm;
  if (!there) {
    return MetaProcedures::write_error(reply, wire::uri::kNoSuchSession,
                                       "there is no session with this id");
  }
  const bool removed = question.id <= UINT32_MAX &&
                       revoker_.revoke_subscription(
                           *connection, static_cast<std::uint32_t>(question.id), question.reason);
  if (!removed) {
    return MetaProcedures::write_error(reply, wire::uri::kNoSuchSubscription,
                                       "the session does not have this subscription");
  }
  MetaProcedures::write_result(reply, {});
}

}  // namespace ringcast::worker
