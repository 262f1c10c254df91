#include "worker/login.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "ring/session_id.h"
#include "wire/string_list.h"
#include "wire/uri.h"
#include "worker/error_uris.h"
#include "worker/random_seed.h"

namespace ringcast::worker {
namespace {

constexpr std::string_view kDenied = "authentication failed";
constexpr std::size_t kLoggedTextMax = 64;

std::int64_t unix_ms() {
  using std::chrono::duration_cast;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return duration_cast<std::chrono::milliseconds>(now).count();
}

// The key of the node's decoys: the configured one, or one that is as old as the node.
auth::Bytes32 decoy_key(const WorkerOptions& options, const ring::SessionKey& node) {
  if (options.decoy_key) return *options.decoy_key;
  std::array<char, sizeof node> bytes{};
  std::memcpy(bytes.data(), node.data(), sizeof node);
  return auth::hmac_sha256(auth::view(bytes), "decoys");
}

bool looks_like_token(std::string_view ticket) {
  return ticket.starts_with("eyJ") && std::count(ticket.begin(), ticket.end(), '.') == 2;
}

// What a stranger wrote, as part of a log line.
std::string loggable(std::string_view text) {
  std::string safe(text.substr(0, kLoggedTextMax));
  for (char& c : safe) {
    if (c < '!' || c > '~' || c == '"') c = '?';
  }
  return '"' + safe + '"';
}

}  // namespace

Login::Login(ring::Segment& segment, std::uint32_t self, Transport& transport,
             Background& background, Realms& realms, const WorkerOptions& options, LoginUser& user)
    : segment_(segment),
      self_(self),
      transport_(transport),
      background_(background),
      realms_(realms),
      options_(options),
      user_(user),
      decoy_key_(decoy_key(options, segment.header().session_key)) {
  read_keys_at_start();
}

// ---- HELLO ----

void Login::begin(Connection& connection, const wire::Hello& hello) {
  const Realm* serving = realms_.serving(hello.realm);
  if (serving == nullptr) {
    return refuse(connection, wire::uri::kNoSuchRealm, "this broker does not serve that realm");
  }
  const Realm& realm = *serving;
  auto names = wire::decode_string_list(connection.serializer, hello.details.authmethods);
  if (names.empty()) names.emplace_back("anonymous");
  std::optional<auth::Method> method;
  for (const std::string& name : names) {
    const auto known = auth::method_by_name(name);
    if (!known || !realm.offers(*known)) continue;
    method = known;
    break;
  }
  if (!method) {
    return refuse(connection, wire::uri::kNoAuthMethod,
                  "this realm offers none of the authentication methods asked for");
  }
  if (*method == auth::Method::anonymous) {
    return enter(connection, hello.realm, nullptr, {});
  }
  auto attempt = LoginAttempt::begin(
      {.realm = realm,
       .method = *method,
       .authid = hello.details.authid,
       .serializer = connection.serializer,
       .authextra = hello.details.authextra,
       .session = ring::session_id_of(connection.id, segment_.header().session_key),
       .decoy_key = decoy_key_,
       .unix_ms = unix_ms()});
  if (!attempt) {
    return refuse(connection, wire::uri::kAuthenticationFailed, attempt.failure().cause);
  }
  const auto kept =
      pending_.insert_or_assign(connection.id.slot, Pending{.who = connection.id,
                                                            .realm = std::string(hello.realm),
                                                            .attempt = *std::move(attempt)});
  user_.on_challenged(connection, auth::method_name(*method),
                      kept.first->second.attempt.challenge());
}

// How many sessions there are is counted by worker, so that a worker's end takes its own away. Each
// adds its own before it looks at the others' (both sequentially consistent), so of two that come
// at once one sees the other, and there are never too many.
bool Login::enter(std::uint16_t realm) {
  const std::uint32_t max = realms_[realm].sessions_max;
  if (max == 0) return true;
  segment_.realm_sessions(self_)[realm].fetch_add(1);
  std::uint64_t all = 0;
  for (std::uint32_t w = 0; w < segment_.workers(); ++w) {
    all += segment_.realm_sessions(w)[realm].load();
  }
  if (all <= max) return true;
  session_ended(realm);
  return false;
}

void Login::session_ended(std::uint16_t realm) {
  if (realms_[realm].sessions_max != 0) segment_.realm_sessions(self_)[realm].fetch_sub(1);
}

// A realm on demand comes into being when somebody was let in, not when somebody asks.
void Login::enter(Connection& connection, std::string_view realm,
                  std::unique_ptr<Identity> identity, Extra extra) {
  const auto number = realms_.number(realm);
  if (!number) {
    return refuse(connection, kLimitExceeded, "this broker has as many realms as it can have");
  }
  if (!enter(*number)) {
    return refuse(connection, kLimitExceeded,
                  "this realm has as many sessions as it may have; try again later");
  }
  user_.on_admitted(
      connection,
      {.realm = *number, .identity = std::move(identity), .welcome_extra = std::move(extra)});
}

void Login::refuse(Connection& connection, std::string_view reason, std::string_view message) {
  forget(connection);
  user_.on_refused(connection, reason, message);
}

Login::Pending* Login::find(ring::ConnectionId who) {
  const auto found = pending_.find(who.slot);
  return found != pending_.end() && found->second.who == who ? &found->second : nullptr;
}

// ---- AUTHENTICATE ----

bool Login::authenticate(Connection& connection, const wire::Authenticate& answer) {
  Pending* pending = find(connection.id);
  if (pending == nullptr || pending->answered) return false;
  pending->answered = true;
  pending->answered_ms = now_;
  if (!may_try(connection, *pending)) return true;
  if (pending->attempt.method() == auth::Method::ticket) {
    check_ticket(connection, *pending, answer.signature);
  } else {
    concluded(connection, *pending, pending->attempt.verify(connection.serializer, answer));
  }
  return true;
}

bool Login::may_try(Connection& connection, Pending& pending) {
  if (options_.attempts_burst == 0) return true;
  if (!limiter_) {
    limiter_.emplace(auth::AttemptLimiter::Options{.entries = kLimitedAddressesMax,
                                                   .burst = options_.attempts_burst,
                                                   .interval_ms = options_.attempt_interval_ms},
                     std::array{random_seed(), random_seed()});
  }
  const std::uint64_t wait_ms = limiter_->begin(transport_.address_of(connection), now_);
  if (wait_ms == 0) return true;
  log_refusal(connection, pending, "too many failed attempts from this address");
  refuse(connection, kLimitExceeded,
         "too many failed attempts from this address; try again in " +
             std::to_string((wait_ms + 999) / 1000) + " s");
  return false;
}

void Login::check_ticket(Connection& connection, Pending& pending, std::string_view ticket) {
  if (pending.attempt.realm().jwt && looks_like_token(ticket)) {
    return check_token(connection, pending, ticket);
  }
  const auth::Credential* secret = pending.attempt.ticket_secret();
  if (secret == nullptr) return deny_later(connection, pending, "no token");
  // The background may still be at it when this login is long forgotten: it has copies.
  auto name = std::make_shared<std::uint64_t>(0);
  *name = background_.submit(
      [this, name, who = connection.id, secret = *secret, ticket = std::string(ticket)] {
        const bool matches{auth::verify_password(secret, ticket)};
        return [this, name, who, matches] { derived(who, *name, matches); };
      });
  pending.background_work = *name;
  if (*name != 0) return;
  log_refusal(connection, pending, "too many logins at a time");
  refuse(connection, kLimitExceeded, "too many logins at a time; try again later");
}

void Login::derived(ring::ConnectionId who, std::uint64_t work, bool matches) {
  Pending* pending = find(who);
  Connection* connection = transport_.connections().find(who);
  if (pending == nullptr || connection == nullptr || pending->background_work != work) return;
  pending->background_work = 0;
  concluded(*connection, *pending,
            matches ? auth::Verdict::accept() : auth::Verdict::refuse("wrong ticket"));
}

void Login::check_token(Connection& connection, Pending& pending, std::string_view token) {
  const Realm& realm = pending.attempt.realm();
  const auto keys = keys_.find(&realm);
  if (keys == keys_.end() || !keys->second) {
    return deny_later(connection, pending, "the keys for tokens could not be read");
  }
  const auto verified =
      auth::verify_jwt(token, keys->second->keys, realm.jwt->rules, unix_ms() / 1000);
  if (!verified) return deny_later(connection, pending, verified.failure().cause);
  const std::uint16_t role = realm.find_role(verified->authrole);
  if (role == Realm::kNoRole) {
    return deny_later(connection, pending, "the token's role is none of the realm");
  }
  const std::string& named = pending.attempt.authid();
  if (!named.empty() && named != verified->authid) {
    return deny_later(connection, pending, "the token is another's than authid says");
  }
  const auto ends_at_s = verified->ends_at_s;
  const ring::ConnectionId who = connection.id;
  admit(connection, pending,
        {.authid = verified->authid,
         .authrole = verified->authrole,
         .authmethod = std::string(auth::method_name(auth::Method::ticket)),
         .authprovider = "jwt",
         .role = role},
        {});
  if (ends_at_s && connection.id == who && connection.session) end_at(connection, *ends_at_s);
}

// ---- What becomes of it ----

void Login::concluded(Connection& connection, Pending& pending, const auth::Verdict& verdict) {
  if (!verdict) return deny_later(connection, pending, verdict.why_not());
  if (!pending.attempt.known()) return deny_later(connection, pending, "no such principal");
  Extra extra = pending.attempt.welcome_extra();
  admit(connection, pending, pending.attempt.take_identity(), std::move(extra));
}

void Login::admit(Connection& connection, Pending& pending, Identity identity, Extra extra) {
  if (limiter_) limiter_->succeeded(transport_.address_of(connection), now_);
  const std::string realm = std::move(pending.realm);
  pending_.erase(connection.id.slot);
  enter(connection, realm, std::make_unique<Identity>(std::move(identity)), std::move(extra));
}

// The delay counts from AUTHENTICATE, so that what was done meanwhile does not show.
void Login::deny_later(Connection& connection, Pending& pending, std::string_view why) {
  log_refusal(connection, pending, why);
  const TimeMs due_ms = std::max(now_, pending.answered_ms + options_.refusal_delay_ms);
  refusals_.insert(std::upper_bound(refusals_.begin(), refusals_.end(), due_ms,
                                    [](TimeMs due, const Refusal& r) { return due < r.due_ms; }),
                   {due_ms, connection.id});
}

// Written by the background thread: nobody knows how long a log takes. Dropped where that is busy.
void Login::log_refusal(const Connection& connection, const Pending& pending,
                        std::string_view why) {
  std::string line = "login refused realm=" + loggable(pending.realm) +
                     " method=" + std::string(auth::method_name(pending.attempt.method())) +
                     " authid=" + loggable(pending.attempt.authid()) +
                     " address=" + auth::address_text(transport_.address_of(connection)) + ": " +
                     std::string(why);
  background_.submit([log = options_.log, line = std::move(line)] {
    log(LogLevel::info, line);
    return Background::Conclusion();
  });
}

void Login::forget(Connection& connection) {
  const std::uint32_t slot = connection.id.slot;
  if (const auto found = pending_.find(slot); found != pending_.end()) {
    if (found->second.background_work != 0) background_.withdraw(found->second.background_work);
    pending_.erase(found);
  }
  if (const auto found = endings_.find(slot); found != endings_.end()) {
    endings_by_time_.erase({found->second.at_ms, slot});
    endings_.erase(found);
  }
}

// ---- Time ----

void Login::end_at(Connection& connection, std::int64_t unix_s) {
  const std::int64_t left_ms =
      std::clamp<std::int64_t>(unix_s - unix_ms() / 1000, 0, 1 << 30) * 1000;
  const TimeMs at_ms = now_ + static_cast<TimeMs>(left_ms);
  endings_[connection.id.slot] = {connection.id, at_ms};
  endings_by_time_.emplace(at_ms, connection.id.slot);
}

TimeMs Login::next_deadline() const {
  TimeMs next = keys_.empty() || looking_ ? UINT64_MAX : next_key_look_ms_;
  if (!refusals_.empty()) next = std::min(next, refusals_.front().due_ms);
  if (!endings_by_time_.empty()) next = std::min(next, endings_by_time_.begin()->first);
  return next;
}

void Login::expire(TimeMs now) {
  now_ = now;
  while (!refusals_.empty() && refusals_.front().due_ms <= now) {
    const ring::ConnectionId who = refusals_.front().who;
    refusals_.pop_front();
    Connection* connection = find(who) != nullptr ? transport_.connections().find(who) : nullptr;
    if (connection != nullptr) refuse(*connection, wire::uri::kAuthenticationDenied, kDenied);
  }
  while (!endings_by_time_.empty() && endings_by_time_.begin()->first <= now) {
    const std::uint32_t slot = endings_by_time_.begin()->second;
    const ring::ConnectionId who = endings_[slot].who;
    endings_by_time_.erase(endings_by_time_.begin());
    endings_.erase(slot);
    Connection* connection = transport_.connections().find(who);
    if (connection != nullptr) user_.on_identity_expired(*connection);
  }
  if (!keys_.empty() && !looking_ && now >= next_key_look_ms_) look_for_changed_keys();
}

// ---- The keys of tokens ----

void Login::read_keys_at_start() {
  for (const auto& realm : options_.all_realms()) {
    if (!realm->jwt) continue;
    auto read = read_jwt_keys(*realm->jwt, nullptr);
    if (!read) options_.log(LogLevel::warn, read.failure().cause + "; no token is accepted");
    keys_[realm.get()] = read ? *read : nullptr;
  }
  next_key_look_ms_ = now_ms() + kKeyLookIntervalMs;
}

void Login::look_for_changed_keys() {
  next_key_look_ms_ = now_ + kKeyLookIntervalMs;
  using Read = std::pair<const Realm*, std::shared_ptr<const JwtKeySet>>;
  const std::uint64_t name =
      background_.submit([this, log = options_.log, realms = options_.all_realms(), known = keys_] {
        std::vector<Read> changed;
        for (const auto& realm : realms) {
          if (!realm->jwt) continue;
          const auto& before = known.at(realm.get());
          auto read = read_jwt_keys(*realm->jwt, before);
          if (!read) {
            log(LogLevel::warn, read.failure().cause + "; the keys known before stay in use");
          } else if (*read != before) {
            log(LogLevel::info, "new keys for tokens realm=" + realm->name);
            changed.emplace_back(realm.get(), *read);
          }
        }
        return [this, changed = std::move(changed)] {
          looking_ = false;
          for (const Read& read : changed) keys_[read.first] = read.second;
        };
      });
  looking_ = name != 0;
}

}  // namespace ringcast::worker
