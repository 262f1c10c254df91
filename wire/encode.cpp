// Opening and closing, errors, and the parts of messages that callers build themselves.
#include "wire/encode.h"

#include <iterator>

#include "wire/message_writer.h"

namespace ringcast::wire {
namespace {

void write_member(Writer& writer, const Member& member) {
  writer.key(member.name);
  if (const auto* text = std::get_if<Bytes>(&member.value)) {
    writer.text(*text);
  } else if (const auto* integer = std::get_if<std::uint64_t>(&member.value)) {
    writer.integer(*integer);
  } else {
    writer.null();
  }
}

void write_dict(Writer& writer, const std::vector<Member>& members) {
  writer.open_dict(members.size());
  for (const Member& member : members) write_member(writer, member);
  writer.close_dict();
}

void write_feature(Writer& writer, Bytes name) {
  writer.key(name);
  writer.boolean(true);
}

void write_router_role(Writer& writer, Bytes role, const std::vector<Bytes>& features) {
  writer.key(role);
  writer.open_dict(1);
  writer.key("features");
  writer.open_dict(features.size());
  for (const Bytes feature : features) write_feature(writer, feature);
  writer.close_dict();
  writer.close_dict();
}

static_assert(std::size(kFeatureNames) < 16, "DictWriter takes all features of a role");

void write_client_role(Writer& writer, DictWriter& roles, Bytes name, const ClientRole& role) {
  if (!role.announced) return;
  roles.key(name);
  writer.open_dict(1);
  writer.key("features");
  DictWriter features(writer);
  for (std::size_t i = 0; i < std::size(kFeatureNames); ++i) {
    features.flag(kFeatureNames[i], role.features.has(static_cast<Feature>(i)));
  }
  features.close();
  writer.close_dict();
}

// [<type>, {message?}, reason]
void append_farewell(std::string& out, Serializer serializer, MessageType type, Bytes reason,
                     Bytes message) {
  MessageWriter writer(out, serializer, type, 3);
  DictWriter details(writer);
  details.text_if_any("message", message);
  details.close();
  writer.text(reason);
  writer.close_list();
}

// [<type>, <text>, {...}]
void append_text_and_extra(std::string& out, Serializer serializer, MessageType type, Bytes text,
                           const std::vector<Member>& extra) {
  MessageWriter writer(out, serializer, type, 3);
  writer.text(text);
  write_dict(writer, extra);
  writer.close_list();
}

}  // namespace

void append_dict(std::string& out, Serializer serializer, const std::vector<Member>& members) {
  Writer writer(out, serializer);
  write_dict(writer, members);
}

void append_text_list(std::string& out, Serializer serializer, const std::vector<Bytes>& texts) {
  Writer writer(out, serializer);
  writer.open_list(texts.size());
  for (const Bytes text : texts) writer.text(text);
  writer.close_list();
}

void append_id_list(std::string& out, Serializer serializer,
                    const std::vector<std::uint64_t>& ids) {
  Writer writer(out, serializer);
  writer.open_list(ids.size());
  for (const std::uint64_t id : ids) writer.integer(id);
  writer.close_list();
}

void append_welcome(std::string& out, Serializer serializer, std::uint64_t session,
                    const WelcomeDetails& details) {
  MessageWriter writer(out, serializer, MessageType::welcome, 3);
  writer.integer(session);
  DictWriter dict(writer);
  dict.text("realm", details.realm);
  dict.text("authid", details.authid);
  dict.text("authrole", details.authrole);
  dict.text("authmethod", details.authmethod);
  dict.text("authprovider", details.authprovider);
  dict.key("roles");
  writer.open_dict(2);
  write_router_role(writer, "broker", details.broker_features);
  write_router_role(writer, "dealer", details.dealer_features);
  writer.close_dict();
  dict.text("agent", details.agent);
  if (!details.authextra.empty()) {
    dict.key("authextra");
    write_dict(writer, details.authextra);
  }
  dict.close();
  writer.close_list();
}

void append_challenge(std::string& out, Serializer serializer, Bytes method,
                      const std::vector<Member>& extra) {
  append_text_and_extra(out, serializer, MessageType::challenge, method, extra);
}

void append_hello(std::string& out, Serializer serializer, Bytes realm, Bytes agent) {
  HelloDetails details;
  details.publisher.announced = true;
  details.subscriber.announced = true;
  append_hello(out, serializer, realm, agent, details);
}

void append_hello(std::string& out, Serializer serializer, Bytes realm, Bytes agent,
                  const HelloDetails& details) {
  MessageWriter writer(out, serializer, MessageType::hello, 3);
  writer.text(realm);
  DictWriter dict(writer);
  dict.key("roles");
  DictWriter roles(writer);
  write_client_role(writer, roles, "publisher", details.publisher);
  write_client_role(writer, roles, "subscriber", details.subscriber);
  write_client_role(writer, roles, "caller", details.caller);
  write_client_role(writer, roles, "callee", details.callee);
  roles.close();
  dict.text("agent", agent);
  dict.text_if_any("authid", details.authid);
  dict.text_if_any("authrole", details.authrole);
  dict.serialized_if_any("authmethods", details.authmethods);
  dict.serialized_if_any("authextra", details.authextra);
  dict.close();
  writer.close_list();
}

void append_authenticate(std::string& out, Serializer serializer, Bytes signature,
                         const std::vector<Member>& extra) {
  append_text_and_extra(out, serializer, MessageType::authenticate, signature, extra);
}

void append_abort(std::string& out, Serializer serializer, Bytes reason, Bytes message) {
  append_farewell(out, serializer, MessageType::abort, reason, message);
}

void append_goodbye(std::string& out, Serializer serializer, Bytes reason, Bytes message) {
  append_farewell(out, serializer, MessageType::goodbye, reason, message);
}

void append_error(std::string& out, Serializer serializer, MessageType request_type,
                  std::uint64_t request, Bytes error, Bytes message) {
  MessageWriter writer(out, serializer, MessageType::error, message.empty() ? 5 : 6);
  writer.integer(static_cast<std::uint64_t>(request_type));
  writer.integer(request);
  writer.open_dict(0);
  writer.close_dict();
  writer.text(error);
  if (!message.empty()) {
    writer.open_list(1);
    writer.text(message);
    writer.close_list();
  }
  writer.close_list();
}

void append_error(std::string& out, Serializer serializer, MessageType request_type,
                  std::uint64_t request, const ErrorDetails& details, Bytes error,
                  const Payload& payload) {
  MessageWriter writer(out, serializer, MessageType::error, 5 + payload_elements(payload));
  writer.integer(static_cast<std::uint64_t>(request_type));
  writer.integer(request);
  DictWriter dict(writer);
  write_passthru(dict, details.passthru);
  dict.close();
  writer.text(error);
  writer.payload(payload);
  writer.close_list();
}

}  // namespace ringcast::wire
