// Reads the options and details of wire/options.h: one read() for each of them, called with every
// key of the dict. A key that comes twice counts as it comes last; unknown ones are ignored.
// Internal to wire/.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>

#include "wire/field_reader.h"
#include "wire/options.h"

namespace ringcast::wire {

template <class Scanner>
class OptionReader {
 public:
  explicit OptionReader(FieldReader<Scanner>& fields) : fields_(fields) {}

  // Each reads the value that belongs to `key`; false if it is of the wrong type.
  bool read(Bytes key, PublishOptions& out) {
    if (key == "acknowledge") return fields_.option_bool(key, false, out.acknowledge);
    if (key == "exclude_me") return fields_.option_bool(key, true, out.exclude_me);
    if (key == "disclose_me") return fields_.option_bool(key, false, out.disclose_me);
    if (key == "retain") return fields_.option_bool(key, false, out.retain);
    for (const ReceiverList& list : kReceiverLists) {
      if (key == list.key) return receivers(list, out.receivers);
    }
    return passthru(key, out.passthru);
  }
  bool read(Bytes key, SubscribeOptions& out) {
    if (key == "match") return match(key, out.match);
    if (key == "get_retained") return fields_.option_bool(key, false, out.get_retained);
    return fields_.skip_value();
  }
  bool read(Bytes key, EventDetails& out) {
    if (key == "topic") return fields_.option_text(key, out.topic);
    if (key == "publisher") return fields_.option_id(key, out.publisher);
    if (key == "publisher_authid") return fields_.option_text(key, out.publisher_authid);
    if (key == "publisher_authrole") return fields_.option_text(key, out.publisher_authrole);
    if (key == "retained") return fields_.option_bool(key, false, out.retained);
    return passthru(key, out.passthru);
  }
  bool read(Bytes key, CallOptions& out) {
    if (key == "timeout") return fields_.option_integer(key, out.timeout_ms);
    if (key == "receive_progress") return fields_.option_bool(key, false, out.receive_progress);
    if (key == "progress") return fields_.option_bool(key, false, out.progress);
    if (key == "disclose_me") return fields_.option_bool(key, false, out.disclose_me);
    return passthru(key, out.passthru);
  }
  bool read(Bytes key, CancelOptions& out) {
    if (key == "mode") return mode(key, CancelOptions{}.mode, out.mode);
    return fields_.skip_value();
  }
  bool read(Bytes key, ResultDetails& out) { return progress(key, out); }
  bool read(Bytes key, RegisterOptions& out) {
    if (key == "match") return match(key, out.match);
    if (key == "invoke")
      return fields_.option_choice(key, kInvokePolicyNames, InvokePolicy::single, out.invoke);
    if (key == "concurrency") return fields_.option_integer(key, out.concurrency);
    if (key == "disclose_caller") return fields_.option_bool(key, false, out.disclose_caller);
    if (key == "forward_timeout") return fields_.option_bool(key, false, out.forward_timeout);
    return fields_.skip_value();
  }
  bool read(Bytes key, InvocationDetails& out) {
    if (key == "procedure") return fields_.option_text(key, out.procedure);
    if (key == "caller") return fields_.option_id(key, out.caller);
    if (key == "caller_authid") return fields_.option_text(key, out.caller_authid);
    if (key == "caller_authrole") return fields_.option_text(key, out.caller_authrole);
    if (key == "timeout") return fields_.option_integer(key, out.timeout_ms);
    if (key == "receive_progress") return fields_.option_bool(key, false, out.receive_progress);
    return progress(key, out);
  }
  bool read(Bytes key, InterruptOptions& out) {
    if (key == "mode") return mode(key, InterruptOptions{}.mode, out.mode);
    if (key == "reason") return fields_.option_text(key, out.reason);
    return fields_.skip_value();
  }
  bool read(Bytes key, YieldOptions& out) { return progress(key, out); }
  bool read(Bytes key, ErrorDetails& out) { return passthru(key, out.passthru); }
  bool read(Bytes key, HelloDetails& out) {
    if (key == "roles") return roles(out);
    if (key == "authid") return fields_.option_text(key, out.authid);
    if (key == "authrole") return fields_.option_text(key, out.authrole);
    if (key == "authmethods") return fields_.option_text_list(key, out.authmethods);
    if (key == "authextra") return fields_.option_dict(key, out.authextra);
    return fields_.skip_value();
  }

  // What can only be told when the dict has been read. The passthru mode is in use if it has a
  // scheme, whatever else is given.
  template <class Options>
  static void settle(Options& out) {
    if constexpr (requires { out.passthru; }) {
      if (out.passthru && out.passthru->scheme.empty()) out.passthru.reset();
    }
    if constexpr (requires { out.receivers; }) {
      if (out.receivers && !out.receivers->any()) out.receivers.reset();
    }
  }

 private:
  struct ReceiverList {
    Bytes key;
    Bytes ReceiverFilter::*member;
    bool of_ids;
  };
  static constexpr ReceiverList kReceiverLists[] = {
      {"exclude", &ReceiverFilter::exclude, true},
      {"exclude_authid", &ReceiverFilter::exclude_authid, false},
      {"exclude_authrole", &ReceiverFilter::exclude_authrole, false},
      {"eligible", &ReceiverFilter::eligible, true},
      {"eligible_authid", &ReceiverFilter::eligible_authid, false},
      {"eligible_authrole", &ReceiverFilter::eligible_authrole, false},
  };

  template <class T>
  static T& present(std::optional<T>& out) {
    return out ? *out : out.emplace();
  }

  bool receivers(const ReceiverList& list, std::optional<ReceiverFilter>& out) {
    Bytes& raw = present(out).*list.member;
    return list.of_ids ? fields_.option_id_list(list.key, raw)
                       : fields_.option_text_list(list.key, raw);
  }
  bool passthru(Bytes key, std::optional<Passthru>& out) {
    if (key == "ppt_scheme") return fields_.option_text(key, present(out).scheme);
    if (key == "ppt_serializer") return fields_.option_text(key, present(out).serializer);
    if (key == "ppt_cipher") return fields_.option_text(key, present(out).cipher);
    if (key == "ppt_keyid") return fields_.option_text(key, present(out).keyid);
    return fields_.skip_value();
  }
  template <class Options>
  bool progress(Bytes key, Options& out) {
    if (key == "progress") return fields_.option_bool(key, false, out.progress);
    return passthru(key, out.passthru);
  }
  bool match(Bytes key, MatchPolicy& out) {
    return fields_.option_choice(key, kMatchPolicyNames, MatchPolicy::exact, out);
  }
  bool mode(Bytes key, CancelMode default_value, CancelMode& out) {
    return fields_.option_choice(key, kCancelModeNames, default_value, out);
  }

  bool roles(HelloDetails& out) {
    out.publisher = out.subscriber = out.caller = out.callee = {};
    bool present = false;
    return fields_.option_dict("roles", present, [&](Bytes name) {
      if (name == "publisher") return role(name, out.publisher);
      if (name == "subscriber") return role(name, out.subscriber);
      if (name == "caller") return role(name, out.caller);
      if (name == "callee") return role(name, out.callee);
      return fields_.skip_value();
    });
  }
  bool role(Bytes name, ClientRole& out) {
    out = {};
    return fields_.option_dict(name, out.announced, [&](Bytes key) {
      if (key != "features") return fields_.skip_value();
      out.features = {};
      bool present = false;
      return fields_.option_dict(
          key, present, [&](Bytes feature_name) { return feature(feature_name, out.features); });
    });
  }
  bool feature(Bytes name, Features& out) {
    for (std::size_t i = 0; i < std::size(kFeatureNames); ++i) {
      if (name != kFeatureNames[i]) continue;
      bool announced = false;
      if (!fields_.option_bool(name, false, announced)) return false;
      out.set(static_cast<Feature>(i), announced);
      return true;
    }
    return fields_.skip_value();
  }
  static_assert(std::size(kFeatureNames) == static_cast<std::size_t>(Feature::count_));

  FieldReader<Scanner>& fields_;
};

}  // namespace ringcast::wire
