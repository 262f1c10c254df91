#include "samples.h"

#include <cstring>
#include <stdexcept>

namespace ringcast::wire::test {
namespace {

constexpr auto kId = FieldKind::id;
constexpr auto kText = FieldKind::text;
constexpr auto kDict = FieldKind::dict;
constexpr auto kArgs = FieldKind::args;
constexpr auto kKwargs = FieldKind::kwargs;

Json args() { return Json::array({1, "two", nullptr, Json::array({true, 2.5}), "Grüße 🎈"}); }
Json kwargs() { return {{"a", -3}, {"nested", {{"b", Json::array()}}}}; }

// `known` and an option that nobody knows.
Json with_unknown(Json known) {
  known["x_unknown"] = Json::array({1, {{"k", "v"}}});
  return known;
}
Json with_passthru(Json known) {
  known["ppt_scheme"] = "x_mine";
  known["ppt_serializer"] = "cbor";
  known["ppt_cipher"] = "aes256gcm";
  known["ppt_keyid"] = "key 1";
  return with_unknown(std::move(known));
}

Json publish_options() {
  return with_passthru({{"acknowledge", true},
                        {"exclude_me", false},
                        {"disclose_me", true},
                        {"retain", true},
                        {"exclude", {1, 70000}},
                        {"exclude_authid", {"joe", "jim"}},
                        {"exclude_authrole", Json::array()},
                        {"eligible", Json::array({9007199254740992})},
                        {"eligible_authid", Json::array({"Grüße"})},
                        {"eligible_authrole", Json::array({"user"})}});
}
Json event_details() {
  return with_passthru({{"topic", "com.topic"},
                        {"publisher", 9007199254740991},
                        {"publisher_authid", "joe"},
                        {"publisher_authrole", "user"},
                        {"retained", true}});
}
Json call_options() {
  return with_passthru(
      {{"timeout", 1500}, {"receive_progress", true}, {"progress", true}, {"disclose_me", true}});
}
Json register_options() {
  return with_unknown({{"match", "wildcard"},
                       {"invoke", "roundrobin"},
                       {"concurrency", 5},
                       {"disclose_caller", true},
                       {"forward_timeout", true}});
}
Json invocation_details() {
  return with_passthru({{"procedure", "com.proc"},
                        {"caller", 9007199254740991},
                        {"caller_authid", "joe"},
                        {"caller_authrole", "user"},
                        {"timeout", 1500},
                        {"receive_progress", true},
                        {"progress", true}});
}
Json hello_details() {
  const Json features = {{"call_canceling", true}, {"registration_revocation", false}};
  return with_unknown(
      {{"roles", {{"publisher", Json::object()}, {"callee", {{"features", features}}}}},
       {"authid", "joe"},
       {"authrole", "user"},
       {"authmethods", {"ticket", "anonymous"}},
       {"authextra", {{"pubkey", "00ff"}}}});
}

std::vector<Sample> make_samples() {
  const Json details = with_unknown(Json::object());
  const Field request{"Request", kId};
  const Field arguments{"Arguments", kArgs};
  const Field arguments_kw{"ArgumentsKw", kKwargs};
  const Field options_field{"Options", kDict};
  const Field details_field{"Details", kDict};
  const Json progress = with_passthru({{"progress", true}});
  return {
      {Json::array({1, "realm1", hello_details()}), {{"Realm", kText}, details_field}, 3},
      {Json::array({2, 9007199254740992, details}), {{"Session", kId}, details_field}, 3},
      {Json::array({3, {{"message", "why"}}, "wamp.error.x", args(), kwargs()}),
       {details_field, {"Reason", kText}, arguments, arguments_kw},
       3},
      {Json::array({4, "ticket", details}), {{"AuthMethod", kText}, {"Extra", kDict}}, 3},
      {Json::array({5, "secret", details}), {{"Signature", kText}, {"Extra", kDict}}, 3},
      {Json::array({6, details, "wamp.close.normal"}), {details_field, {"Reason", kText}}, 3},
      {Json::array(
           {8, 32, 713845233, with_passthru(Json::object()), "com.error", args(), kwargs()}),
       {{"REQUEST.Type", FieldKind::id_or_zero},
        {"REQUEST.Request", kId},
        details_field,
        {"Error", kText},
        arguments,
        arguments_kw},
       5},
      {Json::array({16, 1, publish_options(), "com.topic", args(), kwargs()}),
       {request, options_field, {"Topic", kText}, arguments, arguments_kw},
       4},
      {Json::array({17, 70000, 4294967296}), {request, {"Publication", kId}}, 3},
      {Json::array(
           {32, 255, with_unknown({{"match", "prefix"}, {"get_retained", true}}), "com.topic"}),
       {request, options_field, {"Topic", kText}},
       4},
      {Json::array({33, 256, 65535}), {request, {"Subscription", kId}}, 3},
      {Json::array({34, 128, 127}), {request, {"Subscription", kId}}, 3},
      {Json::array({35, 65536}), {request}, 2},
      {Json::array({36, 5512315355, 4429313566, event_details(), args(), kwargs()}),
       {{"Subscription", kId}, {"Publication", kId}, details_field, arguments, arguments_kw},
       4},
      {Json::array({48, 2, call_options(), "com.proc", args(), kwargs()}),
       {request, options_field, {"Procedure", kText}, arguments, arguments_kw},
       4},
      {Json::array({49, 3, with_unknown({{"mode", "kill"}})}), {request, options_field}, 3},
      {Json::array({50, 4, progress, args(), kwargs()}),
       {request, details_field, arguments, arguments_kw},
       3},
      {Json::array({64, 5, register_options(), "com.proc"}),
       {request, options_field, {"Procedure", kText}},
       4},
      {Json::array({65, 6, 7}), {request, {"Registration", kId}}, 3},
      {Json::array({66, 8, 9}), {request, {"Registration", kId}}, 3},
      {Json::array({67, 10}), {request}, 2},
      {Json::array({68, 11, 12, invocation_details(), args(), kwargs()}),
       {request, {"Registration", kId}, details_field, arguments, arguments_kw},
       4},
      {Json::array({69, 13, with_unknown({{"mode", "killnowait"}, {"reason", "com.why"}})}),
       {request, options_field},
       3},
      {Json::array({70, 14, progress, args(), kwargs()}),
       {request, options_field, arguments, arguments_kw},
       3},
  };
}

// Builds the elements of each message from its parts.
class Elements {
 public:
  explicit Elements(Serializer serializer) : serializer_(serializer) {}

  Json operator()(const Hello& m) const {
    Json details = parse(m.raw_details, serializer_);
    // What was decoded of the details must agree with what is kept of them.
    if (details.value("authid", "") != m.details.authid) details = "authid differs";
    return {1, m.realm, details};
  }
  Json operator()(const Welcome& m) const { return {2, m.session, raw(m.raw_details)}; }
  Json operator()(const Abort& m) const {
    Json details = raw(m.raw_details);
    if (details.value("message", "") != m.message) details = "message differs";
    return with({3, details, m.reason}, m.payload);
  }
  Json operator()(const Challenge& m) const { return {4, m.method, raw(m.raw_extra)}; }
  Json operator()(const Authenticate& m) const { return {5, m.signature, raw(m.raw_extra)}; }
  Json operator()(const Goodbye& m) const { return {6, raw(m.raw_details), m.reason}; }
  Json operator()(const Error& m) const {
    return with({8, m.request_type, m.request, raw(m.raw_details), m.error}, m.payload);
  }
  Json operator()(const Publish& m) const {
    return with({16, m.request, raw(m.raw_options), m.topic}, m.payload);
  }
  Json operator()(const Published& m) const { return ids(17, m.request, m.publication); }
  Json operator()(const Subscribe& m) const { return {32, m.request, raw(m.raw_options), m.topic}; }
  Json operator()(const Subscribed& m) const { return ids(33, m.request, m.subscription); }
  Json operator()(const Unsubscribe& m) const { return ids(34, m.request, m.subscription); }
  Json operator()(const Unsubscribed& m) const { return revocable(35, m); }
  Json operator()(const Event& m) const {
    return with({36, m.subscription, m.publication, raw(m.raw_details)}, m.payload);
  }
  Json operator()(const Call& m) const {
    return with({48, m.request, raw(m.raw_options), m.procedure}, m.payload);
  }
  Json operator()(const Cancel& m) const { return {49, m.request, raw(m.raw_options)}; }
  Json operator()(const Result& m) const {
    return with({50, m.request, raw(m.raw_details)}, m.payload);
  }
  Json operator()(const Register& m) const {
    return {64, m.request, raw(m.raw_options), m.procedure};
  }
  Json operator()(const Registered& m) const { return ids(65, m.request, m.registration); }
  Json operator()(const Unregister& m) const { return ids(66, m.request, m.registration); }
  Json operator()(const Unregistered& m) const { return revocable(67, m); }
  Json operator()(const Invocation& m) const {
    return with({68, m.request, m.registration, raw(m.raw_details)}, m.payload);
  }
  Json operator()(const Interrupt& m) const { return {69, m.request, raw(m.raw_options)}; }
  Json operator()(const Yield& m) const {
    return with({70, m.request, raw(m.raw_options)}, m.payload);
  }

 private:
  Json raw(Bytes bytes) const { return parse(bytes, serializer_); }
  static Json ids(int code, std::uint64_t first, std::uint64_t second) {
    return Json::array({code, first, second});
  }
  template <class M>
  Json revocable(int code, const M& m) const {
    Json elements = Json::array({code, m.request});
    if (!m.raw_details.empty()) elements.push_back(raw(m.raw_details));
    return elements;
  }
  Json with(Json elements, const Payload& payload) const {
    if (!payload.args.empty()) elements.push_back(raw(payload.args));
    if (!payload.kwargs.empty()) {
      if (payload.args.empty()) elements.push_back(Json::array());
      elements.push_back(raw(payload.kwargs));
    }
    return elements;
  }

  Serializer serializer_;
};

}  // namespace

const std::vector<Sample>& samples() {
  static const std::vector<Sample> kSamples = make_samples();
  return kSamples;
}

const Sample& sample(MessageType type) {
  for (const Sample& candidate : samples()) {
    if (candidate.elements[0] == static_cast<int>(type)) return candidate;
  }
  throw std::logic_error("no sample of this type");
}

std::string serialize(const Json& value, Serializer serializer) {
  if (serializer == Serializer::json) return value.dump();
  const std::vector<std::uint8_t> bytes = Json::to_msgpack(value);
  return std::string(bytes.begin(), bytes.end());
}

Json parse(Bytes bytes, Serializer serializer) {
  return serializer == Serializer::json ? Json::parse(bytes) : Json::from_msgpack(bytes);
}

Exact::Exact(std::string_view bytes) : data_(new char[bytes.size()]), size_(bytes.size()) {
  if (!bytes.empty()) std::memcpy(data_.get(), bytes.data(), bytes.size());
}

Json elements_of(const Message& message, Serializer serializer) {
  return std::visit(Elements(serializer), message);
}

std::string violation_of(Bytes bytes, Serializer serializer, DecodeLimits limits) {
  const Exact exact(bytes);
  Decoder decoder(serializer, limits);
  const DecodeResult result = decoder.decode(exact);
  const auto* violation = std::get_if<Violation>(&result);
  return violation == nullptr ? "" : violation->message;
}

std::string violation_in(const Json& elements, Serializer serializer, DecodeLimits limits) {
  return violation_of(Bytes(serialize(elements, serializer)), serializer, limits);
}

std::string to_string(Serializer serializer) {
  return serializer == Serializer::json ? "json" : "msgpack";
}

}  // namespace ringcast::wire::test
