// WAMP messages to serialized bytes. Stateless; any thread. Ids are encoded in the shortest
// unsigned form, always the same way for the same value. Empty payloads are left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "wire/message.h"

namespace ringcast::wire {

// EVENT is what a broker writes most: its size is known before it is written, so that the WebSocket
// header can be put in front and the message written straight to where it is sent from. The payload
// must be in `serializer` already (transcode_payload() in wire/transcode.h does that).
std::size_t event_size(Serializer serializer, std::uint64_t subscription, std::uint64_t publication,
                       const Payload& payload);
char* write_event(char* out, Serializer serializer, std::uint64_t subscription,
                  std::uint64_t publication, const Payload& payload);  // returns the end

// Router to client. All append to `out`.
struct WelcomeDetails {
  Bytes realm;
  Bytes authid;
  Bytes authrole;
  Bytes authmethod;
  Bytes authprovider;
  Bytes agent;  // "ringcast-0.1.0"
  // Names of features announced as true; roles.broker.features and roles.dealer.features are always
  // sent.
  std::vector<Bytes> broker_features;
  std::vector<Bytes> dealer_features;
};
void append_welcome(std::string& out, Serializer serializer, std::uint64_t session,
                    const WelcomeDetails& details);
// Both parties. `message` goes into Details.message; left out if empty. Exactly three elements.
void append_abort(std::string& out, Serializer serializer, Bytes reason, Bytes message);
void append_goodbye(std::string& out, Serializer serializer, Bytes reason, Bytes message);
// `message`, if not empty, is sent as the only argument: [message].
void append_error(std::string& out, Serializer serializer, MessageType request_type,
                  std::uint64_t request, Bytes error, Bytes message);
void append_published(std::string& out, Serializer serializer, std::uint64_t request,
                      std::uint64_t publication);
void append_subscribed(std::string& out, Serializer serializer, std::uint64_t request,
                       std::uint64_t subscription);
void append_unsubscribed(std::string& out, Serializer serializer, std::uint64_t request);

// Client to router.
void append_hello(std::string& out, Serializer serializer, Bytes realm, Bytes agent);
void append_publish(std::string& out, Serializer serializer, std::uint64_t request,
                    const PublishOptions& options, Bytes topic, const Payload& payload);
void append_subscribe(std::string& out, Serializer serializer, std::uint64_t request, Bytes topic);
void append_unsubscribe(std::string& out, Serializer serializer, std::uint64_t request,
                        std::uint64_t subscription);

}  // namespace ringcast::wire
