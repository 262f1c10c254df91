#include "worker/registration_meta.h"

#include <algorithm>
#include <array>

#include "wire/members.h"
#include "wire/uri.h"
#include "wire/writer.h"
#include "worker/meta_details.h"

namespace ringcast::worker {

RegistrationMeta::RegistrationMeta(MetaProcedures& procedures, Queries& queries, RpcRouter& rpc,
                                   const ring::SessionKey& session_key)
    : procedures_(procedures), queries_(queries), rpc_(rpc), session_key_(session_key) {
  procedures.add("wamp.registration.list", [this](const MetaCall& call) {
    return ask(call.caller, {.what = static_cast<std::uint8_t>(What::list)});
  });
  procedures.add("wamp.registration.lookup", [this](const MetaCall& call) { return lookup(call); });
  procedures.add("wamp.registration.match", [this](const MetaCall& call) { return match(call); });
  procedures.add("wamp.registration.remove_callee",
                 [this](const MetaCall& call) { return remove_callee(call); });
  procedures.add("wamp.registration.get",
                 [this](const MetaCall& call) { return ask_by_id(call, What::get); });
  procedures.add("wamp.registration.list_callees",
                 [this](const MetaCall& call) { return ask_by_id(call, What::list_callees); });
  procedures.add("wamp.registration.count_callees",
                 [this](const MetaCall& call) { return ask_by_id(call, What::count_callees); });
}

Taken RegistrationMeta::ask(const MetaCaller& caller, const MetaQuestion& question) {
  const std::uint64_t home = std::uint64_t{1} << rpc_.home_of_realm(caller.realm);
  const bool asked =
      queries_.ask(home, QueryKind::registrations, caller.realm, write_meta_question(question),
                   [this, caller](const std::vector<QueryReply>& replies) {
                     procedures_.pass_on(caller, replies.front());
                   });
  return asked ? Taken::yes : Taken::blocked;
}

Taken RegistrationMeta::ask_by_id(const MetaCall& call, What what) {
  const auto id = call.arguments.id(0);
  if (!id) return procedures_.invalid(call.caller, "expected the id of a registration");
  return ask(call.caller, {.what = static_cast<std::uint8_t>(what), .id = *id});
}

Taken RegistrationMeta::lookup(const MetaCall& call) {
  const auto uri = call.arguments.text(0);
  if (!uri) return procedures_.invalid(call.caller, "expected the URI of a procedure");
  const auto match = match_option(call.arguments, 1);
  if (!match) return procedures_.invalid(call.caller, kMatchOptionExpected);
  return ask(call.caller,
             {.what = static_cast<std::uint8_t>(What::lookup), .match = *match, .text = *uri});
}

Taken RegistrationMeta::match(const MetaCall& call) {
  const auto uri = call.arguments.text(0);
  if (!uri) return procedures_.invalid(call.caller, "expected the URI of a procedure");
  return ask(call.caller, {.what = static_cast<std::uint8_t>(What::match), .text = *uri});
}

// As crossbar has it: (registration, session, reason?), no result.
Taken RegistrationMeta::remove_callee(const MetaCall& call) {
  const auto id = call.arguments.id(0);
  const auto session = call.arguments.id(1);
  if (!id || !session) {
    return procedures_.invalid(call.caller, "expected the ids of a registration and a session");
  }
  const auto reason = revocation_reason(call.arguments);
  if (!reason) {
    procedures_.error(call.caller, wire::uri::kInvalidUri, "the reason is not a valid URI");
    return Taken::yes;
  }
  return ask(call.caller, {.what = static_cast<std::uint8_t>(What::remove),
                           .id = *id,
                           .session = ring::connection_of_session(*session, session_key_).packed(),
                           .reason = *reason});
}

bool RegistrationMeta::serve(std::uint16_t realm, std::string_view request, std::string& reply) {
  if (!rpc_.dealer_complete()) return false;
  const auto question = parse_meta_question(request);
  // Not this worker's realm, or no question: a sender that lies. An empty reply is none.
  if (!question || !rpc_.is_home_of(realm)) return true;
  Registrations& registrations = rpc_.registrations();
  const auto what = static_cast<What>(question->what);
  if (what == What::list) {
    serve_list(realm, reply);
  } else if (what == What::lookup) {
    write_nullable_id(reply, registrations.find({realm, question->match, question->text}));
  } else if (what == What::match) {
    write_nullable_id(reply, registrations.match(realm, question->text));
  } else {
    const Registration* found = question->id > UINT32_MAX
                                    ? nullptr
                                    : registrations.find(static_cast<std::uint32_t>(question->id));
    if (found == nullptr || found->realm != realm) {
      MetaProcedures::write_error(reply, wire::uri::kNoSuchRegistration,
                                  "there is no registration with this id");
    } else if (what == What::remove) {
      serve_remove(*found, *question, reply);
    } else {
      serve_one(what, *found, reply);
    }
  }
  return true;
}

void RegistrationMeta::serve_list(std::uint16_t realm, std::string& reply) {
  std::array<std::vector<std::uint64_t>, kMatchPolicies> ids;
  rpc_.registrations().for_each([&](const Registration& registration) {
    if (registration.realm != realm) return;
    ids[static_cast<std::size_t>(registration.match)].push_back(registration.id);
  });
  std::string args;
  write_id_lists(args, ids);
  MetaProcedures::write_result(reply, args);
}

void RegistrationMeta::serve_remove(const Registration& registration, const MetaQuestion& question,
                                    std::string& reply) {
  const auto callee = ring::ConnectionId::from_packed(question.session);
  if (rpc_.revoke(callee, registration.id, question.reason)) {
    return MetaProcedures::write_result(reply, {});
  }
  MetaProcedures::write_error(reply, wire::uri::kNoSuchSession,
                              "no session with this id has this registration");
}

void RegistrationMeta::serve_one(What what, const Registration& registration, std::string& reply) {
  std::string args;
  wire::Writer writer(args, wire::Serializer::msgpack);
  writer.open_list(1);
  if (what == What::get) {
    write_details(writer, registration);
  } else if (what == What::list_callees) {
    writer.open_list(registration.callees.size());
    for (const Callee& callee : registration.callees) {
      writer.integer(ring::session_id_of(callee.session, session_key_));
    }
    writer.close_list();
  } else {
    writer.integer(registration.callees.size());
  }
  writer.close_list();
  MetaProcedures::write_result(reply, args);
}

}  // namespace ringcast::worker
