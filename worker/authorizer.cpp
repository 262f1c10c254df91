#include "worker/authorizer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ring/session_id.h"
#include "wire/members.h"
#include "wire/uri.h"
#include "wire/writer.h"

namespace ringcast::worker {
namespace {

std::string_view name_of(auth::Action kind) {
  switch (kind) {
    case auth::Action::publish:
      return "publish";
    case auth::Action::subscribe:
      return "subscribe";
    case auth::Action::call:
      return "call";
    case auth::Action::register_:
      return "register";
  }
  return {};
}

template <typename Number>
void append_bytes(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// What a shared call is found by. The size keeps URI and principal apart, whatever they contain.
std::string key_of(const auth::DecisionCache::Question& question) {
  std::string key;
  key += static_cast<char>(question.action);
  key += static_cast<char>(question.uri.match);
  append_bytes(key, question.uri.uri.size());
  return key.append(question.uri.uri).append(question.principal);
}

constexpr Permission kFailed{.verdict = Verdict::failed,
                             .why = "the authorizer of this session's role gave no decision"};

}  // namespace

Authorizer::Authorizer(const Realms& realms, const ring::SessionKey& session_key,
                       ring::Counters& counters, AuthorizerUser& user)
    : realms_(realms),
      session_key_(session_key),
      counters_(counters),
      user_(user),
      cache_(auth::DecisionCache::Options{}) {}

Permission Authorizer::permission(const auth::Grant& grant, const Intent& intent) {
  if (!grant.allowed) {
    return {.verdict = Verdict::denied, .why = "this session's role may not do that"};
  }
  if (grant.disclose == auth::Disclosure::never && intent.asks_disclosure) {
    return {.verdict = Verdict::concealed,
            .why = "who does this is not disclosed; leave disclose_me out"};
  }
  return {.verdict = Verdict::allowed, .disclose = grant.disclose};
}

Permission Authorizer::check(const Connection& connection, const Intent& intent) {
  const Role& role = realms_.role_of(*connection.session);
  if (role.unrestricted) {
    return permission({.allowed = true}, intent);
  }
  if (role.authorizer) return ask(connection, *role.authorizer, intent);
  return permission(role.rules.check_pattern(intent.kind, {intent.uri, intent.match}), intent);
}

Permission Authorizer::ask(const Connection& connection, const DynamicAuthorizer& authorizer,
                           const Intent& intent) {
  Waiter* waiter = find_waiter(connection.id);
  const bool same =
      waiter != nullptr && waiter->request == intent.request && waiter->kind == intent.kind;
  if (same && waiter->state == Waiter::State::waiting) return {.verdict = Verdict::waiting};
  if (same && waiter->state == Waiter::State::decided) {
    return waiter->failed ? kFailed : permission(waiter->grant, intent);
  }
  if (intent.kind == auth::Action::register_ && is_authorizer(connection, intent)) {
    return {.verdict = Verdict::denied,
            .why = "an authorizer's own role may not have a dynamic authorizer"};
  }
  if (same || authorizer.cache_ms == 0) {
    return wait(connection, intent, begin(connection, authorizer, intent, {}));
  }
  const auth::DecisionCache::Question question{.principal = principal_of(connection, authorizer),
                                               .action = intent.kind,
                                               .uri = {intent.uri, intent.match}};
  if (const auto known = cache_.find(question, now_)) return permission(*known, intent);
  std::string key = key_of(question);
  if (const auto found = shared_.find(key); found != shared_.end()) {
    askings_.at(found->second).waiters.push_back(connection.id);
    return wait(connection, intent, found->second);
  }
  return wait(connection, intent, begin(connection, authorizer, intent, std::move(key)));
}

// Whether a REGISTER is for a procedure that the realm's sessions are authorised by.
bool Authorizer::is_authorizer(const Connection& connection, const Intent& intent) const {
  for (const Role& role : realms_[connection.session->realm].roles) {
    if (role.authorizer &&
        auth::pattern_matches({intent.uri, intent.match}, role.authorizer->procedure)) {
      return true;
    }
  }
  return false;
}

Authorizer::Waiter* Authorizer::find_waiter(ring::ConnectionId session) {
  const auto found = waiters_.find(session.slot);
  return found == waiters_.end() || found->second.session != session ? nullptr : &found->second;
}

// Until this asking ends; 0: it could not be begun.
Permission Authorizer::wait(const Connection& connection, const Intent& intent,
                            std::uint64_t asking) {
  if (asking == 0) return {.verdict = Verdict::blocked};
  waiters_[connection.id.slot] = {.session = connection.id,
                                  .request = intent.request,
                                  .kind = intent.kind,
                                  .state = Waiter::State::waiting,
                                  .asking = asking,
                                  .grant = {}};
  return {.verdict = Verdict::waiting};
}

std::uint64_t Authorizer::begin(const Connection& connection, const DynamicAuthorizer& authorizer,
                                const Intent& intent, std::string shared_as) {
  const std::uint64_t asking = last_asking_ + 1;
  const std::uint16_t realm = connection.session->realm;
  const std::string args = arguments(connection, intent);
  const bool begun =
      user_.call_procedure({.realm = realm,
                            .procedure = authorizer.procedure,
                            .timeout_ms = authorizer.timeout_ms,
                            .serializer = connection.serializer,
                            .payload = {.args = args, .kwargs = {}}},
                           [this, asking](const RouterCalls::End& end) { decided(asking, end); });
  if (!begun) return 0;
  last_asking_ = asking;
  counters_.add(ring::Counter::authorizer_calls);
  if (!shared_as.empty()) shared_.emplace(shared_as, asking);
  askings_.emplace(asking, Asking{.authorizer = &authorizer,
                                  .realm = realm,
                                  .shared_as = std::move(shared_as),
                                  .principal = std::string(principal_of(connection, authorizer)),
                                  .kind = intent.kind,
                                  .match = intent.match,
                                  .uri = std::string(intent.uri),
                                  .waiters = {connection.id}});
  return asking;
}

// [session details, URI, action, options]: the shape that Crossbar's authorizers have.
std::string Authorizer::arguments(const Connection& connection, const Intent& intent) const {
  const Session& session = *connection.session;
  const std::uint64_t id = ring::session_id_of(connection.id, session_key_);
  const Realm& realm = realms_[session.realm];
  const IdentityView identity(session.identity.get(), id, realm.anonymous_role_name());
  std::string args;
  wire::Writer writer(args, connection.serializer);
  writer.open_list(4);
  wire::DictWriter details(writer);
  details.integer("session", id);
  details.text("realm", realms_.name(session.realm));
  details.text("authid", identity.authid());
  details.text("authrole", identity.authrole());
  details.text("authmethod", identity.authmethod());
  details.text("authprovider", identity.authprovider());
  details.close();
  writer.text(intent.uri);
  writer.text(name_of(intent.kind));
  if (intent.options.empty()) {
    writer.open_dict(0);
    writer.close_dict();
  } else {
    writer.serialized(intent.options);
  }
  writer.close_list();
  return args;
}

// Whoever has the same may share an answer. Valid until the next call. An anonymous session's
// authid is its own anyway, and must not be taken for that of a principal who is called so.
std::string_view Authorizer::principal_of(const Connection& connection,
                                          const DynamicAuthorizer& authorizer) {
  const Session& session = *connection.session;
  const Identity* identity = session.identity.get();
  principal_.clear();
  append_bytes(principal_, session.realm);
  append_bytes(principal_,
               identity != nullptr ? identity->role : realms_[session.realm].anonymous_role);
  switch (authorizer.scope) {
    case DynamicAuthorizer::Scope::role:
      return principal_;
    case DynamicAuthorizer::Scope::authid:
      if (identity != nullptr) return principal_.append("a").append(identity->authid);
      [[fallthrough]];
    case DynamicAuthorizer::Scope::session:
      principal_ += 's';
      append_bytes(principal_, connection.id.packed());
      return principal_;
  }
  return principal_;
}

void Authorizer::decided(std::uint64_t id, const RouterCalls::End& end) {
  const auto found = askings_.find(id);
  const Asking asking = std::move(found->second);
  askings_.erase(found);
  if (!asking.shared_as.empty()) shared_.erase(asking.shared_as);

  const Answer answer = read(end);
  if (!answer.valid) report(asking, end);
  const bool kept = answer.may_be_kept && asking.authorizer->cache_ms != 0;
  if (kept) {
    cache_.store(
        {.principal = asking.principal, .action = asking.kind, .uri = {asking.uri, asking.match}},
        answer.grant, now_ + asking.authorizer->cache_ms);
  }
  bool for_all = kept || !answer.valid;
  bool first = true;
  for (const ring::ConnectionId who : asking.waiters) {
    const bool served = for_all || std::exchange(first, false);
    Waiter* waiter = find_waiter(who);
    if (waiter == nullptr || waiter->state != Waiter::State::waiting || waiter->asking != id) {
      continue;
    }
    waiter->state = served ? Waiter::State::decided : Waiter::State::alone;
    waiter->grant = answer.grant;
    waiter->failed = !answer.valid;
    user_.on_decided(who);
  }
}

// true, false, or {allow, disclose, cache}, of which the last two may be left out.
Authorizer::Answer Authorizer::read(const RouterCalls::End& end) {
  constexpr Answer kNone;
  if (!end.succeeded()) return kNone;
  const wire::Bytes value = wire::first_element(end.serializer, end.payload.args);
  if (const auto allow = wire::as_boolean(end.serializer, value)) {
    return {.valid = true, .grant = {.allowed = *allow}};
  }
  if (!wire::is_dict(end.serializer, value)) return kNone;
  // Nothing, if there is no such member; a member that is no boolean spoils the answer.
  bool valid = true;
  const auto member = [&](wire::Bytes name) -> std::optional<bool> {
    const wire::Bytes raw = wire::raw_member(end.serializer, value, name);
    if (raw.empty()) return std::nullopt;
    const auto boolean = wire::as_boolean(end.serializer, raw);
    valid = valid && boolean.has_value();
    return boolean;
  };
  const auto allow = member("allow");
  const auto disclose = member("disclose");
  const auto cache = member("cache");
  if (!valid || !allow) return kNone;
  return {.valid = true,
          .grant = {.allowed = *allow,
                    .disclose = !disclose   ? auth::Disclosure::asked
                                : *disclose ? auth::Disclosure::always
                                            : auth::Disclosure::never},
          .may_be_kept = cache.value_or(false)};
}

void Authorizer::report(const Asking& asking, const RouterCalls::End& end) {
  const auto left_out = log_.admit(now_);
  if (!left_out) return;
  // What comes from a session goes into the log only if it can't be taken for something else.
  const bool printable =
      std::all_of(end.error.begin(), end.error.end(), [](char c) { return c > ' ' && c <= '~'; });
  std::string line = "the authorizer " + asking.authorizer->procedure + " of realm " +
                     std::string(realms_.name(asking.realm)) + " gave no decision, which is a no: ";
  if (end.succeeded()) {
    line += "its answer is neither a boolean nor {allow, disclose, cache}";
  } else if (!end.message.empty()) {
    line += end.message;
  } else {
    line += printable ? end.error : "an error";
  }
  if (end.error == wire::uri::kNoSuchProcedure) {
    line += "; a session of a role without an authorizer has to";
  }
  if (*left_out != 0) line += " (and " + std::to_string(*left_out) + " more since the last line)";
  user_.warn(std::move(line));
}

void Authorizer::session_ended(const Connection& connection) {
  const auto found = waiters_.find(connection.id.slot);
  if (found == waiters_.end() || found->second.session != connection.id) return;
  const bool waited = found->second.state == Waiter::State::waiting;
  waiters_.erase(found);
  if (waited) user_.on_decided(connection.id);
}

}  // namespace ringcast::worker
