// The messages of publish and subscribe, but for EVENT itself (wire/encode_event.cpp).
#include "wire/encode.h"
#include "wire/message_writer.h"

namespace ringcast::wire {

void append_event_details(std::string& out, Serializer serializer, const EventDetails& details) {
  Writer writer(out, serializer);
  DictWriter dict(writer);
  dict.text_if_any("topic", details.topic);
  dict.integer_if_any("publisher", details.publisher);
  dict.text_if_any("publisher_authid", details.publisher_authid);
  dict.text_if_any("publisher_authrole", details.publisher_authrole);
  dict.flag("retained", details.retained);
  write_passthru(dict, details.passthru);
  dict.close();
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
  append_done(out, serializer, MessageType::unsubscribed, request);
}

void append_subscription_revoked(std::string& out, Serializer serializer,
                                 std::uint64_t subscription, Bytes reason) {
  append_revoked(out, serializer, MessageType::unsubscribed, "subscription", subscription, reason);
}

void append_publish(std::string& out, Serializer serializer, std::uint64_t request,
                    const PublishOptions& options, Bytes topic, const Payload& payload) {
  MessageWriter writer(out, serializer, MessageType::publish, 4 + payload_elements(payload));
  writer.integer(request);
  DictWriter dict(writer);
  dict.flag("acknowledge", options.acknowledge);
  if (!options.exclude_me) dict.boolean("exclude_me", false);
  dict.flag("disclose_me", options.disclose_me);
  dict.flag("retain", options.retain);
  if (options.receivers) {
    dict.serialized_if_any("exclude", options.receivers->exclude);
    dict.serialized_if_any("exclude_authid", options.receivers->exclude_authid);
    dict.serialized_if_any("exclude_authrole", options.receivers->exclude_authrole);
    dict.serialized_if_any("eligible", options.receivers->eligible);
    dict.serialized_if_any("eligible_authid", options.receivers->eligible_authid);
    dict.serialized_if_any("eligible_authrole", options.receivers->eligible_authrole);
  }
  write_passthru(dict, options.passthru);
  dict.close();
  writer.text(topic);
  writer.payload(payload);
  writer.close_list();
}

void append_subscribe(std::string& out, Serializer serializer, std::uint64_t request, Bytes topic,
                      const SubscribeOptions& options) {
  MessageWriter writer(out, serializer, MessageType::subscribe, 4);
  writer.integer(request);
  DictWriter dict(writer);
  write_match(dict, options.match);
  dict.flag("get_retained", options.get_retained);
  dict.close();
  writer.text(topic);
  writer.close_list();
}

void append_unsubscribe(std::string& out, Serializer serializer, std::uint64_t request,
                        std::uint64_t subscription) {
  append_ids(out, serializer, MessageType::unsubscribe, request, subscription);
}

}  // namespace ringcast::wire
