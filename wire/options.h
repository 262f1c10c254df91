// The options and details of WAMP messages as values, the same for who reads and who writes them
// (WAMP specification, advanced profile; each struct names its section). What came from the wire is
// held as views, like everything in wire/message.h.
//
// Options that are absent or null have the defaults below. Text is empty where it is absent. A
// value of the wrong type is a violation of the protocol and never gets here; an unknown value of
// the right type does, as `unknown`, since that is answered with an ERROR
// (wamp.error.option_not_allowed) and costs nobody the session.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/bytes.h"

namespace ringcast::wire {

// "Pattern-based Subscription", "Pattern-based Registrations".
enum class MatchPolicy : std::uint8_t { exact, prefix, wildcard, unknown };
// "Shared Registration".
enum class InvokePolicy : std::uint8_t { single, roundrobin, random, first, last, unknown };
// "Call Canceling".
enum class CancelMode : std::uint8_t { skip, kill, killnowait, unknown };

// Each enumeration's names on the wire, in its order.
inline constexpr Bytes kMatchPolicyNames[] = {"exact", "prefix", "wildcard"};
inline constexpr Bytes kInvokePolicyNames[] = {"single", "roundrobin", "random", "first", "last"};
inline constexpr Bytes kCancelModeNames[] = {"skip", "kill", "killnowait"};

// "Payload Passthru Mode": what the payload is, for its receiver. It is forwarded as it came.
struct Passthru {
  Bytes scheme = {};  // never empty: the mode is in use exactly if there is one
  Bytes serializer = {};
  Bytes cipher = {};
  Bytes keyid = {};
};

// "Subscriber Black- and Whitelisting". Each list is kept as it was serialized, by the serializer
// of its message, for ListReader (wire/list_reader.h). Empty bytes: there is no such list. A list
// without elements is one all the same: if it says who is eligible, nobody is.
struct ReceiverFilter {
  Bytes exclude = {};  // session ids
  Bytes exclude_authid = {};
  Bytes exclude_authrole = {};
  Bytes eligible = {};  // session ids
  Bytes eligible_authid = {};
  Bytes eligible_authrole = {};

  bool any() const {
    return names_sessions() || !exclude_authid.empty() || !exclude_authrole.empty() ||
           !eligible_authid.empty() || !eligible_authrole.empty();
  }
  // Such a publication is not kept in the history ("Event History", "Security Aspects").
  bool names_sessions() const { return !exclude.empty() || !eligible.empty(); }
};

struct PublishOptions {
  bool acknowledge = false;
  bool exclude_me = true;                                  // "Publisher Exclusion"
  bool disclose_me = false;                                // "Publisher Identification"
  bool retain = false;                                     // "Event Retention"
  std::optional<ReceiverFilter> receivers = std::nullopt;  // present if any list is
  std::optional<Passthru> passthru = std::nullopt;
};

struct SubscribeOptions {
  MatchPolicy match = MatchPolicy::exact;
  bool get_retained = false;  // "Event Retention"
};

struct EventDetails {
  Bytes topic = {};             // as published, for subscriptions by pattern
  std::uint64_t publisher = 0;  // session id; 0: not disclosed
  Bytes publisher_authid = {};
  Bytes publisher_authrole = {};
  bool retained = false;
  std::optional<Passthru> passthru = std::nullopt;
};

struct CallOptions {
  std::uint64_t timeout_ms = 0;   // "Call Timeouts"; at most 2^53; 0: none
  bool receive_progress = false;  // "Progressive Call Results"
  bool progress = false;          // "Progressive Call Invocations"
  bool disclose_me = false;       // "Caller Identification"
  std::optional<Passthru> passthru = std::nullopt;
};

// The specification names no default. [decision] killnowait: the caller is answered at once, as one
// that gives no mode expects, and a callee that can be interrupted is; it is also what the
// specification assumes for timeouts and for callers that leave.
struct CancelOptions {
  CancelMode mode = CancelMode::killnowait;
};

struct ResultDetails {
  bool progress = false;
  std::optional<Passthru> passthru = std::nullopt;
};

struct RegisterOptions {
  MatchPolicy match = MatchPolicy::exact;
  InvokePolicy invoke = InvokePolicy::single;
  std::uint64_t concurrency = 0;  // invocations at a time, at most 2^53; 0: no limit
  bool disclose_caller = false;   // "Caller Identification"
  bool forward_timeout = false;   // "Call Timeouts"
};

struct InvocationDetails {
  Bytes procedure = {};      // as called, for registrations by pattern
  std::uint64_t caller = 0;  // session id; 0: not disclosed
  Bytes caller_authid = {};
  Bytes caller_authrole = {};
  std::uint64_t timeout_ms = 0;  // at most 2^53; 0: none
  bool receive_progress = false;
  bool progress = false;
  std::optional<Passthru> passthru = std::nullopt;
};

// A router that gives no mode may wait for the callee's answer, so it counts as `kill`; an answer
// that nobody waits for does no harm. Never `skip`, which sends no INTERRUPT.
struct InterruptOptions {
  CancelMode mode = CancelMode::kill;
  Bytes reason = {};  // a URI: one client refuses anything else
};

struct YieldOptions {
  bool progress = false;
  std::optional<Passthru> passthru = std::nullopt;
};

struct ErrorDetails {
  std::optional<Passthru> passthru = std::nullopt;
};

// What a client may announce for a role ("Feature Announcement"); features that only a router has
// are not among them.
enum class Feature : std::uint8_t {
  call_canceling,
  call_reroute,
  call_timeout,
  caller_identification,
  pattern_based_registration,
  pattern_based_subscription,
  payload_passthru_mode,
  progressive_call_invocations,
  progressive_call_results,
  publisher_exclusion,
  publisher_identification,
  registration_revocation,
  shared_registration,
  subscriber_blackwhite_listing,
  subscription_revocation,
  count_,
};
// In the order of Feature.
inline constexpr Bytes kFeatureNames[] = {
    "call_canceling",
    "call_reroute",
    "call_timeout",
    "caller_identification",
    "pattern_based_registration",
    "pattern_based_subscription",
    "payload_passthru_mode",
    "progressive_call_invocations",
    "progressive_call_results",
    "publisher_exclusion",
    "publisher_identification",
    "registration_revocation",
    "shared_registration",
    "subscriber_blackwhite_listing",
    "subscription_revocation",
};

// Two bytes, as every session keeps some.
class Features {
 public:
  constexpr bool has(Feature feature) const { return (bits_ & bit(feature)) != 0; }
  constexpr void set(Feature feature, bool present = true) {
    bits_ = static_cast<std::uint16_t>(present ? bits_ | bit(feature) : bits_ & ~bit(feature));
  }
  friend constexpr bool operator==(Features, Features) = default;

 private:
  static_assert(static_cast<unsigned>(Feature::count_) <= 16);
  static constexpr unsigned bit(Feature feature) { return 1u << static_cast<unsigned>(feature); }

  std::uint16_t bits_ = 0;
};

struct ClientRole {
  bool announced = false;
  Features features = {};
};

struct HelloDetails {
  ClientRole publisher = {};
  ClientRole subscriber = {};
  ClientRole caller = {};
  ClientRole callee = {};
  Bytes authid = {};
  Bytes authrole = {};
  // The serialized list of strings and the serialized dict, empty: absent. ListReader and
  // wire/members.h read them.
  Bytes authmethods = {};
  Bytes authextra = {};
};

}  // namespace ringcast::wire
