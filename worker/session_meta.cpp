#include "worker/session_meta.h"

#include <algorithm>
#include <cstring>

#include "ring/session_id.h"
#include "wire/decode.h"
#include "wire/uri.h"
#include "worker/error_uris.h"
#include "worker/meta_details.h"

namespace ringcast::worker {

SessionMeta::SessionMeta(MetaProcedures& procedures, Queries& queries, ring::Segment& segment,
                         std::uint32_t self, Transport& transport, const Realms& realms,
                         Testaments& testaments, SessionKeeper& keeper)
    : procedures_(procedures),
      queries_(queries),
      segment_(segment),
      self_(self),
      transport_(transport),
      realms_(realms),
      testaments_(testaments),
      keeper_(keeper) {
  const auto add = [this, &procedures](std::string_view name,
                                       Taken (SessionMeta::*handler)(const MetaCall&)) {
    procedures.add(name, [this, handler](const MetaCall& call) { return (this->*handler)(call); });
  };
  add("wamp.session.count", &SessionMeta::count);
  add("wamp.session.list", &SessionMeta::list);
  add("wamp.session.get", &SessionMeta::get);
  add("wamp.session.kill", &SessionMeta::kill_one);
  add("wamp.session.add_testament", &SessionMeta::add_testament);
  add("wamp.session.flush_testaments", &SessionMeta::flush_testaments);
  procedures.add("wamp.session.kill_by_authid",
                 [this](const MetaCall& call) { return kill_many(call, Victims::by_authid); });
  procedures.add("wamp.session.kill_by_authrole",
                 [this](const MetaCall& call) { return kill_many(call, Victims::by_authrole); });
  procedures.add("wamp.session.kill_all",
                 [this](const MetaCall& call) { return kill_many(call, Victims::all); });
}

std::uint64_t SessionMeta::session_id(ring::ConnectionId id) const {
  return ring::session_id_of(id, segment_.header().session_key);
}

IdentityView SessionMeta::identity_of(const Connection& connection) const {
  const Session& session = *connection.session;
  return {session.identity.get(), session_id(connection.id),
          realms_[session.realm].anonymous_role_name()};
}

// The sessions of a worker that has died are gone, although its table still has them.
bool SessionMeta::present(std::uint32_t worker) const {
  return worker == self_ || segment_.state(worker).state == ring::WorkerState::live;
}

bool SessionMeta::read_roles(const MetaCall& call, Roles& roles) {
  const wire::Bytes list = call.arguments.raw(0);
  if (list.empty()) return true;
  const wire::Serializer serializer = call.arguments.serializer();
  const auto elements = wire::list_elements(serializer, list, kFilterRolesMax + 1);
  bool good = wire::value_kind(serializer, list) == wire::ValueKind::list &&
              elements.size() <= kFilterRolesMax;
  roles.emplace();
  for (const wire::Bytes element : elements) {
    const auto role = wire::text_value(serializer, element);
    if (!role) good = false;
    roles->push_back(role.value_or(""));
  }
  if (!good) procedures_.invalid(call.caller, "expected a list of up to 256 names of roles");
  return good;
}

// Those of the realm, and of the roles if there are some; visit(id). Looking through the tables is
// work of this turn.
template <typename Visit>
void SessionMeta::for_each_session(std::uint16_t realm, const Roles& roles, Visit visit) {
  const std::string_view anonymous = realms_[realm].anonymous_role_name();
  const auto wanted = [&roles](std::string_view role) {
    return !roles || std::find(roles->begin(), roles->end(), role) != roles->end();
  };
  const bool anonymous_wanted = wanted(anonymous);
  for (std::uint32_t worker = 0; worker < segment_.workers(); ++worker) {
    if (!present(worker)) continue;
    const ring::SessionTable table = segment_.sessions(worker);
    const std::uint32_t slots = table.slots_used();
    transport_.count_work(slots);
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
      const ring::SessionEntry entry = table.read(slot);
      if (entry.generation == 0 || entry.realm != realm) continue;
      if (!entry.identified && !anonymous_wanted) continue;
      if (entry.identified && roles) {
        const auto texts = table.texts(slot, entry);
        if (!texts || !wanted(texts->authrole)) continue;
      }
      visit(ring::ConnectionId{.worker = worker, .slot = slot, .generation = entry.generation});
    }
  }
}

void SessionMeta::answer_integer(const MetaCall& call, std::uint64_t value) {
  std::string args;
  wire::Writer writer(args, call.arguments.serializer());
  writer.open_list(1);
  writer.integer(value);
  writer.close_list();
  procedures_.result(call.caller, args);
}

Taken SessionMeta::count(const MetaCall& call) {
  Roles roles;
  if (!read_roles(call, roles)) return Taken::yes;
  std::uint64_t count = 0;
  for_each_session(call.caller.realm, roles, [&count](ring::ConnectionId) { ++count; });
  answer_integer(call, count);
  return Taken::yes;
}

Taken SessionMeta::list(const MetaCall& call) {
  Roles roles;
  if (!read_roles(call, roles)) return Taken::yes;
  std::vector<std::uint64_t> ids;
  for_each_session(call.caller.realm, roles,
                   [&](ring::ConnectionId id) { ids.push_back(session_id(id)); });
  std::string args;
  wire::Writer writer(args, call.arguments.serializer());
  writer.open_list(1);
  write_ids(writer, ids);
  writer.close_list();
  procedures_.result(call.caller, args);
  return Taken::yes;
}

std::optional<SessionMeta::Found> SessionMeta::find(std::uint16_t realm,
                                                    std::uint64_t session_id) const {
  const auto id = ring::connection_of_session(session_id, segment_.header().session_key);
  if (id.generation == 0 || id.worker >= segment_.workers() || !present(id.worker)) {
    return std::nullopt;
  }
  const ring::SessionEntry entry = segment_.sessions(id.worker).read(id.slot);
  if (entry.generation != id.generation || entry.realm != realm) return std::nullopt;
  return Found{id, entry};
}

Taken SessionMeta::get(const MetaCall& call) {
  const auto wanted = call.arguments.id(0);
  if (!wanted) return procedures_.invalid(call.caller, "expected the id of a session");
  const auto found = find(call.caller.realm, *wanted);
  std::optional<ring::SessionTexts> texts;
  if (found && found->entry.identified) {
    texts = segment_.sessions(found->id.worker).texts(found->id.slot, found->entry);
  }
  if (!found || (found->entry.identified && !texts)) {
    procedures_.error(call.caller, wire::uri::kNoSuchSession, "there is no session with this id");
    return Taken::yes;
  }
  std::string args;
  wire::Writer writer(args, call.arguments.serializer());
  writer.open_list(1);
  if (texts) {
    const Identity identity{.authid = std::move(texts->authid),
                            .authrole = std::move(texts->authrole),
                            .authmethod = std::move(texts->authmethod),
                            .authprovider = std::move(texts->authprovider)};
    write_session_details(writer, *wanted, IdentityView(&identity, *wanted, {}));
  } else {
    const IdentityView anonymous(nullptr, *wanted,
                                 realms_[call.caller.realm].anonymous_role_name());
    write_session_details(writer, *wanted, anonymous);
  }
  writer.close_list();
  procedures_.result(call.caller, args);
  return Taken::yes;
}

Taken SessionMeta::kill_one(const MetaCall& call) {
  const auto wanted = call.arguments.id(0);
  if (!wanted) return procedures_.invalid(call.caller, "expected the id of a session");
  const auto found = find(call.caller.realm, *wanted);
  if (!found || found->id == call.caller.who) {
    procedures_.error(call.caller, wire::uri::kNoSuchSession,
                      "there is no other session with this id");
    return Taken::yes;
  }
  return ask_to_kill(call, std::uint64_t{1} << found->id.worker, Victims::one, found->id, {},
                     [this, caller = call.caller](const std::vector<QueryReply>& replies) {
                       answer_killed(caller, Victims::one, replies);
                     });
}

Taken SessionMeta::kill_many(const MetaCall& call, Victims victims) {
  std::optional<std::string> criterion("");
  if (victims != Victims::all) criterion = call.arguments.text(0);
  if (!criterion) {
    return procedures_.invalid(call.caller, victims == Victims::by_authid
                                                ? "expected an authid"
                                                : "expected the name of a role");
  }
  return ask_to_kill(call, queries_.everybody(), victims, call.caller.who, *criterion,
                     [this, caller = call.caller, victims](const std::vector<QueryReply>& replies) {
                       answer_killed(caller, victims, replies);
                     });
}

Taken SessionMeta::ask_to_kill(const MetaCall& call, std::uint64_t workers, Victims victims,
                               ring::ConnectionId session, std::string_view criterion,
                               Queries::Done done) {
  std::optional<std::string> reason;
  std::optional<std::string> message;
  if (!call.arguments.optional_text("reason", reason) ||
      (reason && !wire::uri_valid(*reason, wire::UriRule::loose))) {
    procedures_.error(call.caller, wire::uri::kInvalidUri, "the reason is not a valid URI");
    return Taken::yes;
  }
  if (!call.arguments.optional_text("message", message)) {
    return procedures_.invalid(call.caller, "the message must be text");
  }
  const MetaQuestion question{.what = static_cast<std::uint8_t>(victims),
                              .session = session.packed(),
                              .text = criterion,
                              .reason = reason ? std::string_view(*reason) : wire::uri::kKilled,
                              .message = message ? std::string_view(*message) : ""};
  const bool asked = queries_.ask(workers, QueryKind::kill_sessions, call.caller.realm,
                                  write_meta_question(question), std::move(done));
  return asked ? Taken::yes : Taken::blocked;
}

// Each worker has told the ids of those it has killed; or for kill_all and by_authrole, how many.
void SessionMeta::answer_killed(const MetaCaller& caller, Victims victims,
                                const std::vector<QueryReply>& replies) {
  const Connection* connection = transport_.connections().find(caller.who);
  if (connection == nullptr) return;
  std::vector<std::uint64_t> ids;
  std::uint64_t count = 0;
  for (const QueryReply& reply : replies) {
    for (std::size_t at = 0; at + sizeof count <= reply.bytes.size(); at += sizeof count) {
      std::uint64_t value = 0;
      std::memcpy(&value, reply.bytes.data() + at, sizeof value);
      count += value;
      ids.push_back(value);
    }
  }
  if (victims == Victims::one) {
    if (!ids.empty()) return procedures_.result(caller, {});
    return procedures_.error(caller, wire::uri::kNoSuchSession, "the session has just ended");
  }
  std::string args;
  wire::Writer writer(args, connection->serializer);
  writer.open_list(1);
  victims == Victims::by_authid ? write_ids(writer, ids) : writer.integer(count);
  writer.close_list();
  procedures_.result(caller, args);
}

bool SessionMeta::is_victim(const Connection& connection, const MetaQuestion& question) const {
  const auto victims = static_cast<Victims>(question.what);
  const bool named = connection.id == ring::ConnectionId::from_packed(question.session);
  if (victims == Victims::one || named) return victims == Victims::one && named;
  if (victims == Victims::all) return true;
  const IdentityView identity = identity_of(connection);
  return question.text == (victims == Victims::by_authid ? identity.authid() : identity.authrole());
}

bool SessionMeta::serve(std::uint16_t realm, std::string_view request, std::string& reply) {
  const auto question = parse_meta_question(request);
  if (!question || question->what > static_cast<std::uint8_t>(Victims::all)) return true;
  const auto victims = static_cast<Victims>(question->what);
  std::vector<std::uint64_t> killed;
  const auto kill = [&](Connection& connection) {
    const bool there = connection.session &&
                       connection.session->state == Session::State::established &&
                       connection.session->realm == realm;
    if (!there || !is_victim(connection, *question)) return;
    killed.push_back(session_id(connection.id));
    keeper_.kill_session(connection, question->reason, question->message, victims == Victims::all);
  };
  ConnectionTable& connections = transport_.connections();
  if (victims == Victims::one) {
    Connection* connection = connections.find(ring::ConnectionId::from_packed(question->session));
    if (connection != nullptr) kill(*connection);
  } else {
    transport_.count_work(connections.in_use());
    connections.for_each(kill);
  }
  if (victims == Victims::by_authrole || victims == Victims::all) {
    const std::uint64_t count = killed.size();
    reply.append(reinterpret_cast<const char*>(&count), sizeof count);
  } else {
    reply.append(reinterpret_cast<const char*>(killed.data()), killed.size() * sizeof killed[0]);
  }
  return true;
}

}  // namespace ringcast::worker
