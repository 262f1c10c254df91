#include "wire/encode.h"

#include <cstring>

#include "wire/value_writer.h"

namespace ringcast::wire {
namespace {

// Writes a message value by value; the caller states how many elements or entries follow each
// opening, and closes what it opened.
class MessageWriter {
 public:
  MessageWriter(std::string& out, Serializer serializer, MessageType type, std::size_t elements)
      : out_(out), json_(serializer == Serializer::json) {
    open_list(elements);
    integer(static_cast<std::uint64_t>(type));
  }

  void integer(std::uint64_t value) {
    separate();
    json_ ? append_json_integer(out_, value) : append_msgpack_integer(out_, value);
  }
  void text(Bytes value) {
    separate();
    json_ ? append_json_text(out_, value) : append_msgpack_text(out_, value);
  }
  void boolean(bool value) {
    separate();
    if (json_) {
      out_.append(value ? "true" : "false");
    } else {
      out_.push_back(static_cast<char>(value ? 0xC3 : 0xC2));
    }
  }
  void serialized(Bytes value) {
    separate();
    out_.append(value);
  }
  void open_list(std::size_t count) {
    separate();
    json_ ? out_.push_back('[') : append_msgpack_list(out_, count);
    first_ = true;
  }
  void close_list() { close(']'); }
  void open_dict(std::size_t count) {
    separate();
    json_ ? out_.push_back('{') : append_msgpack_map(out_, count);
    first_ = true;
  }
  void close_dict() { close('}'); }
  // The value follows.
  void key(Bytes name) {
    text(name);
    if (json_) out_.push_back(':');
    first_ = true;
  }
  void entry(Bytes name, Bytes value) {
    key(name);
    text(value);
  }
  void payload(const Payload& payload) {
    if (payload.args.empty() && payload.kwargs.empty()) return;
    if (payload.args.empty()) {
      open_list(0);
      close_list();
    } else {
      serialized(payload.args);
    }
    if (!payload.kwargs.empty()) serialized(payload.kwargs);
  }

 private:
  void separate() {
    if (json_ && !first_) out_.push_back(',');
    first_ = false;
  }
  void close(char bracket) {
    if (json_) out_.push_back(bracket);
    first_ = false;
  }

  std::string& out_;
  bool json_;
  bool first_ = true;  // true while no comma is due before the next value
};

std::size_t payload_elements(const Payload& payload) {
  if (!payload.kwargs.empty()) return 2;
  return payload.args.empty() ? 0 : 1;
}

char* write_bytes(char* out, Bytes bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

// [36,<subscription>,<publication>,{}<,args><,kwargs>]
constexpr Bytes kJsonEventHead = "[36,";
constexpr Bytes kJsonEventDetails = ",{}";

std::size_t json_event_size(std::uint64_t subscription, std::uint64_t publication,
                            const Payload& payload) {
  std::size_t size = kJsonEventHead.size() + json_integer_size(subscription) + 1 +
                     json_integer_size(publication) + kJsonEventDetails.size() + 1;
  if (!payload.args.empty()) size += 1 + payload.args.size();
  if (!payload.kwargs.empty()) size += 1 + payload.kwargs.size() + (payload.args.empty() ? 3 : 0);
  return size;
}

char* write_json_event(char* out, std::uint64_t subscription, std::uint64_t publication,
                       const Payload& payload) {
  out = write_bytes(out, kJsonEventHead);
  out = write_json_integer(out, subscription);
  *out++ = ',';
  out = write_json_integer(out, publication);
  out = write_bytes(out, kJsonEventDetails);
  if (!payload.args.empty()) {
    *out++ = ',';
    out = write_bytes(out, payload.args);
  } else if (!payload.kwargs.empty()) {
    out = write_bytes(out, ",[]");
  }
  if (!payload.kwargs.empty()) {
    *out++ = ',';
    out = write_bytes(out, payload.kwargs);
  }
  *out++ = ']';
  return out;
}

std::size_t msgpack_event_size(std::uint64_t subscription, std::uint64_t publication,
                               const Payload& payload) {
  const bool filler = payload.args.empty() && !payload.kwargs.empty();
  return 3 + msgpack_integer_size(subscription) + msgpack_integer_size(publication) +
         payload.args.size() + payload.kwargs.size() + (filler ? 1 : 0);
}

char* write_msgpack_event(char* out, std::uint64_t subscription, std::uint64_t publication,
                          const Payload& payload) {
  *out++ = static_cast<char>(0x94 + payload_elements(payload));
  *out++ = static_cast<char>(MessageType::event);
  out = write_msgpack_integer(out, subscription);
  out = write_msgpack_integer(out, publication);
  *out++ = static_cast<char>(0x80);
  if (payload.args.empty() && !payload.kwargs.empty()) *out++ = static_cast<char>(0x90);
  out = write_bytes(out, payload.args);
  return write_bytes(out, payload.kwargs);
}

void write_roles(MessageWriter& writer, Bytes role, const std::vector<Bytes>& features) {
  writer.key(role);
  writer.open_dict(1);
  writer.key("features");
  writer.open_dict(features.size());
  for (const Bytes feature : features) {
    writer.key(feature);
    writer.boolean(true);
  }
  writer.close_dict();
  writer.close_dict();
}

// [<type>, {message?}, reason]
void append_farewell(std::string& out, Serializer serializer, MessageType type, Bytes reason,
                     Bytes message) {
  MessageWriter writer(out, serializer, type, 3);
  writer.open_dict(message.empty() ? 0 : 1);
  if (!message.empty()) writer.entry("message", message);
  writer.close_dict();
  writer.text(reason);
  writer.close_list();
}

void append_ids(std::string& out, Serializer serializer, MessageType type, std::uint64_t first,
                std::uint64_t second) {
  MessageWriter writer(out, serializer, type, 3);
  writer.integer(first);
  writer.integer(second);
  writer.close_list();
}

}  // namespace

std::size_t event_size(Serializer serializer, std::uint64_t subscription, std::uint64_t publication,
                       const Payload& payload) {
  return serializer == Serializer::json ? json_event_size(subscription, publication, payload)
                                        : msgpack_event_size(subscription, publication, payload);
}

char* write_event(char* out, Serializer serializer, std::uint64_t subscription,
                  std::uint64_t publication, const Payload& payload) {
  return serializer == Serializer::json
             ? write_json_event(out, subscription, publication, payload)
             : write_msgpack_event(out, subscription, publication, payload);
}

void append_welcome(std::string& out, Serializer serializer, std::uint64_t session,
                    const WelcomeDetails& details) {
  MessageWriter writer(out, serializer, MessageType::welcome, 3);
  writer.integer(session);
  writer.open_dict(7);
  writer.entry("realm", details.realm);
  writer.entry("authid", details.authid);
  writer.entry("authrole", details.authrole);
  writer.entry("authmethod", details.authmethod);
  writer.entry("authprovider", details.authprovider);
  writer.key("roles");
  writer.open_dict(2);
  write_roles(writer, "broker", details.broker_features);
  write_roles(writer, "dealer", details.dealer_features);
  writer.close_dict();
  writer.entry("agent", details.agent);
  writer.close_dict();
  writer.close_list();
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

void append_published(std::string& out, Serializer serializer, std::uint64_t request,
                      std::uint64_t publication) {
  append_ids(out, serializer, MessageType::published, request, publication);
}

void append_subscribed(std::string& out, Serializer serializer, std::uint64_t request,
                       std::uint64_t subscription) {
  append_ids(out, serializer, MessageType::subscribed, request, subscription);
}

void append_unsubscribed(std::string& out, Serializer serializer, std::uint64_t request) {
  MessageWriter writer(out, serializer, MessageType::unsubscribed, 2);
  writer.integer(request);
  writer.close_list();
}

void append_hello(std::string& out, Serializer serializer, Bytes realm, Bytes agent) {
  MessageWriter writer(out, serializer, MessageType::hello, 3);
  writer.text(realm);
  writer.open_dict(2);
  writer.key("roles");
  writer.open_dict(2);
  write_roles(writer, "publisher", {});
  write_roles(writer, "subscriber", {});
  writer.close_dict();
  writer.entry("agent", agent);
  writer.close_dict();
  writer.close_list();
}

void append_publish(std::string& out, Serializer serializer, std::uint64_t request,
                    const PublishOptions& options, Bytes topic, const Payload& payload) {
  constexpr PublishOptions kDefault;
  const bool acknowledge = options.acknowledge != kDefault.acknowledge;
  const bool exclude_me = options.exclude_me != kDefault.exclude_me;
  MessageWriter writer(out, serializer, MessageType::publish, 4 + payload_elements(payload));
  writer.integer(request);
  writer.open_dict((acknowledge ? 1u : 0u) + (exclude_me ? 1u : 0u));
  if (acknowledge) {
    writer.key("acknowledge");
    writer.boolean(options.acknowledge);
  }
  if (exclude_me) {
    writer.key("exclude_me");
    writer.boolean(options.exclude_me);
  }
  writer.close_dict();
  writer.text(topic);
  writer.payload(payload);
  writer.close_list();
}

void append_subscribe(std::string& out, Serializer serializer, std::uint64_t request, Bytes topic) {
  MessageWriter writer(out, serializer, MessageType::subscribe, 4);
  writer.integer(request);
  writer.open_dict(0);
  writer.close_dict();
  writer.text(topic);
  writer.close_list();
}

void append_unsubscribe(std::string& out, Serializer serializer, std::uint64_t request,
                        std::uint64_t subscription) {
  append_ids(out, serializer, MessageType::unsubscribe, request, subscription);
}

}  // namespace ringcast::wire
