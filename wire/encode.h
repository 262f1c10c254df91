// WAMP messages to serialized bytes. Stateless; any thread. Ids are encoded in the shortest
// unsigned form, always the same way for the same value. Empty payloads are left out, and so are
// options and details that have their default.
//
// All append to `out`. Text is valid UTF-8. Payloads and whatever else is serialized already are in
// `serializer` (transcode() in wire/transcode.h sees to that). REQUIRES: no enumeration is
// `unknown`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "wire/message.h"

namespace ringcast::wire {

// Dicts and lists that go into a message as they are, and members of dicts that are built with
// it. std::monostate stands for null.
struct Member {
  Bytes name;
  std::variant<std::monostate, Bytes, std::uint64_t> value;
};
void append_dict(std::string& out, Serializer serializer, const std::vector<Member>& members);
void append_text_list(std::string& out, Serializer serializer, const std::vector<Bytes>& texts);
void append_id_list(std::string& out, Serializer serializer, const std::vector<std::uint64_t>& ids);

// Opening and closing, router to client.
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
  std::vector<Member> authextra = {};  // left out if there are none
};
void append_welcome(std::string& out, Serializer serializer, std::uint64_t session,
                    const WelcomeDetails& details);
void append_challenge(std::string& out, Serializer serializer, Bytes method,
                      const std::vector<Member>& extra);

// Client to router. Without details: a publisher and subscriber without features.
void append_hello(std::string& out, Serializer serializer, Bytes realm, Bytes agent);
void append_hello(std::string& out, Serializer serializer, Bytes realm, Bytes agent,
                  const HelloDetails& details);
void append_authenticate(std::string& out, Serializer serializer, Bytes signature,
                         const std::vector<Member>& extra);

// Both parties. `message` goes into Details.message; left out if empty. Exactly three elements.
void append_abort(std::string& out, Serializer serializer, Bytes reason, Bytes message);
void append_goodbye(std::string& out, Serializer serializer, Bytes reason, Bytes message);
// `message`, if not empty, is sent as the only argument: [message].
void append_error(std::string& out, Serializer serializer, MessageType request_type,
                  std::uint64_t request, Bytes error, Bytes message);
// The error of a call, from the callee (INVOCATION) and on to the caller (CALL).
void append_error(std::string& out, Serializer serializer, MessageType request_type,
                  std::uint64_t request, const ErrorDetails& details, Bytes error,
                  const Payload& payload);

// Publish and subscribe, router to client.
//
// EVENT is what a broker writes most: its size is known before it is written, so that the WebSocket
// header can be put in front and the message written straight to where it is sent from.
std::size_t event_size(Serializer serializer, std::uint64_t subscription, std::uint64_t publication,
                       const Payload& payload);
char* write_event(char* out, Serializer serializer, std::uint64_t subscription,
                  std::uint64_t publication, const Payload& payload);  // returns the end
// The same with details: a serialized dict, by append_event_details(), which is the same for all
// subscriptions that an event goes to by a pattern. Empty for none.
std::size_t event_size(Serializer serializer, std::uint64_t subscription, std::uint64_t publication,
                       const Payload& payload, Bytes details);
char* write_event(char* out, Serializer serializer, std::uint64_t subscription,
                  std::uint64_t publication, const Payload& payload, Bytes details);
void append_event_details(std::string& out, Serializer serializer, const EventDetails& details);
void append_published(std::string& out, Serializer serializer, std::uint64_t request,
                      std::uint64_t publication);
void append_subscribed(std::string& out, Serializer serializer, std::uint64_t request,
                       std::uint64_t subscription);
void append_unsubscribed(std::string& out, Serializer serializer, std::uint64_t request);
// UNSUBSCRIBED for a subscription that the router took away; only to those who announce
// subscription_revocation. `reason` is a URI, left out if empty.
void append_subscription_revoked(std::string& out, Serializer serializer,
                                 std::uint64_t subscription, Bytes reason);

// Publish and subscribe, client to router.
void append_publish(std::string& out, Serializer serializer, std::uint64_t request,
                    const PublishOptions& options, Bytes topic, const Payload& payload);
void append_subscribe(std::string& out, Serializer serializer, std::uint64_t request, Bytes topic,
                      const SubscribeOptions& options = {});
void append_unsubscribe(std::string& out, Serializer serializer, std::uint64_t request,
                        std::uint64_t subscription);

// Remote procedure calls, router to client.
void append_registered(std::string& out, Serializer serializer, std::uint64_t request,
                       std::uint64_t registration);
void append_unregistered(std::string& out, Serializer serializer, std::uint64_t request);
// UNREGISTERED for a registration that the router took away; only to those who announce
// registration_revocation. `reason` is a URI, left out if empty.
void append_registration_revoked(std::string& out, Serializer serializer,
                                 std::uint64_t registration, Bytes reason);
void append_invocation(std::string& out, Serializer serializer, std::uint64_t request,
                       std::uint64_t registration, const InvocationDetails& details,
                       const Payload& payload);
// The mode is always written. REQUIRES: it is not skip, of which a callee hears nothing.
void append_interrupt(std::string& out, Serializer serializer, std::uint64_t request,
                      const InterruptOptions& options);
void append_result(std::string& out, Serializer serializer, std::uint64_t request,
                   const ResultDetails& details, const Payload& payload);

// Remote procedure calls, client to router.
void append_register(std::string& out, Serializer serializer, std::uint64_t request,
                     const RegisterOptions& options, Bytes procedure);
void append_unregister(std::string& out, Serializer serializer, std::uint64_t request,
                       std::uint64_t registration);
void append_call(std::string& out, Serializer serializer, std::uint64_t request,
                 const CallOptions& options, Bytes procedure, const Payload& payload);
// The mode is always written, as routers differ in what they do without one.
void append_cancel(std::string& out, Serializer serializer, std::uint64_t request,
                   const CancelOptions& options);
void append_yield(std::string& out, Serializer serializer, std::uint64_t request,
                  const YieldOptions& options, const Payload& payload);

}  // namespace ringcast::wire
