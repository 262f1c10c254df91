// What the answers and events about registrations and subscriptions have in common: how details,
// ids and lists of them are written, and how a match policy is asked for. Stateless; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/arguments.h"
#include "wire/members.h"
#include "wire/uri.h"
#include "wire/writer.h"
#include "worker/home.h"
#include "worker/meta_call.h"
#include "worker/meta_procedures.h"
#include "worker/registrations.h"

namespace ringcast::worker {

inline constexpr std::size_t kMatchPolicies = std::size(wire::kMatchPolicyNames);
inline constexpr std::string_view kSubscriptionExpected = "expected the id of a subscription";
inline constexpr std::string_view kScopeExpected = "scope is detached or destroyed";
inline constexpr std::string_view kMatchOptionExpected =
    "expected options with a match of exact, prefix or wildcard";

// "2026-11-21T20:02:45Z" (ISO 8601), from seconds since 1970.
inline std::string iso_8601(std::uint32_t unix_s) {
  const std::time_t seconds = unix_s;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// The member "match" of the dict at this place; exact if either is absent. Nothing if it is wrong.
inline std::optional<wire::MatchPolicy> match_option(const MetaArguments& arguments,
                                                     std::size_t at) {
  const wire::Bytes options = arguments.raw(at);
  if (options.empty()) return wire::MatchPolicy::exact;
  const wire::Serializer serializer = arguments.serializer();
  if (wire::value_kind(serializer, options) != wire::ValueKind::dict) return std::nullopt;
  const wire::Bytes match = wire::raw_member(serializer, options, "match");
  if (match.empty()) return wire::MatchPolicy::exact;
  const auto name = wire::text_value(serializer, match);
  if (!name) return std::nullopt;
  const auto* const found =
      std::find(std::begin(wire::kMatchPolicyNames), std::end(wire::kMatchPolicyNames), *name);
  if (found == std::end(wire::kMatchPolicyNames)) return std::nullopt;
  return static_cast<wire::MatchPolicy>(found - std::begin(wire::kMatchPolicyNames));
}

// What crossbar calls the third argument of a revocation, or a keyword: a URI, since one client
// refuses anything else. Empty if there is none, nothing if it is wrong.
inline std::optional<std::string> revocation_reason(const MetaArguments& arguments) {
  const wire::Bytes third = arguments.raw(2);
  const wire::Bytes value = third.empty() ? arguments.raw("reason") : third;
  if (value.empty()) return std::string();
  auto reason = wire::text_value(arguments.serializer(), value);
  if (reason && !wire::uri_valid(*reason, wire::UriRule::loose)) reason.reset();
  return reason;
}

inline void write_ids(wire::Writer& writer, const std::vector<std::uint64_t>& ids) {
  writer.open_list(ids.size());
  for (const std::uint64_t id : ids) writer.integer(id);
  writer.close_list();
}

// What on_join and get tell of a session. `Who`: an IdentityView, or what has the same texts.
template <typename Who>
void write_session_details(wire::Writer& writer, std::uint64_t session, const Who& who) {
  wire::DictWriter details(writer);
  details.integer("session", session);
  details.text("authid", who.authid());
  details.text("authrole", who.authrole());
  details.text("authmethod", who.authmethod());
  details.text("authprovider", who.authprovider());
  details.close();
}

// RegistrationDetails of the specification.
inline void write_details(wire::Writer& writer, const Registration& registration) {
  wire::DictWriter details(writer);
  details.integer("id", registration.id);
  details.text("created", iso_8601(registration.created_s));
  details.text("uri", registration.uri);
  details.text("match", wire::kMatchPolicyNames[static_cast<std::size_t>(registration.match)]);
  details.text("invoke", wire::kInvokePolicyNames[static_cast<std::size_t>(registration.invoke)]);
  details.close();
}

// SubscriptionDetails of the specification.
inline void write_details(wire::Writer& writer, const HomeTopic& topic) {
  wire::DictWriter details(writer);
  details.integer("id", topic.subscription);
  details.text("created", iso_8601(topic.created_s));
  details.text("uri", topic.uri());
  details.text("match", wire::kMatchPolicyNames[static_cast<std::size_t>(topic.match)]);
  details.close();
}

// {"exact": [...], "prefix": [...], "wildcard": [...]} as the only argument, ids in ascending
// order.
inline void write_id_lists(std::string& args,
                           std::array<std::vector<std::uint64_t>, kMatchPolicies>& ids) {
  wire::Writer writer(args, wire::Serializer::msgpack);
  writer.open_list(1);
  writer.open_dict(kMatchPolicies);
  for (std::size_t policy = 0; policy < kMatchPolicies; ++policy) {
    std::sort(ids[policy].begin(), ids[policy].end());
    writer.key(wire::kMatchPolicyNames[policy]);
    write_ids(writer, ids[policy]);
  }
  writer.close_dict();
  writer.close_list();
}

// The id of what was found, or null, as a result.
template <typename Found>
void write_nullable_id(std::string& reply, const Found* found) {
  std::string args;
  wire::Writer writer(args, wire::Serializer::msgpack);
  writer.open_list(1);
  found == nullptr ? writer.null() : writer.integer(found->id);
  writer.close_list();
  MetaProcedures::write_result(reply, args);
}

}  // namespace ringcast::worker
